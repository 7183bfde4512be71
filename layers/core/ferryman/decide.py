"""What to do next about one environment: DESIGN.md, "The reconcile contract". Pure; `ferryman.acts` carries it out.

`decide` gives the one act that is due, or else observations to be written down. Deciding again on the result gives
nothing new, whoever else decided meanwhile.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ferryman import awaiting, candidates, conditions
from ferryman.awaiting import EndApproval, RemindApprovers, TellMachine
from ferryman.candidates import Candidate, Hopeless, overtaken
from ferryman.freeze import frozen
from ferryman.judgement import all_passed, conclusive, judge
from ferryman.records import Actor, Condition, Deployment, Phase, Release, ReleaseStatus, Request
from ferryman.view import Execution, TagSetting, View

OBSERVED_EVERY = timedelta(minutes=1)
"""How often `reconciledAt` is refreshed at most."""


@dataclass(frozen=True)
class Start:
    """Claim the environment for a version and start its execution."""

    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback", "migrate"]
    initiated_by: Actor
    why: str
    tag: str | None = None
    """The semver tag that starts it."""
    attempts: int = 1
    requested: bool = False
    """Whether this answers the person's request that the state holds."""
    supersede: tuple[str, ...] = ()
    """Versions that it skips."""


@dataclass(frozen=True)
class Redrive:
    """Start the execution of a claim that has none, under the same name and with the same input."""


@dataclass(frozen=True)
class Complete:
    """Record the outcome of a deployment whose execution ended without one."""

    phase: Phase
    reason: str
    message: str
    hold: str | None = None


@dataclass(frozen=True)
class DropClaim:
    """Drop the claim of a deployment that ended."""


@dataclass(frozen=True)
class Supersede:
    """Record that releases will never run here because a newer one already does."""

    versions: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Dismiss:
    """Drop a person's request that what happened since made pointless."""

    why: str


@dataclass(frozen=True)
class RefuseTag:
    """Settle a release whose semver tag will not start it any more, and tell people why."""

    version: str
    name: str
    why: str


@dataclass(frozen=True)
class ReportWaiting:
    """Tell people, once per reason, what a release waits for."""

    version: str
    reason: str
    message: str
    loud: bool
    """A message to the channels, not just a line in the timeline."""


@dataclass(frozen=True)
class Observe:
    """Write down what was seen."""

    conditions: list[Condition]
    waiting_since: datetime | None
    generation: int


@dataclass(frozen=True)
class RepairTags:
    """Point the moving tags at what runs, and remember for which deployment that was done."""

    settings: tuple[TagSetting, ...]
    deployment: str | None


@dataclass(frozen=True)
class RequeueAfter:
    """Look again after some seconds."""

    seconds: int


Act = (
    Start
    | Redrive
    | Complete
    | DropClaim
    | Supersede
    | Dismiss
    | RefuseTag
    | ReportWaiting
    | EndApproval
    | RemindApprovers
    | TellMachine
)
Action = Act | Observe | RepairTags | RequeueAfter


def decide(view: View, now: datetime) -> list[Action]:
    """Return what to do about an environment; nothing when it is as it should be."""
    due = _active(view, now) if view.state.active else _idle(view, now)
    if due is not None and not isinstance(due, RequeueAfter):
        return [due]
    actions: list[Action] = [*_observe(view, now), *_repair_tags(view)]
    return [*actions, due] if due is not None else actions


def _active(view: View, now: datetime) -> Act | RequeueAfter | None:
    """Rules 1, 2 and 4: a claim is driven on, completed or released, never stolen; a running one is left alone."""
    deployment = view.deployment
    if deployment is None or view.execution is None:
        return None
    if view.execution is Execution.RUNNING:
        # Rule 1: Pending is momentary, and left; AwaitingApproval may be superseded, or expire.
        due = awaiting.due(view, now)
        return RequeueAfter(due) if isinstance(due, int) else due
    if deployment.phase.terminal:
        ended = view.execution_ended_at or deployment.ended_at or now
        wait = (ended + view.mutation_timeout - now).total_seconds()
        return DropClaim() if wait <= 0 else RequeueAfter(math.ceil(wait))
    if view.execution is Execution.MISSING:
        return Redrive()
    return _unrecorded(deployment, view.execution)


def _unrecorded(deployment: Deployment, execution: Execution) -> Complete:
    if all_passed(deployment):
        return Complete(Phase.SUCCEEDED, "Verified", f"{deployment.version} runs and passed its checks.")
    where = (
        f"Look at what runs (`ferryman explain {deployment.environment}`), then `ferryman resume` and push or retry."
    )
    if deployment.abort is not None:
        who, why = deployment.abort.who, deployment.abort.reason
        return Complete(
            Phase.ABORTED,
            "AbortRequested",
            f"{who} aborted it: {why}. {where}",
            hold=f"{who} aborted {deployment.version}: {why}",
        )
    if execution is Execution.ABORTED:
        return Complete(
            Phase.ABORTED,
            "ExecutionAborted",
            f"Somebody aborted the execution in Step Functions; services may be half way. {where}",
            hold=f"the execution of {deployment.version} was aborted in Step Functions",
        )
    if conclusive(deployment):
        # Only the finish was lost: the steps say it all.
        told = judge(deployment, None)
        return Complete(told.phase, told.reason, told.message, hold=told.hold)
    return Complete(
        Phase.ERRORED,
        "ExecutionEnded",
        "The execution ended without telling how the deployment went; the next deployment takes its services on.",
    )


