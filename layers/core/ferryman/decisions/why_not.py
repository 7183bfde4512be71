"""Why a release that is newer than what runs, or was asked for, does not run: the reason as data. Pure.

`decisions.explain` puts it into words; nothing decides on the words.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.decisions import candidates
from ferryman.decisions.candidates import Trigger, trigger
from ferryman.decisions.freeze_windows import Frozen, frozen
from ferryman.decisions.promotion_gate import SCANS, Waits, kept_back
from ferryman.decisions.same_images import Twin, twin_of
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import EnvironmentState, Phase, Release, ReleaseStatus, Settled

Reason = Literal[
    "Deploying",
    "AwaitingApproval",
    "Requested",
    "Held",
    "Frozen",
    "RetryAfter",
    "Next",
    "NoTrigger",
    "WaitsForTag",
    "WaitsForSource",
    "Soaking",
    "ScanMissing",
    "ScanPending",
    "ScanBlocked",
    "ScanDenied",
    "Settled",
    "SameImages",
    "Superseded",
    "Assembling",
]
"""Why a newer release does not run."""


@dataclass(frozen=True)
class WhyNot:
    """Why one release does not run, and what that follows from."""

    release: Release
    reason: Reason
    until: datetime | None = None
    """When the wait ends, where that is known."""
    trigger: Trigger | None = None
    """What brings the release here by itself."""
    waits: Waits | None = None
    """What the gate of a promotion says. Of scans: what reconcile saw; None when it has not looked yet."""
    settled: Settled | None = None
    """How it ended here. None with the reason Settled: it ran here and a person left it."""
    successor: str | None = None
    """The newer version that takes its place."""
    freeze: Frozen | None = None
    """Why nothing may start, of a release that only that keeps back."""
    twin: Twin | None = None
    """The other release that has the same images."""
    replaces: bool = False
    """Whether it takes the place of the deployment that waits for approval."""


def why_not(view: Snapshot, now: datetime) -> list[WhyNot]:
    """Return every release that could run here and does not, newest first, each with the reason.

    `view.scans` may be empty: what scans say is what reconcile wrote down when it looked (`state.waiting_for`).
    """
    releases = list(view.releases)
    ours = {release.version for release in newer_releases(view.state, releases)}
    found: list[WhyNot] = []
    coming: str | None = None
    for release in sorted(after(view.state, releases), key=lambda release: release.order, reverse=True):
        # A fresh semver tag, or a fresh proof, brings also what is older than Ferryman here.
        if release.version not in ours and trigger(view, release) is None:
            continue
        found.append(_of_release(view, release, now, coming))
        coming = coming or (release.version if _leads(view, found[-1]) else None)
    return found


def newer_releases(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs, newest first; what was complete before Ferryman is no candidate."""
    found = [r for r in after(state, releases) if r.status is not ReleaseStatus.BASELINE and not _before_us(state, r)]
    return sorted(found, key=lambda release: release.order, reverse=True)


def after(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs; everything, when what runs is no release."""
    running = next((r for r in releases if state.current and r.version == state.current.version), None)
    return [r for r in releases if running is None or r.order > running.order]


def _before_us(state: EnvironmentState, release: Release) -> bool:
    return bool(state.adopted_at and release.ready_at and release.ready_at <= state.adopted_at)


def _leads(view: Snapshot, found: WhyNot) -> bool:
    """Tell whether automation passes older releases over for this one."""
    brought = trigger(view, found.release)
    if found.twin is not None and found.twin.how == "older":
        return False
    if brought is None:
        return found.reason in ("Deploying", "AwaitingApproval", "Requested")
    return brought.by == "push" or found.reason not in ("WaitsForSource", "Soaking", *SCANS)


def _of_release(view: Snapshot, release: Release, now: datetime, coming: str | None) -> WhyNot:
    """`coming` is the newest release that automation brings, if it is newer than this one."""
    version, state = release.version, view.state
    if state.active is not None and state.active.version == version:
        if awaits_approval(view):
            return WhyNot(release, "AwaitingApproval", view.approval.expires_at if view.approval else None)
        return WhyNot(release, "Deploying")
    if state.requested is not None and state.requested.version == version:
        return WhyNot(release, "Requested")
    if release.status in (ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE):
        return WhyNot(release, "Assembling")
    settled = candidates.done_for(view, release)
    if settled is not None and settled.retry_at is not None and coming is None:
        return WhyNot(release, "RetryAfter", settled.retry_at, settled=settled)
    twin = twin_of(view, release) if settled is None else None
    if twin is not None:
        return WhyNot(release, "SameImages", settled=twin.settled, twin=twin)
    if settled is not None or view.name in release.verified:
        return WhyNot(release, "Settled", settled=settled)
    successor = _successor(view, version) or coming
    if successor is not None and not _expected(view, version, now):
        return WhyNot(release, "Superseded", successor=successor)
    brought, waits = trigger(view, release), kept_back(view, release, now)
    if waits is not None and (brought is not None or waits.reason == "WaitsForSource"):
        return _waiting(view, release, brought, waits)
    if brought is None:
        return WhyNot(release, "WaitsForTag" if "tag" in view.environment.triggers else "NoTrigger")
    return _ready(view, release, brought, now)


def _waiting(view: Snapshot, release: Release, brought: Trigger | None, waits: Waits) -> WhyNot:
    if waits.reason == "WaitsForSource":
        tagged = brought is not None and brought.tag is not None and waits.left is None
        until = release.named_at + view.environment.tag_wait if tagged and release.named_at is not None else None
        return WhyNot(release, waits.reason, until, brought, waits)
    if waits.reason in SCANS and release.version not in view.scans:
        seen = view.state.waiting_for
        known = next((item for item in SCANS if seen and seen.version == release.version and seen.reason == item), None)
        if seen is None or known is None:
            return WhyNot(release, "ScanPending", trigger=brought)
        return WhyNot(release, known, trigger=brought, waits=Waits(known, seen.message))
    return WhyNot(release, waits.reason, waits.until, brought, waits)


def _ready(view: Snapshot, release: Release, brought: Trigger, now: datetime) -> WhyNot:
    """Return what keeps a release that nothing keeps back by itself."""
    if view.state.hold is not None:
        return WhyNot(release, "Held", trigger=brought)
    if view.state.active is not None:
        replaces = awaits_approval(view) and view.environment.on_newer == "replace"
        return WhyNot(release, "Next", trigger=brought, replaces=replaces)
    freeze = frozen(view.environment, view.state, now)
    if freeze is not None:
        return WhyNot(release, "Frozen", freeze.until, brought, freeze=freeze)
    return WhyNot(release, "Next", trigger=brought)


def awaits_approval(view: Snapshot) -> bool:
    """Tell whether the deployment under way waits for people to say yes."""
    return view.deployment is not None and view.deployment.phase is Phase.AWAITING_APPROVAL


def _expected(view: Snapshot, version: str, now: datetime) -> bool:
    """Tell whether automation would bring a version next, or waits just for its gate: also an older one, named anew."""
    outlook = candidates.outlook(view, now)
    return any(item is not None and item.release.version == version for item in (outlook.ready, outlook.waiting))


def _successor(view: Snapshot, version: str) -> str | None:
    """Return what superseded a version, if that was the last thing that happened to it."""
    last = next((item for item in view.deployments if item.version == version), None)
    return last.superseded_by if last is not None and last.phase is Phase.SUPERSEDED else None
