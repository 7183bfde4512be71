"""Writing how a deployment ended, with its messages, in one transaction.

Called by finish_deployment, and by reconcile for executions that ended without a recorded outcome.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from ferryman import messages, steps, timeline
from ferryman.errors import ClaimLost, Conflict, InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.judgement import Judgement, was_skipped
from ferryman.platform import parse
from ferryman.records import (
    Deployment,
    EnvironmentState,
    EventType,
    Hold,
    Phase,
    Running,
    Settled,
    Target,
    Verified,
)
from ferryman.store import Store
from ferryman.writes import Add, Save, Write

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))
"""When an Errored deployment is tried again; after the last one the environment is held."""

_SETTLED_KEPT = 200
_LOG = logging.getLogger("ferryman")


def record(
    ref: Any,
    judgement: Judgement,
    *,
    store: Store,
    clock: Clock,
    new_id: NewId,
    release_claim: bool = True,
) -> Deployment:
    """Write an outcome: phase, timeline, messages, what runs, what is settled, hold; and release the claim.

    Safe to run again: an outcome that is already recorded stays, and only the claim is released. Raise ClaimLost when
    another deployment owns the environment and this one has no outcome yet.
    """
    for _ in range(10):
        deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
        state = store.state(ref.platform, ref.environment)
        owns = state.active is not None and (state.active.deployment, state.active.fence) == (ref.deployment, ref.fence)
        if deployment.phase.terminal and not (owns and release_claim):
            return deployment
        if not owns:
            raise ClaimLost(f"deployment {ref.deployment} no longer holds {ref.platform}/{ref.environment}")
        at = clock()
        writes: list[Write] = []
        if not deployment.phase.terminal:
            judgement, state = _apply(judgement, deployment, state, at)
            deployment = deployment.but(
                phase=judgement.phase, reason=judgement.reason, message=judgement.message, ended_at=at
            )
            writes += [
                Save(deployment),
                timeline.event(deployment, EventType.ENDED, judgement.message, at=at, new_id=new_id,
                               detail={"phase": str(judgement.phase), "reason": judgement.reason}),
                *_messages(deployment, _channels(store, deployment), state, at),
                *_verified(store, deployment, at),
            ]  # fmt: skip
        if release_claim:
            state = state.but(active=None)
        try:
            store.write(*writes, Save(state))
        except Conflict:
            continue
        return deployment
    raise Conflict(f"the outcome of {ref.deployment} could not be written; the next try reads everything again")


def _apply(
    judgement: Judgement, deployment: Deployment, state: EnvironmentState, at: datetime
) -> tuple[Judgement, EnvironmentState]:
    """Work an outcome into the environment's state. Pure."""
    version = deployment.version
    settled = dict(state.settled)
    if judgement.phase is Phase.SUCCEEDED:
        settled.pop(version, None)
        target = _target(deployment, state)
        state = state.but(
            current=Running(version=version, deployment=deployment.id, digests=target.digests, at=at),
            previous=state.last_succeeded if _differs(state.last_succeeded, version) else state.previous,
            last_succeeded=target,
        )
    elif judgement.phase is Phase.ERRORED:
        before = settled.get(version)
        attempts = before.attempts + 1 if before and before.phase is Phase.ERRORED else 1
        retry_at = None
        if judgement.hold is None and attempts <= len(RETRY_AFTER):
            retry_at = at + RETRY_AFTER[attempts - 1]
        elif judgement.hold is None:
            judgement = Judgement(
                judgement.phase, judgement.reason, judgement.message, hold=f"{version} errored {attempts} times"
            )
        settled[version] = Settled(
            phase=Phase.ERRORED, reason=judgement.reason, at=at, attempts=attempts, retry_at=retry_at
        )  # fmt: skip
    elif judgement.settle:
        settled[version] = Settled(phase=judgement.phase, reason=judgement.reason, at=at)
    newest = sorted(settled.items(), key=lambda item: item[1].at)[-_SETTLED_KEPT:]
    hold = state.hold
    if judgement.hold is not None and hold is None:
        hold = Hold(reason=judgement.hold, who="ferryman", at=at)
    return judgement, state.but(settled=dict(newest), hold=hold)


def _messages(deployment: Deployment, channels: list[str], state: EnvironmentState, at: datetime) -> list[Add]:
    """Make the messages; a fault in making them must never keep an outcome from being recorded."""
    try:
        return messages.for_outcome(deployment, channels, at, hold=state.hold, retry_at=_retry_at(state, deployment))
    except Exception:  # noqa: BLE001 - whatever it is, it is logged, and the outcome counts
        _LOG.exception("the messages of deployment %s could not be made; `ferryman history` has it", deployment.id)
        return []


def _retry_at(state: EnvironmentState, deployment: Deployment) -> datetime | None:
    settled = state.settled.get(deployment.version)
    return settled.retry_at if settled else None


def _differs(target: Target | None, version: str) -> bool:
    return target is not None and target.version != version


def _target(deployment: Deployment, state: EnvironmentState) -> Target:
    before = state.last_succeeded or Target(version=None, deployment=None)
    definitions, bases = dict(before.task_definitions), dict(before.bases)
    for name, planned in (deployment.plan.services if deployment.plan else {}).items():
        step = deployment.step(steps.rollout(name, "forward"))
        if step and step.rollout and step.rollout.task_definition and step.status.passed:
            definitions[name] = step.rollout.task_definition
            bases[name] = planned.base_task_definition
    digests = {**before.digests, **deployment.digests}
    return Target(
        version=deployment.version, deployment=deployment.id, digests=digests, task_definitions=definitions, bases=bases
    )  # fmt: skip


def _verified(store: Store, deployment: Deployment, at: datetime) -> list[Write]:
    """Mark the release as proven here; a deployment in which nothing ran proves nothing."""
    if deployment.phase is not Phase.SUCCEEDED or deployment.plan is None:
        return []
    if all(was_skipped(deployment, name) for name in deployment.plan.services):
        return []
    release = store.release(deployment.platform, deployment.version)
    if release is None:
        return []
    proof = Verified(deployment=deployment.id, digests=deployment.digests, at=at)
    return [Save(release.but(verified={**release.verified, deployment.environment: proof}))]


def _channels(store: Store, deployment: Deployment) -> list[str]:
    """Names of the channels that hear of this environment; a broken document must not change an outcome."""
    applied = store.find_platform(deployment.platform)
    if applied is None:
        return []
    try:
        return parse(applied.document).environment(deployment.environment).notify
    except (InvalidDocument, KeyError):
        return []
