"""Decide what to do next about one environment. Pure; `controller.execute` carries it out.

`decide` returns the one act that is due, or else observations to record. Deciding again on the result returns nothing
new, even when several runs decide at once. The rules are numbered as in docs/reference/reconcile-rules.md.
"""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from ferryman.decisions import candidates, conditions, health, hold_end, listing, pending_approval, same_images
from ferryman.decisions.actions import (
    Act,
    Action,
    Complete,
    Dismiss,
    DropClaim,
    EndApproval,
    NoteSameImages,
    Observe,
    Redrive,
    RefuseTag,
    RepairTags,
    ReportWaiting,
    RequeueAfter,
    Start,
    Supersede,
)
from ferryman.decisions.candidates import Candidate, Hopeless, overtaken, passed_over
from ferryman.decisions.freeze_windows import Frozen, frozen
from ferryman.decisions.outcome import all_passed, conclusive, judge
from ferryman.decisions.promotion_gate import Waits, kept_back, wish_kept_back
from ferryman.decisions.snapshot import Execution, Snapshot
from ferryman.records import VOID, Actor, Deployment, Phase, Release, ReleaseStatus, Request
from ferryman.suggestions import suggest

OBSERVED_EVERY = timedelta(minutes=1)
"""How often `reconciledAt` is refreshed at most."""
_TAGS_SOON = 5
"""Seconds: moving tags are repaired faster than that."""


def decide(view: Snapshot, now: datetime) -> list[Action]:
    """Return what to do about an environment; nothing when it is as it should be."""
    due = hold_end.due(view.state, now) or (_active(view, now) if view.state.active else _idle(view, now))
    if isinstance(due, Start) and view.state.tagging_until is not None and view.state.tagging_until > now:
        due = RequeueAfter(_TAGS_SOON)  # A deployment moves tags, too: one at a time.
    if due is not None and not isinstance(due, RequeueAfter):
        return [due]
    actions: list[Action] = [*_observe(view, now), *_repair_tags(view)]
    return [*actions, due] if due is not None else actions


def _active(view: Snapshot, now: datetime) -> Act | RequeueAfter | None:
    """Rules 1, 2 and 4: a claim is driven on, completed or released, never stolen; a running one is left alone."""
    deployment = view.deployment
    if deployment is None or view.execution is None:
        return None
    if view.execution is Execution.RUNNING:
        return _running(view, now)
    if deployment.phase.terminal:
        ended = view.execution_ended_at or deployment.ended_at or now
        wait = (ended + view.mutation_timeout - now).total_seconds()
        return DropClaim() if wait <= 0 else RequeueAfter(math.ceil(wait))
    if view.execution is Execution.MISSING:
        return Redrive()
    if view.approval is not None and view.approval.status == "Pending":
        # No step waits for the answer any more, so links and buttons must close.
        return EndApproval("Aborted", "the execution that requested it has ended", "ferryman")
    return _unrecorded(deployment, view.execution)


def _running(view: Snapshot, now: datetime) -> Act | RequeueAfter | None:
    """Rule 1: Pending is momentary, and left; AwaitingApproval may be superseded, or expire.

    It may take days, so people hear meanwhile of tags that are refused.
    """
    due = pending_approval.due(view, now)
    if view.approval is None or (due is not None and not isinstance(due, int)):
        return RequeueAfter(due) if isinstance(due, int) else due
    refused = candidates.hopeless(view, now)
    if refused is not None:
        return _refuse_tag(refused)
    return RequeueAfter(due) if due is not None else None


def _unrecorded(deployment: Deployment, execution: Execution) -> Complete:
    if all_passed(deployment):
        return Complete(Phase.SUCCEEDED, "Verified", f"{deployment.version} is running and passed its checks.")
    where = (
        f"Check what is running ({suggest('explain', deployment.environment, p=deployment.platform)}), then run "
        f"{suggest('resume', deployment.environment, p=deployment.platform)} and push or retry."
    )
    if deployment.abort is not None:
        who, why = deployment.abort.who, deployment.abort.reason
        return Complete(
            Phase.ABORTED,
            "AbortRequested",
            f"{who} aborted the deployment: {why}. {where}",
            hold=f"{who} aborted {deployment.version}: {why}",
        )
    if execution is Execution.ABORTED:
        return Complete(
            Phase.ABORTED,
            "ExecutionAborted",
            f"Somebody aborted the execution in Step Functions. Services may be partly updated. {where}",
            hold=f"the execution of {deployment.version} was aborted in Step Functions",
        )
    if conclusive(deployment):
        # Only the last step was lost: the recorded steps show the outcome.
        told = judge(deployment, None)
        return Complete(told.phase, told.reason, told.message, hold=told.hold, settle=told.settle)
    return Complete(
        Phase.ERRORED,
        "ExecutionEnded",
        "The execution ended without recording an outcome. The next deployment continues from what its services run.",
    )


