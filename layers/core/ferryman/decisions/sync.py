"""Whether an environment runs what it should, and if not, why not: one word, one reason. Pure.

`decisions.why_not` gives the reason of each release; this module says which of them counts. The table of all reasons is
in docs/reference/vocabulary.md.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.snapshot import Snapshot
from ferryman.decisions.why_not import Reason, WhyNot, awaits_approval
from ferryman.records import Record

Status = Literal["Synced", "Pending", "Waiting", "Held", "Frozen", "Failed", "Drifted"]

STATUS: dict[Reason, Status | None] = {
    "Deploying": "Pending",
    "Requested": "Pending",
    "Next": "Pending",
    "RetryAfter": "Pending",
    "AwaitingApproval": "Waiting",
    "Assembling": "Waiting",
    "WaitsForSource": "Waiting",
    "Soaking": "Waiting",
    "ScanMissing": "Waiting",
    "ScanPending": "Waiting",
    "ScanBlocked": "Waiting",
    "ScanDenied": "Waiting",
    "Held": "Held",
    "Frozen": "Frozen",
    "Settled": "Failed",
    "SameImages": None,
    "Superseded": None,
    "WaitsForTag": None,
    "NoTrigger": None,
}
"""What the reason of the newest wanted release means. None: nothing wants that release here, so the next one counts."""


class Sync(Record):
    """Whether an environment runs what it should."""

    status: Status
    reason: str
    message: str
    version: str | None = None
    """The release that it is about; None when it is about none."""


@dataclass(frozen=True)
class Found:
    """What `judge_sync` found; `decisions.explain` words it."""

    status: Status
    reason: str
    why: WhyNot | None = None
    """The release that it is about."""


def judge_sync(view: Snapshot, releases: list[WhyNot], freeze: Frozen | None) -> Found:
    """Return why the newest wanted release does not run, or that it does.

    `releases` are those of `why_not`, newest first; `freeze` is what is in force now. What is under way, and what a
    person asked for, counts before anything newer.
    """
    state = view.state
    if state.active is not None:
        why = next((item for item in releases if item.release.version == state.active.version), None)
        return (
            Found("Waiting", "AwaitingApproval", why) if awaits_approval(view) else Found("Pending", "Deploying", why)
        )
    if state.requested is not None:
        return _requested(view, releases, freeze)
    for why in releases:
        found = _of(view, why, freeze)
        if found is not None:
            return found
    if view.errored() is not None:
        return _retried(view, None, freeze)  # What runs already was deployed again, and that errored.
    if state.current is None:
        return Found("Waiting", "NothingDeployed")
    drifted = state.condition("Drifted")
    if drifted is not None and drifted.status == "True":
        return Found("Drifted", drifted.reason)
    return Found("Synced", "UpToDate")


def _requested(view: Snapshot, releases: list[WhyNot], freeze: Frozen | None) -> Found:
    """A request passes a hold that it came after, and a rollback passes everything (`decisions.decide`)."""
    request, hold = view.state.requested, view.state.hold
    assert request is not None
    why = next((item for item in releases if item.release.version == request.version), None)
    if request.kind != "rollback":
        if hold is not None and request.at < hold.at:
            return Found("Held", "Held", why)
        if freeze is not None and request.command != "current":
            return Found("Frozen", freeze.reason, why)
    return Found("Pending", "Requested", why)


def _of(view: Snapshot, why: WhyNot, freeze: Frozen | None) -> Found | None:
    """Return what one release means; None when nothing wants it here."""
    if why.twin is not None:
        failed = why.twin.settled if why.twin.how == "settled" else None
        return Found("Failed", str(failed.phase), why) if failed is not None else None
    status = STATUS[why.reason]
    if status is None or not _wanted(view, why):
        return None
    if why.reason == "Settled":
        if why.settled is None:
            return None  # A person went back from it: what runs is what they wanted.
        reason = "TagRefused" if why.settled.reason == TAG_REFUSED else str(why.settled.phase)
        return Found("Failed", reason, why)
    if why.reason == "RetryAfter":
        return _retried(view, why, freeze)
    if why.reason == "Frozen" and freeze is not None:
        return Found("Frozen", freeze.reason, why)
    return Found(status, why.reason, why)


def _wanted(view: Snapshot, why: WhyNot) -> bool:
    """Tell whether anything would start a release here, of those that nothing may start yet.

    What is not complete, or not verified, has no trigger yet. Where only a tag starts something, it is wanted once it
    is tagged; what failed where it should be verified is not, unless somebody tagged it all the same.
    """
    triggers = view.environment.triggers
    if why.reason == "Assembling":
        return "push" in triggers or "promotion" in triggers or ("tag" in triggers and bool(why.release.names))
    if why.reason == "WaitsForSource" and why.trigger is None:
        return "promotion" in triggers and (why.waits is None or why.waits.left is None)
    return True


def _retried(view: Snapshot, why: WhyNot | None, freeze: Frozen | None) -> Found:
    """A hold stops another attempt, and a freeze delays it."""
    if view.state.hold is not None:
        return Found("Held", "Held", why)
    if freeze is not None:
        return Found("Frozen", freeze.reason, why)
    return Found("Pending", "RetryAfter", why)
