"""Writing pushed images into releases, each once, and announcing what became of them."""

from dataclasses import dataclass
from datetime import datetime

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_types import ECRClient
from ferryman.effects import Count
from ferryman.errors import Conflict
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.messages.release import for_refused_image
from ferryman.platform import Platform
from ferryman.records import EventType, Release
from ferryman.records.writes import Add, Save
from ferryman.releases import assembly
from ferryman.releases.assembly import Effect, Pushed
from ferryman.releases.semver_tags import Names
from ferryman.store.table import Store


@dataclass(frozen=True)
class ReleaseRecorder:
    """Where releases are written down, and what is asked meanwhile."""

    store: Store
    ecr: ECRClient
    clock: Clock
    new_id: NewId
    count: Count

    def record(self, document: Platform, pushed: Pushed) -> tuple[Release, Effect]:
        """Write an image into its release, once; raise Conflict when others keep being faster."""
        wanted = list(document.spec.components)
        for _ in self.store.attempts():
            before = self.store.release(document.name, pushed.version)
            after, effect = assembly.merge(before, pushed, wanted=wanted, now=self.clock(), new_id=self.new_id)
            if effect is Effect.COMPLETED and before is not None:
                # What is frozen now must be what the tags mean now: the event of an overwritten tag may be lost.
                fresh = self._refreshed(document, before)
                after, effect = assembly.merge(fresh, pushed, wanted=wanted, now=self.clock(), new_id=self.new_id)
            if effect is Effect.NOTHING:
                return after, effect
            refusal = self._refusal(document, after, pushed) if effect is Effect.REFUSED else []
            try:
                self.store.write(Save(after), *refusal)
            except Conflict:
                continue
            self.count({Effect.COMPLETED: "ReleaseReady", Effect.REFUSED: "ImageRefused"}.get(effect, "ImageRecorded"))
            return after.but(rev=after.rev + 1), effect
        raise Conflict(f"release {pushed.version} kept changing; the next attempt reads it again")

    @property
    def names(self) -> Names:
        """Where semver names are written down."""
        return Names(self.store, self.clock, self.new_id, self.count)

    def _refreshed(self, document: Platform, release: Release) -> Release:
        components = {}
        for component, image in release.components.items():
            spec = document.spec.components.get(component)
            digest = ecr_edge.resolve(self.ecr, spec.repository, image.tag) if spec else image.digest
            if digest is not None:
                components[component] = image.but(digest=digest)
        return release.but(components=components)

    def _refusal(self, document: Platform, release: Release, pushed: Pushed) -> list[Add]:
        at = self.clock()
        message = (
            f"another image of {pushed.component} was pushed as {release.version} and refused: the release has "
            f"{release.components[pushed.component].digest}, the new image is {pushed.digest}; push it as a new version"
        )
        return [
            *announce(document, EventType.IMAGE_REFUSED, message, at=at, new_id=self.new_id),
            *for_refused_image(release, pushed.component, pushed.digest, audience(document), at),
        ]


def audience(document: Platform) -> list[str]:
    """Return the channels that hear of releases: those of every environment that a push reaches."""
    names = document.triggered_by_push() or list(document.spec.environments)
    return list(dict.fromkeys(channel for name in names for channel in document.environment(name).notify))


def announce(document: Platform, type: EventType, message: str, *, at: datetime, new_id: NewId) -> list[Add]:
    """Make a line about a release in the timeline of every environment that it should have reached."""
    return [
        timeline.environment_event(document.name, name, type, message, at=at, new_id=new_id, who="ferryman")
        for name in document.triggered_by_push()
    ]