def _idle(view: Snapshot, now: datetime) -> Act | RequeueAfter | None:
    """Rules 3, 5 and 6: what a person asked for, else the newest release, unless held, settled or not yet due."""
    state = view.state
    freeze = frozen(view.environment, state, now)
    asked = _requested(view, freeze, now)
    if asked is not None and not isinstance(asked, RequeueAfter):
        return asked
    same = _same_images(view)
    if same is not None:
        return same
    passed = passed_over(view)
    if passed is not None:
        return Supersede(_versions(passed[1]), passed[0].version)
    refused = candidates.hopeless(view, now)
    if refused is not None:
        return _refuse_tag(refused)
    outlook = candidates.outlook(view, now)
    told = _unreported(view, outlook.waiting)
    if told is not None:
        return told
    if state.hold is not None:
        return hold_end.looked_at_again(state, now)
    if freeze is not None:
        return RequeueAfter(math.ceil((freeze.until - now).total_seconds())) if freeze.until else None
    if outlook.ready is not None:
        return _automatic(view, outlook.ready, now)
    errored = view.errored()
    if errored is not None:
        waits = kept_back(view, errored, now) if errored != view.current else None
        if waits is None:
            return _automatic(view, Candidate(errored, "push", view.latest.tag if view.latest else None), now)
    return _redeploy(view) or asked or _later(outlook.waiting.waits if outlook.waiting else None, now)


def _refuse_tag(refused: Hopeless) -> RefuseTag:
    return RefuseTag(refused.release.version, refused.release.names[-1], refused.why)


def _unreported(view: Snapshot, waiting: Candidate | None) -> ReportWaiting | None:
    """Return a report of what a release waits for, once per reason. A soak ends by itself and is not reported."""
    waits = waiting.waits if waiting else None
    if waiting is None or waits is None or waits.reason in ("Soaking", "ScanPending"):
        return None
    if waits.reason in view.state.reported.get(waiting.release.version, ()):
        return None
    loud = waits.reason in ("ScanBlocked", "ScanMissing", "ScanDenied")
    return ReportWaiting(waiting.release.version, waits.reason, waits.message, loud)


_TOLD = ("older", "running", "settled")
"""What is told of a release with the same images as another; the others pass by themselves."""


def _same_images(view: Snapshot) -> NoteSameImages | None:
    """Return a note about a release whose images run already, were settled, or are old: once for each."""
    for release, twin in candidates.twins(view):
        if twin.how not in _TOLD or same_images.REASON in view.state.reported.get(release.version, ()):
            continue
        running = twin.release.version if twin.how == "running" else None
        message = same_images.words(view, release, twin)
        return NoteSameImages(release.version, message, proof_of=running, loud=twin.how != "running")
    return None


def _later(waits: Waits | None, now: datetime) -> RequeueAfter | None:
    if waits is None or waits.until is None:
        return None
    return RequeueAfter(math.ceil((waits.until - now).total_seconds()))


def _requested(view: Snapshot, freeze: Frozen | None, now: datetime) -> Start | Dismiss | RequeueAfter | None:
    """Decide about a person's request. It overrides hold, order and settled; it waits for its release and for a freeze.

    The promotion gate applies to it, too: it waits for obstacles that end by themselves, and is dropped for others.
    """
    request = view.state.requested
    release = view.release(request.version) if request else None
    if request is None or release is None or release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        return None
    if view.state.hold is not None and request.at < view.state.hold.at and request.kind != "rollback":
        # The hold was set after the request, so the requester did not know of it. The request starts after `resume`.
        # (A rollback sets the hold itself.)
        return None
    if freeze is not None and request.kind != "rollback" and request.command != "current":
        return None
    pointless = _pointless(request, release, view)
    if pointless is not None:
        return Dismiss(pointless)
    waits = wish_kept_back(view, now)
    if waits is not None:
        unseen = waits.reason == "ScanMissing" and release.version not in view.scans
        passes = unseen or waits.reason in ("Soaking", "ScanPending")
        return _later(waits, now) if passes else Dismiss(waits.message)
    before = view.state.settled.get(release.version)
    return Start(
        version=release.version,
        kind=request.kind,
        initiated_by=Actor(who=request.who),
        why=request.reason,
        tag=_tag_before(view, release) if request.kind == "retry" else None,
        attempts=before.attempts + 1 if before else 1,
        requested=True,
        supersede=_versions(overtaken(view, release)) if request.kind != "migrate" else (),
    )