def _idle(view: View, now: datetime) -> Act | RequeueAfter | None:
    """Rules 3, 5 and 6: what a person asked for, else the newest release, unless held, settled or not yet due."""
    state = view.state
    asked = _requested(view)
    if asked is not None:
        return asked
    current = view.current
    passed_by = overtaken(view, current) if current else ()
    if current and passed_by:
        return Supersede(tuple(release.version for release in passed_by), current.version)
    refused = candidates.hopeless(view, now)
    if refused is not None:
        return _refuse_tag(refused)
    outlook = candidates.outlook(view, now)
    told = _untold(view, outlook.waiting)
    if told is not None:
        return told
    if state.hold is not None:
        return None
    freeze = frozen(view.environment, state, now)
    if freeze is not None:
        return RequeueAfter(math.ceil((freeze.until - now).total_seconds())) if freeze.until else None
    if outlook.ready is not None:
        return _automatic(view, outlook.ready, now)
    errored = view.errored()
    if errored is not None:
        return _automatic(view, Candidate(errored, "push", view.latest.tag if view.latest else None), now)
    return _redeploy(view) or _later(outlook.waiting, now)


def _refuse_tag(refused: Hopeless) -> RefuseTag:
    return RefuseTag(refused.release.version, refused.release.names[-1], refused.why)


def _untold(view: View, waiting: Candidate | None) -> ReportWaiting | None:
    """People hear once of each thing that a release waits for; a soak ends by itself and needs no telling."""
    waits = waiting.waits if waiting else None
    if waiting is None or waits is None or waits.reason in ("Soaking", "ScanPending"):
        return None
    if view.state.reported.get(waiting.release.version) == waits.reason:
        return None
    loud = waits.reason in ("ScanBlocked", "ScanMissing")
    return ReportWaiting(waiting.release.version, waits.reason, waits.message.replace("ENV", view.name), loud)


def _later(waiting: Candidate | None, now: datetime) -> RequeueAfter | None:
    until = waiting.waits.until if waiting and waiting.waits else None
    return RequeueAfter(math.ceil((until - now).total_seconds())) if until else None


def _requested(view: View) -> Start | Dismiss | None:
    """A person's wish is stronger than hold, order and settled; it waits until its release is complete."""
    request = view.state.requested
    release = view.release(request.version) if request else None
    if request is None or release is None or release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        return None
    if view.state.hold is not None and request.at < view.state.hold.at and request.kind != "rollback":
        # The hold came later: whoever asked did not know why automation would be stopped. It starts after `resume`.
        # (A rollback puts the hold there itself.)
        return None
    pointless = _pointless(request, release, view)
    if pointless is not None:
        return Dismiss(pointless)
    before = view.state.settled.get(release.version)
    return Start(
        version=release.version,
        kind=request.kind,
        initiated_by=Actor(who=request.who),
        why=request.reason,
        attempts=before.attempts + 1 if before else 1,
        requested=True,
        supersede=_versions(overtaken(view, release)) if request.kind != "migrate" else (),
    )


def _pointless(request: Request, release: Release, view: View) -> str | None:
    """Why a request that waited for a deployment's end must not start any more, or None.

    Neither retry nor redeploy is a wish to go back: what runs by now may be newer than what was asked for.
    """
    current = view.state.current
    if current is None or request.kind in ("deploy", "rollback", "migrate"):
        return None
    if request.kind == "redeploy" and current.version != request.version:
        return f"{current.version or 'something else'} runs by now, not {request.version}"
    if request.kind == "retry" and view.current is not None and release.order <= view.current.order:
        return f"{current.version} runs by now, and {request.version} is not newer"
    return None


_WHY = {"push": "all its images were pushed", "promotion": "it was verified where it is promoted from"}


def _automatic(view: View, coming: Candidate, now: datetime) -> Start | RequeueAfter:
    candidate = coming.release
    before = view.settled(candidate)
    if before is None:
        return Start(
            version=candidate.version,
            kind="deploy",
            initiated_by=Actor(who=coming.by, automated=True),
            why=_WHY.get(coming.by, f"all its images carry the {coming.by}"),
            tag=coming.tag,
            supersede=_versions(overtaken(view, candidate)),
        )
    assert before.retry_at is not None
    wait = (before.retry_at - now).total_seconds()
    if wait > 0:
        return RequeueAfter(math.ceil(wait))
    return Start(
        version=candidate.version,
        kind="redeploy" if candidate == view.current else "retry",
        initiated_by=Actor(who="reconcile", automated=True),
        why=f"attempt {before.attempts} errored ({before.reason})",
        attempts=before.attempts + 1,
        tag=coming.tag,
        supersede=_versions(overtaken(view, candidate)),
    )


def _redeploy(view: View) -> Start | None:
    """Bring a changed base task definition to what runs, where the document wants that done by itself."""
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


def _observe(view: View, now: datetime) -> list[Action]:
    state = view.state
    seen = Observe(conditions.observed(view, now), conditions.waiting_since(view, now), view.generation)
    same = (state.conditions, state.waiting_since, state.observed_generation) == (
        seen.conditions,
        seen.waiting_since,
        seen.generation,
    )
    stale = view.swept and (state.reconciled_at is None or now - state.reconciled_at >= OBSERVED_EVERY)
    return [seen] if stale or not same else []


def _repair_tags(view: View) -> list[Action]:
    """Rule 9: after every attempt, and whenever a sweep finds one wrong; never while something is on its way."""
    if view.state.active is not None:
        return []
    latest = view.latest.id if view.latest else view.state.tagged
    if not view.wrong_tags and latest == view.state.tagged:
        return []
    return [RepairTags(view.wrong_tags, latest)]


def _versions(releases: tuple[Release, ...]) -> tuple[str, ...]:
    return tuple(release.version for release in releases)
