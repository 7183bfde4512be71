"""From pushes to releases: what receive_push does with an event, and how an image is recorded.

An event is only a reason to look: what a tag means is always asked of ECR. Called by receive_push; `releases.sweep`
records missed images the same way.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ferryman.clients import ecr as ecr_edge
from ferryman.effects import Count, Nudges
from ferryman.errors import Conflict, InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.messages import deployment, timeline
from ferryman.platform import Platform, TagKind, classify, parse
from ferryman.records import EventType, Release, ReleaseStatus
from ferryman.records.writes import Add, Save
from ferryman.releases import assembly, semver_tags
from ferryman.releases.assembly import Effect, Pushed
from ferryman.releases.semver_tags import Names
from ferryman.store.table import Store

_ATTEMPTS = 10
_NAMES_AT_ONCE = 5
"""Each costs a call of ECR per component."""
_LOG = logging.getLogger("ferryman")


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class PushDetail(_Event):
    """What happened to which image."""

    action: str = Field(alias="action-type")
    result: str
    repository: str = Field(alias="repository-name", min_length=1)
    tag: str | None = Field(default=None, alias="image-tag")


class PushEvent(_Event):
    """EventBridge's `ECR Image Action` (docs/reference/aws-facts.md#events). The payload's digest is not read."""

    id: str = ""
    source: Literal["aws.ecr"]
    detail_type: Literal["ECR Image Action"] = Field(alias="detail-type")
    time: AwareDatetime
    detail: PushDetail


class Receipt(BaseModel):
    """What became of an event, for each platform that has the repository."""

    outcomes: list[str]


@dataclass(frozen=True)
class Ledger:
    """Where releases are written down, and what is asked meanwhile."""

    store: Store
    ecr: Any
    clock: Clock
    new_id: NewId
    count: Count

    def record(self, document: Platform, pushed: Pushed) -> tuple[Release, Effect]:
        """Write an image into its release, once; raise Conflict when others keep being faster."""
        wanted = list(document.spec.components)
        for _ in range(_ATTEMPTS):
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
        raise Conflict(f"release {pushed.version} kept changing; the next try reads it again")

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
            f"{release.components[pushed.component].digest}, pushed was {pushed.digest}; push it under a new version"
        )
        return [
            *announce(document, EventType.IMAGE_REFUSED, message, at=at, new_id=self.new_id),
            *deployment.for_refused_image(release, pushed.component, pushed.digest, audience(document), at),
        ]


def receive(
    event: PushEvent, *, store: Store, ecr: Any, nudge: Nudges, clock: Clock, new_id: NewId, count: Count
) -> Receipt:
    """Record a pushed image and nudge the environments that its release, once complete, should reach.

    Duplicate, late and reordered events change nothing.
    """
    detail = event.detail
    if detail.action != "PUSH" or detail.result != "SUCCESS":
        return _ignored(event, f"{detail.action} {detail.result}", count)
    if not detail.tag:
        # A child of an index, or an attestation: the tagged index follows.
        return _ignored(event, "untagged", count)
    ledger = Ledger(store, ecr, clock, new_id, count)
    outcomes: list[str] = []
    broken: InvalidDocument | None = None
    for applied in store.platforms():
        try:
            document = parse(applied.document)
        except InvalidDocument as error:
            # Stored by another version of Ferryman: loud, but not in the way of the other platforms.
            broken = error
            continue
        component = document.component_of(detail.repository)
        if component is not None:
            outcomes.append(f"{document.name}: {_receive(document, component, detail.tag, event, ledger, nudge)}")
    if broken is not None:
        raise broken
    if not outcomes:
        count("PushUnknownRepository")
        return _ignored(event, "no platform has this repository", count)
    return Receipt(outcomes=outcomes)


def _receive(document: Platform, component: str, text: str, event: PushEvent, ledger: Ledger, nudge: Nudges) -> str:
    tag = classify(text, document)
    if tag.kind is TagKind.MOVING:
        return "Ignored (moving tag)"
    if tag.kind is TagKind.SEMVER:
        return _named(document, text, ledger, nudge)
    if tag.version is None:
        ledger.count("PushUnknownTag")
        _log(event, "the tag is neither a version, nor a semver name, nor a moving tag")
        return "Ignored (unknown tag)"
    digest = ecr_edge.resolve(ledger.ecr, event.detail.repository, text)
    if digest is None:
        ledger.count("PushGone")
        _log(event, "ECR no longer has an image under this tag")
        return "Ignored (gone)"
    pushed = Pushed(document.name, component, tag.version, text, digest, at=event.time, seq=tag.seq)
    release, effect = ledger.record(document, pushed)
    if release.status is ReleaseStatus.READY:
        # Also for a repeated event: the first may have died right here.
        for environment in document.triggered_by_push():
            nudge.environment(document.name, environment)
        for name in _waiting(document, ledger):
            _named(document, name, ledger, nudge)
    return str(effect)


def _waiting(document: Platform, ledger: Ledger) -> list[str]:
    """Return the semver tags that may have waited for a release which is complete now; sweeps look at all."""
    names = [name for name in ledger.store.semver_names(document.name) if name.status == "Waiting"]
    newest = sorted(names, key=lambda name: name.first_seen_at, reverse=True)[:_NAMES_AT_ONCE]
    return sorted(name.name for name in newest)


def _named(document: Platform, name: str, ledger: Ledger, nudge: Nudges) -> str:
    verdict = ledger.names.settle(document, name, semver_tags.look(document, name, ledger.ecr))
    if verdict.refuses or verdict.version is None:
        return f"{'Refused' if verdict.refuses else verdict.status} ({verdict.message})"
    # Also for a repeated event: the first may have died right here.
    for environment in document.triggered_by_tag():
        nudge.environment(document.name, environment)
    return f"Named {verdict.version}"


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


def _ignored(event: PushEvent, reason: str, count: Count) -> Receipt:
    count("PushIgnored")
    _log(event, reason)
    return Receipt(outcomes=[f"Ignored ({reason})"])


def _log(event: PushEvent, reason: str) -> None:
    _LOG.info("push ignored: %s", reason, extra={"repository": event.detail.repository, "image_tag": event.detail.tag})
