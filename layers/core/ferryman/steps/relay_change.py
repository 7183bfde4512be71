"""ECS changes, and a person's abort, brought to the steps that wait for them. Called by relay_change.

An event is a nudge: the step that waits for the resource is judged again by the watcher's own code, by what ECS answers
now. One thing only an event tells: which container of a task stopped while others still ran. That stays true however
late, often or disordered events come; a lost one leaves "not known".
"""

from typing import Any, cast

from ferryman.clients.aws_types import ECSTask, StepFunctionsClient
from ferryman.contracts import MigrationVerdict, RelayChangeInput, RolloutVerdict, Wake
from ferryman.errors import ClaimLost, InvalidInput, NotFound
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, StepStatus, Wait, step_keys
from ferryman.steps import watch_migration, watch_rollout
from ferryman.steps.watch_rollout import Edges
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, ref

_SERVICE_EVENTS = frozenset({"ECS Deployment State Change", "ECS Service Action"})
_TASK_EVENT = "ECS Task State Change"
_TASK_SHOWN = ("taskArn", "taskDefinitionArn", "lastStatus", "desiredStatus")
_SHOWN: dict[str, type] = {"name": str, "lastStatus": str, "exitCode": int, "reason": str}
"""What is taken of a container in a task's event, and its type."""


def relay(
    event: RelayChangeInput,
    *,
    store: Store,
    edges: Edges,
    states: StepFunctionsClient,
    clock: Clock,
    new_id: NewId,
) -> None:
    """Judge every step that waits for what changed. Raise InvalidInput for a malformed event.
    One wait that can't be judged does not stop the others: the first error is raised after all have had their turn.
    """
    found = woken(store, event.wake) if event.wake is not None else resources(event)
    shown = shown_task(event.detail) if event.wake is None and event.detail_type == _TASK_EVENT else None
    errors: list[Exception] = []
    for resource in found:
        for wait in store.waits(resource):
            try:
                _judge(wait, shown, store=store, edges=edges, states=states, clock=clock, new_id=new_id)
            except Exception as error:  # noqa: BLE001 - raised below, once the others were judged
                errors.append(error)
    if errors:
        raise errors[0]


def resources(event: RelayChangeInput) -> list[str]:
    """Return the ARNs that steps may wait for, of an event from EventBridge. Pure.

    A service by the event's `resources`; a service's task by its `group`; a one-off task by its own ARN. Events of
    other kinds concern nobody.
    """
    if event.detail_type in _SERVICE_EVENTS:
        arn = next(iter(event.resources), "")
        if ":service/" not in arn:
            raise InvalidInput(f"an event {event.detail_type!r} names its service in resources[0], not {arn!r}")
        return [arn]
    if event.detail_type == _TASK_EVENT:
        task, cluster, group = (event.detail.get(name) for name in ("taskArn", "clusterArn", "group"))
        if (
            not isinstance(task, str)
            or ":task/" not in task
            or not isinstance(cluster, str)
            or ":cluster/" not in cluster
        ):
            raise InvalidInput(
                f"an event {_TASK_EVENT!r} has detail.taskArn and detail.clusterArn, not {task!r}, {cluster!r}"
            )
        if isinstance(group, str) and group.startswith("service:"):
            return [f"{cluster.replace(':cluster/', ':service/')}/{group.removeprefix('service:')}"]
        return [task]
    if not event.source or not event.detail_type:
        raise InvalidInput("an event from EventBridge has a source and a detail-type; a wake has `wake`")
    return []


def shown_task(detail: dict[str, Any]) -> ECSTask | None:
    """Return the task of an event, as far as it has the shape that DescribeTasks answers; None otherwise. Pure."""
    containers = [
        {name: value for name, value in item.items() if _SHOWN.get(name, object) is type(value)}
        for item in detail.get("containers") or []
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]
    task = {name: detail[name] for name in _TASK_SHOWN if isinstance(detail.get(name), str)}
    # Only these fields are taken, and each has the type that ECS documents.
    return cast(ECSTask, {**task, "containers": containers}) if "taskArn" in task and containers else None


def woken(store: Store, wake: Wake) -> list[str]:
    """Return the ARNs that one deployment's running steps wait for. Raise NotFound for an unknown deployment."""
    deployment = store.deployment(wake.platform, wake.environment, wake.deployment)
    return [arn for key in deployment.steps if (arn := _resource(deployment, key)) is not None]


def _resource(deployment: Deployment, key: str) -> str | None:
    step = deployment.steps[key]
    if step.status is not StepStatus.RUNNING or deployment.plan is None:
        return None
    if step.rollout is not None and step.rollout.service in deployment.plan.services:
        return deployment.plan.services[step.rollout.service].arn
    return step.migration.task if step.migration is not None else None


def _judge(
    wait: Wait,
    shown: ECSTask | None,
    *,
    store: Store,
    edges: Edges,
    states: StepFunctionsClient,
    clock: Clock,
    new_id: NewId,
) -> None:
    verdict: RolloutVerdict | MigrationVerdict | None
    try:
        migration = step_keys.migration_of(wait.step)
        if migration is not None:
            verdict = watch_migration.settle(
                ref(wait),
                migration,
                store=store,
                ecs=edges.ecs,
                logs=edges.logs,
                clock=clock,
                new_id=new_id,
                shown=shown,
            )
        else:
            if wait.service is None or wait.direction is None:
                raise InvalidInput(f"the wait of step {wait.step} names no service: a newer version wrote it?")
            verdict = watch_rollout.settle(
                ref(wait),
                wait.service,
                wait.direction,
                store=store,
                edges=edges,
                clock=clock,
                new_id=new_id,
                shown=shown,
                may_proceed=wait.may_proceed,
            )
    except (ClaimLost, NotFound):
        # Its deployment is over: nobody waits for this token any more.
        store.forget_wait(wait)
        return
    if verdict is not None:
        answer_all(store, states, wait.resource, wait.deployment, wait.step, verdict)
