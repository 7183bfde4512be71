"""BLUE_GREEN, LINEAR and CANARY: a second set of tasks, and traffic that moves to it. Pure.

Source: ECS Developer Guide, "Amazon ECS blue/green deployments", "linear deployments", "canary deployments", "Lifecycle
stages"; `docs/reference/aws-facts.md` of this repository.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ferryman_local.service_deployments import hooks
from ferryman_local.service_deployments.configuration import ORDER, Stage
from ferryman_local.service_deployments.model import (
    BACK,
    LONGEST_STAGE,
    Act,
    Condition,
    Route,
    Service,
    ServiceDeployment,
    Start,
    Status,
    Stop,
    Task,
    Tell,
)

NewId = Callable[[], str]


def step(
    service: Service, deployment: ServiceDeployment, tasks: Sequence[Task], now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """Make one step of a deployment that shifts traffic."""
    if deployment.status in BACK:
        return _step_back(service, deployment, tasks, now, new_id)
    if deployment.stage is None:
        return _entered(service, deployment, Stage.RECONCILE_SERVICE, now, new_id)
    if deployment.stage_since is not None and now - deployment.stage_since > LONGEST_STAGE:
        return _turned(service, deployment, f"stage {deployment.stage} took longer than 24 hours", now)
    deployment, acts = hooks.due(deployment, now)
    if acts:
        return service.with_current(deployment), acts
    said = hooks.verdict(deployment)
    if said not in ("waits", "on"):
        return _turned(service, deployment, said, now)
    if said == "waits":
        return service, []
    return _passed(service, deployment, tasks, now, new_id)


def _passed(
    service: Service, deployment: ServiceDeployment, tasks: Sequence[Task], now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """The hooks of the stage have passed: finish its own work, then enter the next one."""
    stage, since = deployment.stage, deployment.stage_since
    assert stage is not None, "it has entered its first stage"
    assert since is not None, "a stage has a beginning"
    if stage is Stage.SCALE_UP:
        acts = scaled(service.desired, deployment.target, tasks)
        if acts or _healthy(deployment.target, tasks) < service.desired:
            return service, acts
    if stage is Stage.PRODUCTION_TRAFFIC_SHIFT:
        shift = deployment.configuration.shifts[deployment.shift]
        if now - since < shift.bakes:
            return service, []
        if deployment.shift + 1 < len(deployment.configuration.shifts):
            # Each step has its own hooks: PRE_PRODUCTION_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT fire again.
            again = deployment.but(shift=deployment.shift + 1)
            return _entered(service, again, Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, now, new_id)
    if stage is Stage.BAKE_TIME and now - since < deployment.configuration.bakes:
        return service, []
    if stage is Stage.CLEAN_UP:
        old = _others(deployment.target, tasks)
        if old:
            return service, [Stop(old)]
        if any(task.revision != deployment.target for task in tasks):
            return service, []
        done = deployment.but(status=Status.SUCCESSFUL, finished_at=now)
        after = service.with_current(done).but(runs=done.target)
        return after, [Tell("SERVICE_DEPLOYMENT_COMPLETED", done)]
    return _entered(service, deployment, ORDER[ORDER.index(stage) + 1], now, new_id)


def _entered(
    service: Service, deployment: ServiceDeployment, stage: Stage, now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """Enter a stage: the traffic moves as it begins, and its hooks are asked."""
    deployment = deployment.but(stage=stage, stage_since=now)
    acts: list[Act] = []
    source, target = deployment.source, deployment.target
    if stage is Stage.TEST_TRAFFIC_SHIFT:
        service = service.but(test={target: 100.0})
        acts.append(Route("test", service.test))
    if stage is Stage.PRODUCTION_TRAFFIC_SHIFT:
        percent = deployment.configuration.shifts[deployment.shift].percent
        rest = {source: 100.0 - percent} if source is not None and percent < 100 else {}
        service = service.but(production={target: percent, **rest})
        acts.append(Route("production", service.production))
    deployment, told = hooks.opened(deployment, stage, now, new_id)
    return service.with_current(deployment), [*acts, *told]


def back(deployment: ServiceDeployment, reason: str, now: datetime) -> ServiceDeployment:
    """Return the deployment as it turns back: what still waits at its hooks no longer does."""
    open_hooks = tuple(
        run if run.status not in hooks.OPEN else replace(run, status="FAILED", ask_at=None) for run in deployment.hooks
    )
    return deployment.but(
        status=Status.ROLLBACK_REQUESTED, rollback_reason=reason, rollback_since=now, hooks=open_hooks,
        reason=deployment.reason or reason,
    )  # fmt: skip


def _turned(service: Service, deployment: ServiceDeployment, reason: str, now: datetime) -> tuple[Service, list[Act]]:
    if deployment.source is None:
        failed = deployment.but(status=Status.ROLLBACK_FAILED, reason=reason, finished_at=now)
        return service.with_current(failed), [Tell("SERVICE_DEPLOYMENT_FAILED", failed)]
    return service.with_current(back(deployment, reason, now)), []


def _step_back(
    service: Service, deployment: ServiceDeployment, tasks: Sequence[Task], now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """Put the weights back at once, run the hooks of the shifts again, then stop the new tasks.

    A hook that fails or runs out of time on the way back does not stop it.
    """
    source = deployment.source
    assert source is not None, "only what has a source goes back"
    if deployment.status is Status.ROLLBACK_REQUESTED:
        return _restored(service, deployment, source, now, new_id)
    deployment, acts = hooks.due(deployment, now)
    if acts:
        return service.with_current(deployment), acts
    if hooks.verdict(deployment) == "waits":
        return service, []
    if deployment.stage is Stage.PRODUCTION_TRAFFIC_SHIFT:
        return _hooks_again(service, deployment, Stage.TEST_TRAFFIC_SHIFT, now, new_id)
    acts = scaled(service.desired, source, tasks)
    if acts or _healthy(source, tasks) < service.desired:
        return service, acts
    new = _others(source, tasks)
    if new:
        return service, [Stop(new)]
    if any(task.revision != source for task in tasks):
        return service, []
    ended = deployment.but(status=Status.ROLLBACK_SUCCESSFUL, finished_at=now)
    return service.with_current(ended).but(runs=source), [Tell("SERVICE_DEPLOYMENT_FAILED", ended)]


def _restored(
    service: Service, deployment: ServiceDeployment, source: str, now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """Begin the way back: all traffic to the source, in one flip."""
    reached, acts = deployment.stage, list[Act]()
    if deployment.target in service.production:
        service = service.but(production={source: 100.0})
        acts.append(Route("production", service.production))
    if deployment.target in service.test:
        service = service.but(test={source: 100.0})
        acts.append(Route("test", service.test))
    deployment = deployment.but(status=Status.ROLLBACK_IN_PROGRESS)
    if reached is None or ORDER.index(reached) < ORDER.index(Stage.TEST_TRAFFIC_SHIFT):
        return service.with_current(deployment.but(stage=Stage.CLEAN_UP, stage_since=now)), acts
    shifted = ORDER.index(reached) >= ORDER.index(Stage.PRODUCTION_TRAFFIC_SHIFT)
    stage = Stage.PRODUCTION_TRAFFIC_SHIFT if shifted else Stage.TEST_TRAFFIC_SHIFT
    service, told = _hooks_again(service, deployment, stage, now, new_id)
    return service, [*acts, *told]


def _hooks_again(
    service: Service, deployment: ServiceDeployment, stage: Stage, now: datetime, new_id: NewId
) -> tuple[Service, list[Act]]:
    """The hooks of the traffic's stages run again on the way back, with a target weight of 0."""
    deployment, told = hooks.opened(deployment.but(stage=stage, stage_since=now), stage, now, new_id)
    return service.with_current(deployment), told


def scaled(desired: int, revision: str, tasks: Sequence[Task]) -> list[Act]:
    """Return what brings one revision to the desired number of tasks, beside those of the other."""
    here = [task for task in tasks if task.revision == revision and task.condition is not Condition.STOPPING]
    if len(here) < desired:
        return [Start(revision, desired - len(here))]
    free = [task.id for task in here if not task.protected]
    surplus = tuple(free[-(len(here) - desired) :]) if len(here) > desired else ()
    return [Stop(surplus)] if surplus else []


def _healthy(revision: str, tasks: Sequence[Task]) -> int:
    return sum(task.revision == revision and task.condition is Condition.HEALTHY for task in tasks)


def _others(revision: str, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the tasks of other revisions that can be stopped now."""
    return tuple(
        task.id
        for task in tasks
        if task.revision != revision and task.condition is not Condition.STOPPING and not task.protected
    )
