"""From pushes to releases: what receive_push does with an event, and how an image is recorded.

An event is only a reason to look: what a tag means is always asked of ECR. Called by receive_push; `releases.sweep`
records missed images the same way.
"""

import logging
from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_types import ECRClient
from ferryman.effects import Count, Nudges
from ferryman.errors import InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.lazy_model import LazyModel
from ferryman.platform import Platform, TagKind, classify, parse
from ferryman.records import ReleaseStatus
from ferryman.releases import semver_tags
from ferryman.releases.assembly import Pushed
from ferryman.releases.recorder import ReleaseRecorder
from ferryman.store.table import Store

_NAMES_AT_ONCE = 5
"""Each costs a call of ECR per component."""
_LOG = logging.getLogger("ferryman")


class _Event(LazyModel):
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


class Receipt(LazyModel):
    """What became of an event, for each platform that has the repository."""

    outcomes: list[str]


def receive(
    event: PushEvent, *, store: Store, ecr: ECRClient, nudge: Nudges, clock: Clock, new_id: NewId, count: Count
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
    ledger = ReleaseRecorder(store, ecr, clock, new_id, count)
    outcomes: list[str] = []
    broken: InvalidDocument | None = None
    for applied in store.platforms():
        if not _may_have(applied.document, detail.repository):
            continue
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


def _may_have(document: Mapping[str, object], repository: str) -> bool:
    """Return whether a stored document names a repository; True if its text does not tell.

    Pushes to every repository of the account arrive here. Most concern nobody, and no document has to be understood
    for them.
    """
    spec = document.get("spec")
    components = spec.get("components") if isinstance(spec, Mapping) else None
    if not isinstance(components, Mapping):
        return True
    return any(not isinstance(one, Mapping) or one.get("repository") == repository for one in components.values())


def _receive(
    document: Platform, component: str, text: str, event: PushEvent, ledger: ReleaseRecorder, nudge: Nudges
) -> str:
    tag = classify(text, document)
    if tag.kind is TagKind.MOVING:
        return "Ignored (moving tag)"
    if tag.kind is TagKind.SEMVER:
        return _named(document, text, ledger, nudge)
    if tag.version is None:
        ledger.count("PushUnknownTag")
        _log(event, "the tag is neither a version, nor a semver name, nor a moving tag")
        # Not loaded for the pushes that matter.
        from ferryman.releases import ignored_tags

        ignored_tags.keep(document, component, text, event.time, ledger)
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


def _waiting(document: Platform, ledger: ReleaseRecorder) -> list[str]:
    """Return the semver tags that may have waited for a release which is complete now; sweeps look at all."""
    names = [name for name in ledger.store.semver_names(document.name) if name.status == "Waiting"]
    newest = sorted(names, key=lambda name: name.first_seen_at, reverse=True)[:_NAMES_AT_ONCE]
    return sorted(name.name for name in newest)


def _named(document: Platform, name: str, ledger: ReleaseRecorder, nudge: Nudges) -> str:
    verdict = ledger.names.record_tag(document, name, semver_tags.look(document, name, ledger.ecr))
    if verdict.refuses or verdict.version is None:
        return f"{'Refused' if verdict.refuses else verdict.status} ({verdict.message})"
    # Also for a repeated event: the first may have died right here.
    for environment in document.triggered_by_tag():
        nudge.environment(document.name, environment)
    return f"Named {verdict.version}"


def _ignored(event: PushEvent, reason: str, count: Count) -> Receipt:
    count("PushIgnored")
    _log(event, reason)
    return Receipt(outcomes=[f"Ignored ({reason})"])


def _log(event: PushEvent, reason: str) -> None:
    _LOG.info("push ignored: %s", reason, extra={"repository": event.detail.repository, "image_tag": event.detail.tag})
