"""How pushed images add up to a release. Pure; called by `releases.receive_push` and `releases.sweep`.

The result depends on which images were pushed and when, not on the order in which their events arrive.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ferryman.ids import NewId
from ferryman.records import Image, Release, ReleaseStatus


@dataclass(frozen=True)
class Pushed:
    """One image of one component, as ECR has it now."""

    platform: str
    component: str
    version: str
    tag: str
    digest: str
    at: datetime
    """The push event's time; the sweep's when the event was lost."""
    seq: int | None = None


class Effect(StrEnum):
    """What an image did to its release."""

    NOTHING = "Nothing"
    RECORDED = "Recorded"
    COMPLETED = "Completed"
    REFUSED = "Refused"


def merge(
    release: Release | None, pushed: Pushed, *, wanted: Collection[str], now: datetime, new_id: NewId
) -> tuple[Release, Effect]:
    """Add an image to its release; `wanted` names the components that a complete release consists of.

    No push is later than `now`, whatever its event says: a release from the future would outrank every later one.
    """
    pushed = replace(pushed, at=min(pushed.at, now))
    if release is None:
        release = Release(
            platform=pushed.platform,
            version=pushed.version,
            status=ReleaseStatus.ASSEMBLING,
            first_seen_at=pushed.at,
            ulid=new_id(),
        )
    known = release.components.get(pushed.component)
    if frozen(release, wanted):
        if known is not None and known.digest != pushed.digest:
            return _refuse(release, pushed)
        if known is None:
            # A component that joined the platform later: the release stays as it was verified.
            return release, Effect.NOTHING
    after = _seen(_with(release, pushed), pushed)
    if not frozen(release, wanted):
        after = complete(after, wanted=wanted, now=now)
    if after.status is ReleaseStatus.READY and release.status is not ReleaseStatus.READY:
        return after, Effect.COMPLETED
    return after, Effect.NOTHING if after == release else Effect.RECORDED


def complete(release: Release, *, wanted: Collection[str], now: datetime) -> Release:
    """Freeze a release that has all its images; leave any other as it is."""
    if not set(wanted) <= set(release.components):
        return release
    return release.but(status=ReleaseStatus.READY, ready_at=now)


def frozen(release: Release, wanted: Collection[str]) -> bool:
    """Tell whether a release's digests can't change any more.

    An old tag that missed an image when the platform was adopted may still be completed by a push.
    """
    if release.status is ReleaseStatus.BASELINE:
        return set(wanted) <= set(release.components)
    return release.status is ReleaseStatus.READY


def overdue(release: Release, *, timeout_seconds: float, now: datetime) -> bool:
    """Tell whether a release misses images past the platform's assemblyTimeout and nobody was told yet."""
    waited = (now - release.first_seen_at).total_seconds()
    return release.status is ReleaseStatus.ASSEMBLING and not release.reported_incomplete and waited > timeout_seconds


def _refuse(release: Release, pushed: Pushed) -> tuple[Release, Effect]:
    if release.refused.get(pushed.component) == pushed.digest:
        return release, Effect.NOTHING
    return release.but(refused={**release.refused, pushed.component: pushed.digest}), Effect.REFUSED


def _with(release: Release, pushed: Pushed) -> Release:
    known = release.components.get(pushed.component)
    first = pushed.at if known is None else min(known.first_seen_at, pushed.at)
    image = Image(digest=pushed.digest, tag=pushed.tag, first_seen_at=first)
    if known is not None and known.digest == pushed.digest:
        # The same image under a second tag of the same version, or a repeated event.
        image = known.but(first_seen_at=first, tag=min(known.tag, pushed.tag))
    return release.but(components={**release.components, pushed.component: image})


def _seen(release: Release, pushed: Pushed) -> Release:
    """Order by the earliest push, whichever event arrives first; a later number of `seq` wins."""
    seqs = [seq for seq in (release.seq, pushed.seq) if seq is not None]
    return release.but(first_seen_at=min(release.first_seen_at, pushed.at), seq=max(seqs, default=None))
