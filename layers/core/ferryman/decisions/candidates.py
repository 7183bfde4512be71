"""Which release an environment should get automatically, and what it waits for. Pure; read by `decisions.decide`.

The trigger `push` selects the newest complete release, `promotion` the newest that `promoteFrom` has verified, and
`tag` the newest with a semver name. Whatever the trigger, `promotion_gate.gate` says whether a release may be deployed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ferryman.decisions.promotion_gate import Waits, _left, kept_back
from ferryman.decisions.same_images import NEVER_TRIED, Twin, twin_of
from ferryman.decisions.snapshot import Snapshot
from ferryman.durations import span
from ferryman.platform import Environment
from ferryman.records import Phase, Release, ReleaseStatus, Settled

SCANNED_AT_ONCE = 3
"""Releases whose scans are read in one run."""


TAG_REFUSED = NEVER_TRIED
"""Reason of a version that is settled because its semver tag was refused; no deployment of it ever started."""


class Trigger(NamedTuple):
    """What starts a release here automatically."""

    by: str
    """`push`, `promotion`, or `tag v1.2.3`."""
    tag: str | None
    since: datetime | None
    """When: the last image was pushed, the tag was bound, or the release was verified. None when not recorded."""


@dataclass(frozen=True)
class Candidate:
    """A release that automation should deploy here."""

    release: Release
    by: str
    """What starts it: see `Trigger.by`."""
    tag: str | None = None
    since: datetime | None = None
    """Since when it could have been deployed: triggered, complete, verified and soaked."""
    waits: Waits | None = None


@dataclass(frozen=True)
class Outlook:
    """The newest release that may be deployed now, and the newest that has to wait."""

    ready: Candidate | None = None
    waiting: Candidate | None = None


def outlook(view: Snapshot, now: datetime) -> Outlook:
    """Return what should be deployed here automatically.

    An errored release counts as ready even before its retry time (see `Snapshot.settled`). The search ends at the
    running release and at a newer one that is settled here: automation never goes back behind it, unless a person has
    tagged an older release since.
    """
    waiting: Candidate | None = None
    for candidate in _search(view, now):
        if candidate.waits is None:
            return Outlook(candidate, waiting)
        waiting = waiting or candidate
    return Outlook(None, waiting)


def _search(view: Snapshot, now: datetime) -> Iterator[Candidate]:
    decided: datetime | None = None
    for release, found in _newer_than_what_runs(view):
        done = _done_with(view, release)
        twin = twin_of(view, release) if done is None else None
        if twin is not None and twin.how == "older":
            continue  # It is not the newest, whatever it is called.
        if twin is not None and twin.how != "settled":
            # What it would bring is there, or on its way.
            return
        if twin is not None and twin.settled is not None:
            done = twin.settled.at
        if done is not None:
            decided = max(decided or done, done)
        elif _may_come_after(decided, found):
            waits = kept_back(view, release, now)
            yield Candidate(release, found.by, found.tag, _since(view.environment, release, found), waits)
        if found.by == "push":
            return


def _newer_than_what_runs(view: Snapshot) -> Iterator[tuple[Release, Trigger]]:
    """Yield the releases that something starts here, newest first, down to the one that runs."""
    for release in sorted(view.releases, key=lambda release: release.order, reverse=True):
        found = trigger(view, release)
        if found is None:
            continue
        if runs_or_is_older(view, release):
            return
        yield release, found


def _may_come_after(decided: datetime | None, found: Trigger) -> bool:
    """Tell whether automation may still start a release although a newer one was decided then: only for a new tag."""
    return decided is None or (found.tag is not None and found.since is not None and found.since > decided)


def trigger(view: Snapshot, release: Release) -> Trigger | None:
    """Return what starts a release here automatically, or None.

    Images, tags and proofs from before the environment's adoption start nothing.
    """
    triggers, adopted = view.environment.triggers, view.state.adopted_at
    complete = release.status in (ReleaseStatus.READY, ReleaseStatus.BASELINE)
    if "tag" in triggers and complete and _is_named(view, release):
        return Trigger(f"tag {release.names[-1]}", release.names[-1], release.named_at)
    if release.status is not ReleaseStatus.READY:
        return None
    if "push" in triggers and view.ours(release):
        return Trigger("push", None, release.ready_at)
    proof = release.verified.get(view.environment.promote_from or "")
    if "promotion" in triggers and proof and (adopted is None or proof.at > adopted):
        return Trigger("promotion", None, proof.at)
    return None


def _is_named(view: Snapshot, release: Release) -> bool:
    """Tell whether a release has a semver tag that was added after the adoption and was not refused here."""
    at, adopted = release.named_at, view.state.adopted_at
    if not release.names or (adopted is not None and (at is None or at <= adopted)):
        return False
    refused = view.state.settled.get(release.version)
    return refused is None or refused.reason != TAG_REFUSED or (at is not None and at > refused.at)


def done_for(view: Snapshot, release: Release) -> Settled | None:
    """Return how a release ended here; None when it has not, or its tag was refused but something starts it anew."""
    settled = view.settled(release)
    if settled is not None and settled.reason == TAG_REFUSED and trigger(view, release) is not None:
        return None
    return settled


def _since(environment: Environment, release: Release, found: Trigger) -> datetime | None:
    """Return since when a release could have been deployed: triggered, complete, verified and soaked."""
    proof = release.verified.get(environment.promote_from or "")
    soaked = proof.at + (environment.soak or timedelta(0)) if proof else None
    return max((at for at in (found.since, release.ready_at, soaked) if at is not None), default=None)


def to_scan(view: Snapshot, now: datetime) -> list[Release]:
    """Return the releases whose scans decide what is next: those that would be ready with a clean scan."""
    if view.environment.scan is None:
        return []
    found = [item.release for item in _search(view, now) if item.waits and item.waits.reason == "ScanMissing"]
    wish = view.state.requested
    asked = view.release(wish.version) if wish is not None and wish.kind in ("deploy", "retry") else None
    first = [release for release in (asked, view.errored()) if release is not None and _unscanned(view, release, now)]
    found = list({release.version: release for release in (*first, *found)}.values())
    return found[:SCANNED_AT_ONCE]


def _unscanned(view: Snapshot, release: Release, now: datetime) -> bool:
    waits = kept_back(view, release, now)
    return waits is not None and waits.reason == "ScanMissing"


def runs_or_is_older(view: Snapshot, release: Release) -> bool:
    if view.state.current is not None and release.version == view.state.current.version:
        return True
    return view.current is not None and release.order <= view.current.order


def _done_with(view: Snapshot, release: Release) -> datetime | None:
    """Return when it was decided that automation does not start a newer release (again); None when it may."""
    proof, settled = release.verified.get(view.name), view.settled(release)
    if proof is not None:
        # A verified release that no longer runs was rolled back by a person: only a person deploys it again.
        return max(proof.at, view.state.current.at) if view.state.current else proof.at
    if settled is None or settled.retry_at is not None or settled.reason == TAG_REFUSED:
        return None
    return settled.at


def twins(view: Snapshot) -> Iterator[tuple[Release, Twin]]:
    """Yield the releases, newest first, that automation would start if another had not the same images."""
    for release in sorted(view.releases, key=lambda release: release.order, reverse=True):
        if runs_or_is_older(view, release):
            return
        if trigger(view, release) is None or _done_with(view, release) is not None:
            continue
        twin = twin_of(view, release)
        if twin is not None:
            yield release, twin


def passed_over(view: Snapshot) -> tuple[Release, tuple[Release, ...]] | None:
    """Return the newest release that was decided here, with the older ones that will never start because of it.

    It runs, or it ended and automation does not go back behind it. The older ones may have become complete only after
    that; those that `outlook` may still select are not among them. None when there are none.
    """
    newest, decided, others = None, None, set()
    for release, found in _newer_than_what_runs(view):
        done = _done_with(view, release)
        twin = twin_of(view, release) if done is None else None
        if twin is not None:
            others.add(release.version)  # People hear that it has the same images.
        if twin is not None and twin.how == "older":
            continue
        if twin is not None and twin.how != "settled":
            newest = newest or (release if twin.how == "running" else None)
            break
        done = twin.settled.at if twin is not None and twin.settled is not None else done
        if done is not None:
            newest, decided = newest or release, max(decided or done, done)
        elif _may_come_after(decided, found):
            others.add(release.version)
    by = newest or view.current
    if by is None:
        return None
    releases = tuple(release for release in overtaken(view, by) if release.version not in others)
    return (by, releases) if releases else None


def overtaken(view: Snapshot, by: Release) -> tuple[Release, ...]:
    """Return the releases older than `by` that automation would have deployed here, and that were never started."""
    decided = {deployment.version for deployment in view.deployments} | set(view.state.settled) | {by.version}
    if view.state.current and view.state.current.version:
        decided.add(view.state.current.version)
    # Everything before the oldest claim that was read has been decided. This does not hold for records of skipped
    # releases, which are written some at a time.
    claims = [
        item.created_at for item in view.deployments if item.phase is not Phase.SUPERSEDED or item.plan or item.is_head
    ]
    horizon = min(claims or [item.created_at for item in view.deployments], default=None)
    horizon = None if view.complete_history else horizon
    found = []
    for release in view.releases:
        brought = trigger(view, release)
        if brought is None or release.order >= by.order or release.version in decided or view.name in release.verified:
            continue
        if horizon is None or brought.since is None or brought.since > horizon:
            found.append(release)
    return tuple(found)


@dataclass(frozen=True)
class Hopeless:
    """A semver tag that will never start a deployment."""

    release: Release
    why: str


def hopeless(view: Snapshot, now: datetime) -> Hopeless | None:
    """Return a release whose semver tag must be refused: it failed in `promoteFrom`, or waited too long for it."""
    source, environment = view.source, view.environment
    if environment.promote_from is None or "tag" not in environment.triggers:
        return None
    for release in view.releases:
        brought = trigger(view, release)
        settled = _left(release, environment.promote_from, source)
        if brought is None or brought.tag is None or (settled is None and environment.promote_from in release.verified):
            continue
        if runs_or_is_older(view, release) or _done_with(view, release) is not None or twin_of(view, release):
            continue
        if view.state.active is not None and view.state.active.version == release.version:
            continue  # It is being deployed; admit_deployment refuses it.
        if settled is not None:
            return Hopeless(release, f"it ended {settled.phase} in {environment.promote_from} ({settled.reason})")
        if release.named_at is not None and release.named_at + environment.tag_wait <= now:
            waited = span(environment.tag_wait.total_seconds())
            return Hopeless(release, f"{environment.promote_from} has not verified it within {waited}")
    return None
