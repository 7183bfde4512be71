"""Claim an environment, and start, redrive, complete or drop the claim; record skipped releases.

Called by `controller.execute`. Each is one conditional write, or safe to do twice; a lost race raises Conflict.
"""

import logging
from datetime import datetime

from ferryman.clients import stepfunctions
from ferryman.contracts import DeploymentRef, ExecutionInput
from ferryman.controller.context import Context, ids
from ferryman.decisions import candidates
from ferryman.decisions.actions import Complete, Start
from ferryman.decisions.outcome import ROLLBACK_FAILED, Judgement
from ferryman.decisions.snapshot import Snapshot
from ferryman.messages import timeline
from ferryman.records import VOID, Active, Actor, Deployment, EnvironmentState, EventType, Phase, Release
from ferryman.records.writes import Save, Write

SUPERSEDED_AT_ONCE = 40
"""Two writes each, and DynamoDB takes 100 in one transaction."""

_LOG = logging.getLogger("ferryman")


def start(start: Start, view: Snapshot, context: Context) -> str | None:
    """Claim with one conditional write, then start. A crash in between leaves a claim that is driven again."""
    release = view.release(start.version)
    assert release is not None
    if len(start.supersede) > SUPERSEDED_AT_ONCE:
        supersede(start.supersede, release, view, context)
        return None
    at = context.clock()
    skipped = _superseded(start.supersede, release, view, context, at)
    state, deployment, active = _claim(start, release, view, context, at)
    message = f"{start.kind} of {start.version} ({start.initiated_by.who}): {start.why}"
    claimed = timeline.event(
        deployment, EventType.CLAIMED, message, at=at, new_id=context.new_id, who=start.initiated_by.who
    )  # fmt: skip
    context.store.write(Save(state), Save(deployment), claimed, *skipped)
    context.count("DeploymentClaimed")
    _LOG.info("claimed: %s", message, extra=ids(view, deployment.id))
    stepfunctions.ensure_started(context.states, context.machine_of(start.kind), active.execution_name, active.input)
    return active.execution_name


def _claim(
    start: Start, release: Release, view: Snapshot, context: Context, at: datetime
) -> tuple[EnvironmentState, Deployment, Active]:
    state = view.state
    own_id, fence = context.new_id(), state.fence + 1
    name = stepfunctions.name_of(view.platform, view.name, own_id)
    arn = stepfunctions.arn_of(context.machine_of(start.kind), name)
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
        requested_by=start.on_behalf_of or (None if _tries_again(start) else start.initiated_by),
        created_at=at,
        execution_arn=arn,
        attempts=start.attempts,
        tag=start.tag,
        why=start.why,
        command=asked.command if asked else None,
        revision=asked.revision if asked else None,
        migration=asked.migration if asked else "",
        revisions=asked.revisions if asked else {},
        override=asked.override if asked else "",
        schema_mismatch=asked.schema_mismatch if asked else "",
        renews=_voided(start, view),
    )
    requested = None if start.requested else state.requested
    return state.but(fence=fence, active=active, requested=requested), deployment, active


def _voided(start: Start, view: Snapshot) -> str | None:
    """Return the attempt at the same release whose approval was voided, if it was the last one that ended here."""
    last = view.latest
    same = last is not None and last.version == start.version and last.reason == VOID
    return last.id if last is not None and same else None


def _tries_again(start: Start) -> bool:
    return start.attempts > 1 and start.initiated_by.automated


def redrive(view: Snapshot, context: Context) -> str:
    active, deployment = view.state.active, view.deployment
    assert active is not None
    assert deployment is not None
    machine = context.machine_of(deployment.kind)
    if stepfunctions.ensure_started(context.states, machine, active.execution_name, active.input):
        context.count("DeploymentReDriven")
        # The operator may have been deployed anew since: the execution is one of the machine as it is now.
        arn = stepfunctions.arn_of(machine, active.execution_name)
        context.store.write(
            Save(view.state.but(active=active.but(execution_arn=arn))),
            timeline.event(
                deployment,
                EventType.RE_DRIVEN,
                "this claim had no execution; it was started again under the same name with the same input",
                at=context.clock(),
                new_id=context.new_id,
            ),
        )
    return active.execution_name


def complete(action: Complete, view: Snapshot, context: Context) -> None:
    """Record the outcome at once; the claim stays until nothing of the execution can still be running."""
    # Rare: nearly every outcome is recorded by the machine's last step.
    from ferryman.steps import record_outcome

    active = view.state.active
    assert active is not None
    ref = DeploymentRef(
        platform=view.platform, environment=view.name, deployment=active.deployment, fence=active.fence
    )  # fmt: skip
    settle = action.settle and action.phase is not Phase.SUCCEEDED
    judgement = Judgement(action.phase, action.reason, action.message, hold=action.hold, settle=settle)
    record_outcome.record(
        ref, judgement, store=context.store, clock=context.clock, new_id=context.new_id, release_claim=False
    )
    context.count("DeploymentCompletedByReconcile")
    if action.reason == ROLLBACK_FAILED:
        context.count(ROLLBACK_FAILED)
    _LOG.warning("the execution left no outcome: %s", action.message, extra=ids(view, active.deployment))


def drop(view: Snapshot, context: Context) -> None:
    context.store.write(Save(view.state.but(active=None)))
    active = view.state.active
    _LOG.info("claim released", extra=ids(view, active.deployment if active else ""))


def supersede(versions: tuple[str, ...], by: Release | None, view: Snapshot, context: Context) -> None:
    """Write the first ones' records; the state's revision keeps a concurrent run from writing them too."""
    assert by is not None
    writes = _superseded(versions[:SUPERSEDED_AT_ONCE], by, view, context, context.clock())
    context.store.write(Save(view.state), *writes)


def _superseded(versions: tuple[str, ...], by: Release, view: Snapshot, context: Context, at: datetime) -> list[Write]:
    writes: list[Write] = []
    for release in view.releases:
        if release.version not in versions:
            continue
        brought = candidates.trigger(view, release)
        deployment = Deployment(
            platform=view.platform,
            environment=view.name,
            id=context.new_id(),
            version=release.version,
            from_version=view.state.current.version if view.state.current else None,
            digests=release.digests,
            phase=Phase.SUPERSEDED,
            reason="Superseded",
            message=f"The newer release {by.version} went first; {release.version} will not start automatically.",
            tag=brought.tag if brought else None,
            initiated_by=Actor(who=brought.by if brought else "reconcile", automated=True),
            created_at=at,
            ended_at=at,
            superseded_by=by.version,
        )
        event = timeline.event(deployment, EventType.ENDED, deployment.message, at=at, new_id=context.new_id)
        writes += [Save(deployment), event]
    return writes
