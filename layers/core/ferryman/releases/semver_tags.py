"""Semver tags as second names of releases: `v1.2.3` names the one release whose images all carry it.

A name that is bound stays bound. Called by receive_push with what ECR shows for one tag, by the sweep for all of them,
and by adoption for those that were there before us. Whatever the order of events, and however often they come, the
same images carrying the same tags end in the same record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_types import ECRClient
from ferryman.clients.ecr import TaggedImage
from ferryman.errors import Conflict
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.messages.release import for_refused_tag
from ferryman.platform import Platform, TagKind, classify
from ferryman.records import EventType, Release, SemverName
from ferryman.records.writes import Add, Save, Write
from ferryman.releases.assembly import frozen
from ferryman.store.table import Store

_SHOWN = 3
"""Versions of one image that a message names."""

Carried = Mapping[str, TaggedImage]
"""Component → its image that carries the tag now; without those that have none."""


@dataclass(frozen=True)
class Verdict:
    """What a tag means, as its images and the releases stand."""

    status: Literal["Waiting", "Bound", "Refused"]
    message: str
    """Waiting: for what. Refused: why. Bound: how it was chosen; see `moved`."""
    version: str | None = None
    moved: bool = False
    """The name stays where it is, although images of something else carry the tag now: that is refused."""

    @property
    def refuses(self) -> bool:
        """Whether people have to hear of it."""
        return self.status == "Refused" or self.moved


def judge_tag(
    document: Platform,
    name: str,
    carried: Carried,
    releases: Sequence[Release],
    known: SemverName | None,
    now: datetime,
    *,
    patient: bool = True,
) -> Verdict:
    """Tell what a semver tag means. Pure; `releases` oldest first.

    `patient`: its release may still be completed; else, or after the platform's assemblyTimeout, the tag is refused.
    """
    wanted = list(document.spec.components)
    bound = _bound(name, releases, known)
    if bound is not None:
        return _still(name, bound, carried)
    missing = [component for component in wanted if component not in carried]
    if missing:
        return Verdict("Waiting", f"{name} is waiting for images of {', '.join(missing)} that carry it")
    fitting = [release for release in releases if _fits(release, carried, wanted)]
    if fitting:
        return _chosen(name, fitting)
    seen = {component: _versions(document, carried[component]) for component in wanted}
    late = known is not None and now - known.first_seen_at > document.spec.assembly_timeout
    if patient and not late and _may_come(seen, carried, releases):
        return Verdict("Waiting", f"{name} is waiting for its release to be complete")
    return Verdict("Refused", _why_none(seen))


def _bound(name: str, releases: Sequence[Release], known: SemverName | None) -> Release | None:
    version = known.version if known is not None and known.status == "Bound" else None
    return next((release for release in releases if release.version == version or name in release.names), None)


def _still(name: str, release: Release, carried: Carried) -> Verdict:
    digests = release.digests
    others = [
        component
        for component, image in sorted(carried.items())
        if component in digests and image.digest != digests[component]
    ]
    if not others:
        return Verdict("Bound", f"{name} names {release.version}", release.version)
    why = f"it already names {release.version}, and another image of {', '.join(others)} carries it now"
    return Verdict("Bound", why, release.version, moved=True)


def _fits(release: Release, carried: Carried, wanted: Iterable[str]) -> bool:
    digests = release.digests
    return frozen(release, list(wanted)) and all(digests.get(name) == carried[name].digest for name in wanted)


def _chosen(name: str, fitting: Sequence[Release]) -> Verdict:
    """Take the release that was verified in most environments, and of several the newest: their images are the same."""
    chosen = max(fitting, key=lambda release: (len(release.verified), release.order))
    others = [release.version for release in fitting if release is not chosen]
    if not others:
        return Verdict("Bound", f"{name} names {chosen.version}: all its images carry it", chosen.version)
    count = len(chosen.verified)
    tied = [release for release in fitting if len(release.verified) == count]
    why = "is the newest of them" if len(tied) > 1 else "was verified in the most environments"
    same = f"{', '.join(others[-_SHOWN:])} {'has' if len(others) == 1 else 'have'} the same images"
    return Verdict("Bound", f"{name} names {chosen.version}: {same}, and {chosen.version} {why}", chosen.version)


def _versions(document: Platform, image: TaggedImage) -> list[str]:
    found = (classify(tag, document).version for tag in image.tags)
    return sorted({version for version in found if version is not None})


def _may_come(seen: Mapping[str, list[str]], carried: Carried, releases: Sequence[Release]) -> bool:
    """Tell whether the release may just not be complete yet: version tags, or other images, may be on their way."""
    known = {release.version: release for release in releases}
    if not all(seen.values()):
        return True
    return any(_may_fit(known.get(version), carried) for versions in seen.values() for version in versions)


def _may_fit(release: Release | None, carried: Carried) -> bool:
    if release is None:
        return True
    images = {name: image for name, image in release.components.items() if name in carried}
    agrees = all(carried[name].digest == image.digest for name, image in images.items())
    return agrees and not frozen(release, list(carried))


def _why_none(seen: Mapping[str, list[str]]) -> str:
    untold = [component for component, versions in seen.items() if not versions]
    if untold:
        return f"the image of {', '.join(untold)} with this tag has no version tag, so it belongs to no release"
    told = [f"{component} is of {', '.join(versions[-_SHOWN:])}" for component, versions in seen.items()]
    return f"its images belong to different releases: {'; '.join(told)}"


# ── writing it down ──


@dataclass(frozen=True)
class Names:
    """Where names are written down."""

    store: Store
    clock: Clock
    new_id: NewId
    count: Callable[[str], None]

    def record_tag(self, document: Platform, name: str, carried: Carried, *, quiet: bool = False) -> Verdict:
        """Record what a tag means, once, and notify people if needed; return the verdict.

        `quiet`: the tag existed before the adoption: it starts nothing, and nobody is notified. Raise Conflict when
        the records keep changing.
        """
        for _ in self.store.attempts():
            known = self.store.semver_name(document.name, name)
            releases = self.store.releases(document.name)
            verdict = judge_tag(document, name, carried, releases, known, self.clock(), patient=not quiet)
            if not changes(known, verdict) or (quiet and verdict.status == "Waiting"):
                return verdict
            bound = next((item for item in releases if item.version == verdict.version), None)
            try:
                self.store.write(*self._writes(document, name, known, verdict, bound, quiet))
            except Conflict:
                continue
            if not quiet and (verdict.refuses or verdict.status == "Bound"):
                self.count("TagRefused" if verdict.refuses else "ReleaseNamed")
            return verdict
        raise Conflict(f"what {name} names kept changing; the next attempt reads it again")

    def _writes(
        self,
        document: Platform,
        name: str,
        known: SemverName | None,
        verdict: Verdict,
        bound: Release | None,
        quiet: bool,
    ) -> list[Write]:
        at = self.clock()
        before = known or SemverName(platform=document.name, name=name, status="Waiting", first_seen_at=at)
        message = verdict.message if verdict.refuses or verdict.status == "Waiting" else ""
        writes: list[Write] = [Save(before.but(status=verdict.status, version=verdict.version, message=message))]
        if verdict.refuses:
            return writes if quiet else [*writes, *self._refusal(document, name, verdict, at)]
        if bound is None or name in bound.names:
            return writes
        if quiet:
            return [*writes, Save(bound.but(names=[name, *bound.names]))]
        writes.append(Save(bound.but(names=[*bound.names, name], named_at=at)))
        detail = {"version": bound.version, "digests": bound.digests}
        return [*writes, *self._events(document, EventType.NAMED, verdict.message, at, detail)]

    def _refusal(self, document: Platform, name: str, verdict: Verdict, at: datetime) -> list[Add]:
        said = f"{name} was refused: {verdict.message}"
        told = self._events(document, EventType.TAG_REFUSED, said, at)
        for env in document.triggered_by_tag():
            channels = document.environment(env).notify
            told += for_refused_tag(document.name, env, name, None, verdict.message, channels, at)
        return told

    def _events(
        self, document: Platform, type: EventType, message: str, at: datetime, detail: dict[str, Any] | None = None
    ) -> list[Add]:
        return [
            timeline.environment_event(
                document.name, env, type, message, at=at, new_id=self.new_id, who="ferryman", detail=detail
            )
            for env in document.triggered_by_tag()
        ]


def changes(known: SemverName | None, verdict: Verdict) -> bool:
    """Tell whether a verdict has to be written down. What was refused stays so, and is told once, until it is bound."""
    if known is None:
        return True
    if known.status == "Bound":
        # Its message is the refusal that people heard of.
        return verdict.moved != bool(known.message)
    return verdict.status != known.status and not (known.status == "Refused" and verdict.status == "Waiting")


# ── reading ECR ──


def look(document: Platform, name: str, ecr: ECRClient) -> Carried:
    """Return which images carry a semver tag now."""
    parts = document.spec.components
    found = {component: ecr_edge.tagged_image(ecr, part.repository, name) for component, part in parts.items()}
    return {component: image for component, image in found.items() if image is not None}


def of_images(document: Platform, images: Mapping[str, Iterable[TaggedImage]]) -> dict[str, dict[str, TaggedImage]]:
    """Return for each semver tag on a component's images which of them carry it. Pure."""
    found: dict[str, dict[str, TaggedImage]] = {}
    for component, listed in images.items():
        for image in listed:
            for tag in image.tags:
                if classify(tag, document).kind is TagKind.SEMVER:
                    found.setdefault(tag, {})[component] = image
    return found
