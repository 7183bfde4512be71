"""Carrying out what `ferryman.decide` decided. Every act is one conditional write, or safe to do twice; or both.

Called by reconcile. A lost race raises Conflict: read again, decide again.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from ferryman import executions, messages, moving_tags, outcome, timeline
from ferryman.approvals import endings
from ferryman.awaiting import EndApproval, RemindApprovers, TellMachine
from ferryman.contracts import DeploymentRef, ExecutionInput
from ferryman.decide import (
    Action,
    Complete,
    Dismiss,
    DropClaim,
    Observe,
    Redrive,
    RefuseTag,
    RepairTags,
    ReportWaiting,
    RequeueAfter,
    Start,
    Supersede,
)
from ferryman.ecr import Refusal
from ferryman.errors import PermanentError
from ferryman.ids import Clock, NewId
from ferryman.judgement import ROLLBACK_FAILED, Judgement
from ferryman.nudge import LONGEST_DELAY
from ferryman.platform import Platform
from ferryman.records import Active, Actor, Deployment, EnvironmentState, EventType, Phase, Release, Settled
from ferryman.releases import Count, Nudges
from ferryman.store import Store
from ferryman.view import View
from ferryman.writes import Save, Write

SUPERSEDED_AT_ONCE = 40
"""Two writes each, and DynamoDB takes 100 in one transaction."""

_LOG = logging.getLogger("ferryman")


@dataclass(frozen=True)
class Hands:
    """What acting needs."""

    store: Store
    states: Any
    ecr: Any
    nudge: Nudges
    machine: str
    """ARN of the `deploy` machine."""
    migrate_machine: str
    """ARN of the `migrate` machine."""
    clock: Clock
    new_id: NewId
    count: Count


def carry_out(  # noqa: C901 - one arm per act
    action: Action, view: View, document: Platform, hands: Hands
) -> str | None:
    """Do one thing; return the name of the execution that it started, if any. Raise Conflict when a race is lost."""
    match action:
        case Start():
            return _start(action, view, hands)
        case Redrive():
            return _redrive(view, hands)
        case Complete():
            _complete(action, view, hands)
        case DropClaim():
            _drop_claim(view, hands)
        case Supersede():
            by = view.release(action.by)
            _supersede(action.versions, by, view, hands)
        case Dismiss():
            _dismiss(action, view, hands)
        case RefuseTag():
            _refuse_tag(action, view, hands)
        case ReportWaiting():
            _report(action, view, hands)
        case EndApproval():
            endings.end(action, view, store=hands.store, clock=hands.clock, new_id=hands.new_id)
        case RemindApprovers():
            endings.remind(view, store=hands.store, clock=hands.clock, new_id=hands.new_id)
        case TellMachine():
            endings.tell(view, store=hands.store, states=hands.states, clock=hands.clock)
        case Observe():
            after = view.state.but(
                conditions=action.conditions,
                waiting_since=action.waiting_since,
                observed_generation=action.generation,
                reconciled_at=hands.clock(),
            )
            hands.store.write(Save(after))
        case RepairTags():
            _repair(action, view, document, hands)
        case RequeueAfter():
            # Anything farther away is found by a sweep in time.
            if action.seconds <= LONGEST_DELAY:
                hands.nudge.environment(view.platform, view.name, action.seconds)
        case _:
            assert_never(action)
    return None


def _start(start: Start, view: View, hands: Hands) -> str | None:
    """Claim with one conditional write, then start. A crash in between leaves a claim that is driven again."""
    release = view.release(start.version)
    assert release is not None
    if len(start.supersede) > SUPERSEDED_AT_ONCE:
        _supersede(start.supersede, release, view, hands)
        return None
    at = hands.clock()
    skipped = _superseded(start.supersede, release, view, hands, at)
    state, deployment, active = _claim(start, release, view, hands, at)
    message = f"{start.kind} of {start.version} ({start.initiated_by.who}): {start.why}"
    claimed = timeline.event(
        deployment, EventType.CLAIMED, message, at=at, new_id=hands.new_id, who=start.initiated_by.who
    )  # fmt: skip
    hands.store.write(Save(state), Save(deployment), claimed, *skipped)
    hands.count("DeploymentClaimed")
    _LOG.info("claimed: %s", message, extra=_ids(view, deployment.id))
    executions.ensure_started(hands.states, _machine(start.kind, hands), active.execution_name, active.input)
    return active.execution_name


def _claim(
    start: Start, release: Release, view: View, hands: Hands, at: datetime
) -> tuple[EnvironmentState, Deployment, Active]:
    state = view.state
    own_id, fence = hands.new_id(), state.fence + 1
    name = executions.name_of(view.platform, view.name, own_id)
    arn = executions.arn_of(_machine(start.kind, hands), name)
    asked = state.requested if start.requested else None
    payload = ExecutionInput(platform=view.platform, environment=view.name, deployment=own_id, fence=fence)
    active = Active(
        deployment=own_id,
        version=release.version,
        fence=fence,
        execution_name=name,
        execution_arn=arn,
        input=payload.model_dump_json(by_alias=True),
        claimed_at=at,
    )
    deployment = Deployment(
        platform=view.platform,
        environment=view.name,
        id=own_id,
        version=release.version,
        kind=start.kind,
        from_version=state.current.version if state.current else None,
        digests=release.digests,
        fence=fence,
        initiated_by=start.initiated_by,
        created_at=at,
        execution_arn=arn,
        attempts=start.attempts,
        tag=start.tag,
        why=start.why,
        command=asked.command if asked else None,
        revision=asked.revision if asked else None,
    )
    requested = None if start.requested else state.requested
    return state.but(fence=fence, active=active, requested=requested), deployment, active


def _redrive(view: View, hands: Hands) -> str:
    active, deployment = view.state.active, view.deployment
    assert active is not None
    assert deployment is not None
    machine = _machine(deployment.kind, hands)
    if executions.ensure_started(hands.states, machine, active.execution_name, active.input):
        hands.count("DeploymentReDriven")
        # The operator may have been deployed anew since: the execution is one of the machine as it is now.
        arn = executions.arn_of(machine, active.execution_name)
        hands.store.write(
            Save(view.state.but(active=active.but(execution_arn=arn))),
            timeline.event(
                deployment,
                EventType.RE_DRIVEN,
                "no execution of this claim was listed; it was asked for again under the same name with the same input",
                at=hands.clock(),
                new_id=hands.new_id,
            ),
        )
    return active.execution_name


def _complete(action: Complete, view: View, hands: Hands) -> None:
    """Record the outcome at once; the claim stays until nothing of the execution can still be at work."""
    active = view.state.active
    assert active is not None
    ref = DeploymentRef(
        platform=view.platform, environment=view.name, deployment=active.deployment, fence=active.fence
    )  # fmt: skip
    judgement = Judgement(action.phase, action.reason, action.message, hold=action.hold)
    if action.phase is Phase.SUCCEEDED:
        judgement = Judgement(action.phase, action.reason, action.message, settle=False)
    outcome.record(ref, judgement, store=hands.store, clock=hands.clock, new_id=hands.new_id, release_claim=False)
    hands.count("DeploymentCompletedByReconcile")
    if action.reason == ROLLBACK_FAILED:
        hands.count(ROLLBACK_FAILED)
    _LOG.warning("the execution left no outcome: %s", action.message, extra=_ids(view, active.deployment))


def _drop_claim(view: View, hands: Hands) -> None:
    hands.store.write(Save(view.state.but(active=None)))
    active = view.state.active
    _LOG.info("claim released", extra=_ids(view, active.deployment if active else ""))


def _dismiss(action: Dismiss, view: View, hands: Hands) -> None:
    request = view.state.requested
    assert request is not None
    message = f"the {request.kind} of {request.version} that {request.who} asked for was dropped: {action.why}"
    dropped = timeline.environment_event(
        view.platform,
        view.name,
        EventType.REQUEST_DROPPED,
        message,
        at=hands.clock(),
        new_id=hands.new_id,
        who="ferryman",
    )
    hands.store.write(Save(view.state.but(requested=None)), dropped)
    _LOG.info("%s", message, extra=_ids(view, ""))


def _machine(kind: str, hands: Hands) -> str:
    return hands.migrate_machine if kind == "migrate" else hands.machine


def _refuse_tag(action: RefuseTag, view: View, hands: Hands) -> None:
    at = hands.clock()
    settled = Settled(phase=Phase.REJECTED, reason="TagRefused", at=at)
    message = f"{action.name} ({action.version}) was refused: {action.why}"
    told = timeline.environment_event(
        view.platform, view.name, EventType.TAG_REFUSED, message, at=at, new_id=hands.new_id, who="ferryman"
    )
    release = view.release(action.version)
    assert release is not None
    mails = messages.for_refused_tag(
        view.platform, view.name, action.name, action.version, action.why, view.environment.notify, at
    )
    state = view.state.but(settled={**view.state.settled, action.version: settled})
    hands.store.write(Save(state), told, *mails)
    hands.count("TagRefused")
    _LOG.warning("%s", message, extra=_ids(view, ""))


def _report(action: ReportWaiting, view: View, hands: Hands) -> None:
    at = hands.clock()
    told = timeline.environment_event(
        view.platform, view.name, EventType.WAITING, action.message, at=at, new_id=hands.new_id, who="ferryman"
    )
    channels = view.environment.notify if action.loud else []
    mails = messages.for_waiting(view.platform, view.name, action.version, action.reason, action.message, channels, at)
    known = {release.version for release in view.releases}
    before = {version: reason for version, reason in view.state.reported.items() if version in known}
    hands.store.write(Save(view.state.but(reported={**before, action.version: action.reason})), told, *mails)


def _supersede(versions: tuple[str, ...], by: Release | None, view: View, hands: Hands) -> None:
    """Write the first ones' records; the state's revision keeps a concurrent run from writing them too."""
    assert by is not None
    writes = _superseded(versions[:SUPERSEDED_AT_ONCE], by, view, hands, hands.clock())
    hands.store.write(Save(view.state), *writes)


def _superseded(versions: tuple[str, ...], by: Release, view: View, hands: Hands, at: datetime) -> list[Write]:
    writes: list[Write] = []
    for release in view.releases:
        if release.version not in versions:
            continue
        deployment = Deployment(
            platform=view.platform,
            environment=view.name,
            id=hands.new_id(),
            version=release.version,
            from_version=view.state.current.version if view.state.current else None,
            digests=release.digests,
            phase=Phase.SUPERSEDED,
            reason="Superseded",
            message=f"{by.version} is newer and went first; {release.version} never starts here by itself.",
            initiated_by=Actor(who="push", automated=True),
            created_at=at,
            ended_at=at,
            superseded_by=by.version,
        )
        event = timeline.event(deployment, EventType.ENDED, deployment.message, at=at, new_id=hands.new_id)
        writes += [Save(deployment), event]
    return writes


def _repair(action: RepairTags, view: View, document: Platform, hands: Hands) -> None:
    """Set the tags, each for itself; one that can't be set is told in the log and never stops a deployment."""
    for setting in action.settings:
        try:
            moving_tags.ensure(document, setting, hands.ecr)
        except (PermanentError, Refusal) as error:
            hands.count("MovingTagFailed")
            _LOG.error("moving tag %s not set: %s", setting.tag, error, extra=_ids(view, action.deployment or ""))
    if action.deployment != view.state.tagged:
        deployment = action.deployment
        hands.store.update_state(view.platform, view.name, lambda state: state.but(tagged=deployment))


def _ids(view: View, deployment: str) -> dict[str, str]:
    return {"platform": view.platform, "environment": view.name, "deployment": deployment}
