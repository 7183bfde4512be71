"""Replacing tasks bit by bit: ROLLING deployments, and keeping the number of tasks between deployments. Pure.

Source: ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" (minimumHealthyPercent, maximumPercent) and
"How the Amazon ECS deployment circuit breaker detects failures".
"""

from collections.abc import Sequence
from datetime import datetime

from ferryman_local.service_deployments.configuration import Configuration
from ferryman_local.service_deployments.model import (
    BACK,
    Act,
    Condition,
    Service,
    ServiceDeployment,
    Start,
    Status,
    Stop,
    Task,
    Tell,
)


def step(
    service: Service, deployment: ServiceDeployment, tasks: Sequence[Task], now: datetime
) -> tuple[Service, list[Act]]:
    """Start and stop tasks, or end the deployment: COMPLETED only once the old tasks are gone."""
    going_back = deployment.status in BACK
    wanted = deployment.wanted
    assert wanted is not None, "only what has a source goes back"
    if deployment.status is Status.ROLLBACK_REQUESTED:
        deployment = deployment.but(status=Status.ROLLBACK_IN_PROGRESS, rollback_since=now)
        return service.with_current(deployment), []
    acts = replaced(service.desired, deployment.configuration, wanted, tasks)
    if acts:
        return service, acts
    here = [task for task in tasks if task.revision == wanted and task.condition is Condition.HEALTHY]
    if len(here) != service.desired or len(here) != len(tasks):
        return service, []
    ended = deployment.but(status=Status.ROLLBACK_SUCCESSFUL if going_back else Status.SUCCESSFUL, finished_at=now)
    told = Tell("SERVICE_DEPLOYMENT_FAILED" if going_back else "SERVICE_DEPLOYMENT_COMPLETED", ended)
    return service.with_current(ended).but(runs=wanted), [told]


def kept(service: Service, tasks: Sequence[Task]) -> list[Act]:
    """Keep the number of tasks of what runs; without any deployment that succeeded nothing is started."""
    if service.runs is None:
        return []
    configuration = service.deployments[0].configuration if service.deployments else Configuration()
    return replaced(service.desired, configuration, service.runs, tasks)


def replaced(desired: int, configuration: Configuration, wanted: str, tasks: Sequence[Task]) -> list[Act]:
    """Return the next starts and stops that bring the tasks to `desired` of `wanted`, within the two percentages.

    Tasks that stop count below maximumPercent: with 100 per cent a new task waits until an old one has drained. An old
    task that never became healthy is stopped first, and at once. To make room, healthy ones are stopped down to
    minimumHealthyPercent; otherwise only as many as new ones have become healthy. A protected task is not stopped.
    """
    mine = [task for task in tasks if task.revision == wanted and task.condition is not Condition.STOPPING]
    others = [task for task in tasks if task.revision != wanted and task.condition is not Condition.STOPPING]
    free = [task for task in others if not task.protected]
    unfinished = [task for task in free if task.condition is Condition.STARTING]
    excess = max(0, len(mine) - desired)
    surplus = [task for task in mine if not task.protected][-excess:] if excess else []
    if unfinished or surplus:
        return [Stop(tuple(task.id for task in [*unfinished, *surplus]))]
    acts: list[Act] = []
    missing = desired - len(mine)
    room = configuration.most(desired) - len(tasks)
    if missing > 0 and room > 0:
        acts.append(Start(wanted, min(missing, room)))
    healthy = [task for task in [*mine, *others] if task.condition is Condition.HEALTHY]
    least = configuration.least(desired)
    floor = least if missing > max(room, 0) else max(least, desired)
    stops = min(len(healthy) - floor, len(free))
    if stops > 0:
        acts.append(Stop(tuple(task.id for task in free[:stops])))
    return acts
