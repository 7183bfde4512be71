"""Writing how a step stands, with its line in the timeline, under the deployment's fence.

Called by the steps that change things. A step that ended stays as it ended, whoever comes later. One that has not
begins only in its turn (`decisions.step_turn`): the record that says so is the one that is written.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from ferryman.contracts import DeploymentRef
from ferryman.decisions import deployment_steps, step_turn
from ferryman.decisions.wave_order import proceeds
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import (
    ENDED_WHILE_DRAINING,
    NOT_JUDGED,
    Deployment,
    EventType,
    Phase,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.records.writes import Write
from ferryman.store.logs import add_log
from ferryman.store.table import Store
from ferryman.store.transactions import require_claim
from ferryman.text import redacted, redacted_lines

Also = Callable[[Deployment], Iterable[Write]]


def put(deployment: Deployment, key: str, step: Step) -> Deployment:
    """Return the deployment with one step replaced, without the secrets that AWS or a container told. Pure."""
    step = step.but(message=redacted(step.message), logs=redacted_lines(step.logs))
    return deployment.but(steps={**deployment.steps, key: step})


def nothing(deployment: Deployment) -> Iterable[Write]:  # noqa: ARG001 - the shape of Also
    """Add no writes."""
    return ()


def start(
    store: Store, ref: DeploymentRef, key: str, step: Step, message: str, *, new_id: NewId, also: Also = nothing
) -> Deployment:
    """Record a step as running, once; a step that is there already stays. Raise NotItsTurn."""

    def change(deployment: Deployment) -> Deployment | None:
        require_turn(deployment, key)
        return None if deployment.step(key) is not None else put(deployment, key, step)

    def writes(after: Deployment) -> Iterable[Write]:
        yield timeline.event(after, EventType.STEP_STARTED, message, at=step.started_at, new_id=new_id, step=key)
        yield from also(after)

    return store.update_deployment(ref, change, writes)


def start_back(store: Store, ref: DeploymentRef, key: str, step: Step, message: str, *, new_id: NewId) -> Deployment:
    """Record a step of the way back as running; the first one turns the deployment's phase to RollingBack.

    A forward step that still runs is closed: what it did is being undone. Raise NotItsTurn.
    """
    turned: list[bool] = []

    def change(deployment: Deployment) -> Deployment | None:
        turned.clear()
        require_turn(deployment, key)
        if deployment.step(key) is not None:
            return None
        if deployment.phase is Phase.RUNNING:
            turned.append(True)
            deployment = deployment.but(phase=Phase.ROLLING_BACK)
        return put(_forward_closed(deployment, key, step.started_at), key, step)

    def writes(after: Deployment) -> Iterable[Write]:
        at = step.started_at
        if turned:
            why = "a person requested an abort" if after.abort else "a step failed"
            yield timeline.event(
                after, EventType.ROLLING_BACK, f"{why}: rolling back to the last good release", at=at, new_id=new_id
            )
        yield timeline.event(after, EventType.STEP_STARTED, message, at=at, new_id=new_id, step=key)

    return store.update_deployment(ref, change, writes)


def _forward_closed(deployment: Deployment, key: str, at: datetime) -> Deployment:
    """Return the deployment without a running forward step of the service or job that a step of the way back is about.

    It runs on because its Lambda failed, so that nobody judged it; or because its tasks were healthy, which was enough
    for the next wave. Then it is at fault in nothing. Pure.
    """
    service = deployment_steps.service_of(key)
    if service is None or not deployment_steps.goes_back(key):
        return deployment
    forward = step_keys.rollout(service, "forward")
    before = deployment.step(forward)
    if before is None or before.status is not StepStatus.RUNNING:
        return deployment
    if proceeds(deployment, service):
        status, reason = StepStatus.ABORTED, ENDED_WHILE_DRAINING
        told = "its new tasks had become healthy; the deployment was given up before ECS had stopped the old ones"
    else:
        status, reason = StepStatus.ERRORED, NOT_JUDGED
        told = "the deployment was given up before the result of this rollout was known; see the step's function log"
    return put(deployment, forward, before.but(status=status, reason=reason, message=told, ended_at=at))


def require_turn(deployment: Deployment, key: str) -> None:
    """Raise NotItsTurn when a step may not begin now, or not go on; of one that has ended nothing is asked."""
    step = deployment.step(key)
    if step is None or step.status is StepStatus.RUNNING:
        step_turn.require(deployment, key)


def check_claim(store: Store, ref: DeploymentRef) -> None:
    """Raise ClaimLost when the fence no longer holds: for a second run, whose intent a first one recorded."""
    require_claim(store.state(ref.platform, ref.environment), ref)


def amend(store: Store, ref: DeploymentRef, key: str, edit: Callable[[Step], Step], also: Also = nothing) -> Deployment:
    """Change a running step's facts; nothing is written when they are as they were, or when it ended."""

    def change(deployment: Deployment) -> Deployment | None:
        step = deployment.step(key)
        if step is None or step.status is not StepStatus.RUNNING:
            return None
        after = edit(step)
        return None if after == step else put(deployment, key, after)

    return store.update_deployment(ref, change, also)


def end(
    store: Store,
    ref: DeploymentRef,
    key: str,
    edit: Callable[[Step], Step],
    *,
    clock: Clock,
    new_id: NewId,
    also: Also = nothing,
) -> Step:
    """Record how a step ended and return it. One that ended before is returned as it is: the first verdict stands.

    Its log lines become a record of their own. One of the way back closes a forward step that still runs, as
    `start_back` does: not every way back begins. Raise NotItsTurn for a step that has not begun and may not.
    """
    now = clock()
    lines: list[str] = []

    def change(deployment: Deployment) -> Deployment | None:
        step = deployment.step(key)
        if step is None:
            step_turn.require(deployment, key)
            step = Step(status=StepStatus.RUNNING, started_at=now)
        if step.status is not StepStatus.RUNNING:
            return None
        ended = edit(step).but(ended_at=now)
        lines[:] = ended.logs
        return put(_forward_closed(deployment, key, now), key, ended.but(logs=[]))

    def writes(after: Deployment) -> Iterable[Write]:
        step = after.steps[key]
        detail = {"status": str(step.status), "reason": step.reason}
        message = step.message or str(step.status)
        yield timeline.event(after, EventType.STEP_ENDED, message, at=now, new_id=new_id, step=key, detail=detail)
        if lines:
            yield add_log(after.id, key, lines, now)
        yield from also(after)

    return store.update_deployment(ref, change, writes).steps[key]
