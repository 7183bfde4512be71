"""What happens next to a service. Pure: no clock, no tasks of its own, no network.

`advanced` is called with what the driver sees, again and again until it returns no act and the same service. The other
functions take in what comes from outside: UpdateService, StopServiceDeployment, ContinueServiceDeployment, a hook's
answer, an alarm, a task that failed or became healthy.
"""

from collections.abc import Sequence, Set
from datetime import datetime

from ferryman_local.service_deployments import rolling, shifting
from ferryman_local.service_deployments.configuration import Configuration, Refused, Strategy
from ferryman_local.service_deployments.hooks import answered, released
from ferryman_local.service_deployments.model import Act, Service, ServiceDeployment, Status, Task, Tell

LISTED = 50
"""Deployments that are kept; ECS keeps them for 90 days."""


def updated(
    service: Service,
    revision: str,
    configuration: Configuration,
    *,
    id: str,
    now: datetime,
    ringing: Set[str] = frozenset(),
) -> Service:
    """Take in an UpdateService that starts a deployment. Raise Refused.

    A rolling deployment in flight is replaced by the new one. For other strategies
    it is not documented.
    Alarms are not watched by a deployment that starts while one of them rings.
    """
    current, before = service.current, service.runs
    deployments = service.deployments
    if current is not None:
        if current.configuration.strategy is not Strategy.ROLLING:
            raise Refused(f"deployment {current.id} is {current.status}; stop it before another one starts")
        replaced = current.but(status=Status.STOPPED, reason="replaced by a newer deployment", finished_at=now)
        deployments = (replaced, *deployments[1:])
    made = ServiceDeployment(
        id=id, target=revision, source=before, configuration=configuration, created_at=now,
        watches_alarms=bool(configuration.alarms) and not set(configuration.alarms) & set(ringing),
    )  # fmt: skip
    return service.but(deployments=(made, *deployments)[:LISTED])


def advanced(
    service: Service, tasks: Sequence[Task], now: datetime, new_id: shifting.NewId
) -> tuple[Service, list[Act]]:
    """Make one step. `tasks` are those of the service that have not stopped."""
    current = service.current
    if current is None:
        return service, rolling.kept(service, tasks)
    if current.status is Status.PENDING:
        begun = current.but(status=Status.IN_PROGRESS, started_at=now)
        return service.with_current(begun), [Tell("SERVICE_DEPLOYMENT_IN_PROGRESS", begun)]
    if current.configuration.strategy is Strategy.ROLLING:
        return rolling.step(service, current, tasks, now)
    return shifting.step(service, current, tasks, now, new_id)


def task_became_healthy(service: Service, revision: str) -> Service:
    """Take in a task that passed its health checks: with resetOnHealthyTask the breaker counts from zero again."""
    current = service.current
    if current is None or current.wanted != revision or not current.configuration.breaker.resets:
        return service
    return service.with_current(current.but(failed_tasks=0)) if current.failed_tasks else service


def task_failed(service: Service, revision: str, now: datetime) -> Service:
    """Take in a task that ended, or failed its health checks, before it was asked to stop."""
    current = service.current
    if current is None or current.target != revision or current.status is not Status.IN_PROGRESS:
        return service
    failed = current.but(failed_tasks=current.failed_tasks + 1)
    breaker = failed.configuration.breaker
    if not breaker.enabled or failed.failed_tasks < breaker.threshold(service.desired):
        return service.with_current(failed)
    return given_up(service.with_current(failed), revision, "tasks failed to start", now)


def given_up(service: Service, revision: str, why: str, now: datetime) -> Service:
    """Let the circuit breaker give up what is being deployed; it rolls back where it may and there is something."""
    current = service.current
    if current is None or current.target != revision or current.status is not Status.IN_PROGRESS:
        return service
    breaker = current.configuration.breaker
    if not breaker.enabled:
        return service
    failed = current.but(tripped=True, reason=f"ECS deployment circuit breaker: {why}.")
    if breaker.rolls_back and failed.source is not None:
        return service.with_current(shifting.back(failed, failed.reason, now))
    ended = Status.ROLLBACK_FAILED if breaker.rolls_back else Status.STOPPED
    return service.with_current(failed.but(status=ended, finished_at=now))


def alarms(service: Service, ringing: Set[str], now: datetime) -> Service:
    """Take in which alarms ring: a deployment that watches one of them is given up, or rolled back."""
    current = service.current
    if current is None or not current.watches_alarms or current.status is not Status.IN_PROGRESS:
        return service
    rang = tuple(name for name in current.configuration.alarms if name in ringing)
    if not rang:
        return service
    told = current.but(rang=rang, reason=f"alarm detected: {', '.join(rang)}")
    if current.configuration.alarms_roll_back and current.source is not None:
        return service.with_current(shifting.back(told, told.reason, now))
    return service.with_current(told.but(status=Status.STOPPED, finished_at=now))


def stopped(service: Service, id: str, stop_type: str, now: datetime) -> Service:
    """Take in a StopServiceDeployment. Raise Refused: ABORT is in the model and not in the documentation."""
    if stop_type != "ROLLBACK":
        raise Refused("stopType can only be ROLLBACK")
    current = service.current
    if (
        current is None
        or current.id != id
        or current.status in (Status.ROLLBACK_REQUESTED, Status.ROLLBACK_IN_PROGRESS)
    ):
        raise Refused("the service deployment can't be stopped: it has ended, or rolls back already")
    if current.source is None:
        raise Refused("the service deployment can't be rolled back: there is no earlier revision")
    return service.with_current(shifting.back(current, "user initiated", now))


def continued(service: Service, id: str, hook_id: str, action: str, now: datetime) -> Service:
    """Take in a ContinueServiceDeployment. Raise Refused when nothing waits under this id."""
    current = service.current
    if current is None or current.id != id:
        raise Refused("the service deployment has ended")
    return service.with_current(released(current, hook_id, action, now))


def hook_answered(service: Service, id: str, hook_id: str, status: str, callback: float, now: datetime) -> Service:
    """Take in what a hook's function answered; `callback` in seconds, for IN_PROGRESS. A late answer is ignored."""
    current = service.current
    if current is None or current.id != id:
        return service
    return service.with_current(answered(current, hook_id, status, callback, now))
