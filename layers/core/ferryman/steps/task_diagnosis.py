"""Why a rollout failed, in words a person can act on: ECS's events, stopped tasks, exit codes, the last log lines.

Called by `steps.watch_rollout` when a verdict is not a success. Explaining never changes the verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ferryman.clients import container_logs
from ferryman.clients.aws_errors import Refusal, code_of
from ferryman.clients.aws_types import ECSClient, ECSContainer, ECSService, ECSTask, LogsClient, TaskDefinition
from ferryman.clients.ecs import running_tasks, stopped_tasks, task_definition
from ferryman.clients.task_states import task_state
from ferryman.decisions.task_verdict import Fault, cause, fault
from ferryman.text import one_line

_EVENTS = 2
_WIDTH = 300


@dataclass(frozen=True)
class Explanation:
    """Sentences for the step's message, and the last lines of the container that decided it."""

    message: str
    logs: list[str]


def rollout(
    ecs: ECSClient,
    logs: LogsClient,
    *,
    cluster: str,
    service: ECSService | None,
    name: str,
    container: str,
    definition: str,
    since: datetime,
    first_stopped: str = "",
) -> Explanation:
    """Explain why a service's tasks of one task definition (ARN) did not hold. `since` is when its deployment began.

    `first_stopped` is what an event showed of one of them: `<task id>/<container>`.
    """
    said = _events(service, since)
    try:
        stopped = stopped_tasks(ecs, cluster, name, definition, since)
        described = task_definition(ecs, definition)
        culprit = guilty(stopped, described) or next(iter(running_tasks(ecs, cluster, name, definition)), None)
        if culprit is None:
            return Explanation(_join(["ECS shows no task of it.", said]), [])
    except Refusal as error:
        return Explanation(_join([f"Its tasks could not be read ({code_of(error)}).", said]), [])
    found = cause(task_state(culprit, described, seen_first(culprit, first_stopped)), container)
    log = container_logs.read(logs, described, found.container, culprit)
    count = f"{len(stopped)} of its tasks stopped." if len(stopped) > 1 else ""
    return Explanation(
        _join([found.said, count, log.sentence(_whose(found.container, container)), said]), list(log.lines)
    )


def guilty(stopped: Iterable[ECSTask], definition: TaskDefinition) -> ECSTask | None:
    """Return the stopped task that tells most: the release's fault before AWS's, and both before one that was stopped.

    Pure.
    """
    order = (Fault.RELEASE, Fault.AWS, Fault.NOBODY)
    return min(stopped, key=lambda task: order.index(fault(task_state(task, definition))), default=None)


def seen_first(task: ECSTask, first_stopped: str) -> str:
    """Return the container that was seen to stop first, when it was one of this task. Pure."""
    task_id, _, container = first_stopped.partition("/")
    return container if task_id == task["taskArn"].rsplit("/", 1)[-1] else ""


def container_of(task: ECSTask, name: str) -> ECSContainer | None:
    """Return a task's container by name: AWS injects sidecars, so never the first. Pure."""
    return next((item for item in task.get("containers", []) if item["name"] == name), None)


def _whose(container: str, named: str) -> str:
    return "Its log" if container == named else f"The log of {container}"


def _events(service: ECSService | None, since: datetime) -> str:
    # ECS lists the newest first.
    recent = [event["message"] for event in (service or {}).get("events", []) if event["createdAt"] >= since]
    return " ".join(f"ECS: {one_line(message, limit=_WIDTH)}" for message in recent[:_EVENTS])


def _join(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)