def _tag_before(view: Snapshot, release: Release) -> str | None:
    """Return the semver tag that started the last attempt at a release: a retry is for the same tag."""
    before = view.settled(release)
    if before is not None and before.tag is not None:
        return before.tag
    tried = (item for item in view.deployments if item.version == release.version and item.kind != "migrate")
    last = next(tried, None)
    return last.tag if last is not None else None


def _pointless(request: Request, release: Release, view: Snapshot) -> str | None:
    """Return why a request that waited for a deployment's end must not start any more, or None.

    What runs now may be newer than the requested release, and only a rollback may go back.
    """
    current = view.state.current
    if current is None or request.kind == "rollback":
        return None
    if request.kind in ("redeploy", "migrate") and current.version != request.version:
        return f"{current.version or 'something else'} is running now, not {request.version}"
    if request.kind in ("retry", "deploy") and view.current is not None and release.order <= view.current.order:
        return f"{current.version} is running now, and {request.version} is not newer"
    return None


_WHY = {
    "push": "all its images were pushed",
    "promotion": "it was verified in the environment that it is promoted from",
    VOID: "the approval of the last attempt no longer held",
}


def _automatic(view: Snapshot, coming: Candidate, now: datetime) -> Start | RequeueAfter:
    candidate = coming.release
    before = view.settled(candidate)
    if before is None or before.retry_at is None:
        # A settled release without a retry time is a candidate only when its refused tag was added again.
        return Start(
            version=candidate.version,
            kind="deploy",
            initiated_by=Actor(who=coming.by, automated=True),
            why=_WHY.get(coming.by, f"all its images carry the {coming.by}"),
            tag=coming.tag,
            supersede=_versions(overtaken(view, candidate)),
        )
    wait = (before.retry_at - now).total_seconds()
    if wait > 0:
        return RequeueAfter(math.ceil(wait))
    return Start(
        version=candidate.version,
        kind="redeploy" if candidate == view.current else "retry",
        initiated_by=Actor(who="reconcile", automated=True),
        why=_WHY.get(before.reason, f"attempt {before.attempts} errored ({before.reason})"),
        on_behalf_of=before.requested_by,
        attempts=before.attempts + 1,
        tag=coming.tag,
        supersede=_versions(overtaken(view, candidate)),
    )


def _redeploy(view: Snapshot) -> Start | None:
    """Redeploy for a changed base task definition, if the document says `onBaseChange: deploy`."""
    current = view.current
    changed = conditions.untried_bases(view)
    if not changed or current is None or view.environment.on_base_change != "deploy" or view.settled(current):
        return None
    return Start(
        version=current.version,
        kind="redeploy",
        initiated_by=Actor(who="reconcile", automated=True),
        why=f"the base task definition of {', '.join(changed)} changed",
    )


def _observe(view: Snapshot, now: datetime) -> list[Action]:
    state = view.state
    seen = Observe(
        conditions.observed(view, now),
        conditions.waiting_since(view, now),
        conditions.waiting_for(view, now),
        view.generation,
        health.observed(view, now),
    )
    before = Observe(state.conditions, state.waiting_since, state.waiting_for, state.observed_generation, state.health)
    stale = view.swept and (state.reconciled_at is None or now - state.reconciled_at >= OBSERVED_EVERY)
    return [replace(seen, listed=listing.listed(view, now))] if stale or seen != before else []


def _repair_tags(view: Snapshot) -> list[Action]:
    """Rule 9: after every attempt, and whenever a sweep finds a wrong tag; never during a deployment."""
    if view.state.active is not None:
        return []
    latest = view.latest.id if view.latest else view.state.tagged
    if not view.wrong_tags and latest == view.state.tagged:
        return []
    return [RepairTags(view.wrong_tags, latest)]


def _versions(releases: tuple[Release, ...]) -> tuple[str, ...]:
    return tuple(release.version for release in releases)
