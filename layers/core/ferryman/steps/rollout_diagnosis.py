"""Why a rollout failed, in words a person can act on: ECS's events, stopped tasks, exit codes, the last log lines.

Called by `steps.watch_rollout` when a verdict is Failed. Explaining never changes the verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ferryman.clients import container_logs
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECSClient, ECSContainer, ECSService, ECSTask, LogsClient
from ferryman.clients.ecs import running_tasks, stopped_tasks, task_definition

_EVENTS = 2
_WIDTH = 300
# A task that stopped for these reasons stopped by itself; others were stopped by ECS, perhaps just by the roll-back.
_BY_ITSELF = frozenset({"EssentialContainerExited", "TaskFailedToStart"})


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
) -> Explanation:
    """Explain why a service's tasks of one task definition (ARN) did not hold. `since` is when its deployment began."""
    said = _events(service, since)
    try:
        stopped = stopped_tasks(ecs, cluster, name, definition, since)
        culprit = guilty(stopped) or next(iter(running_tasks(ecs, cluster, name, definition)), None)
        if culprit is None:
            return Explanation(_join(["ECS shows no task of it.", said]), [])
        failing = failing_container(culprit, container)
        lines = container_logs.tail(logs, task_definition(ecs, definition), failing, culprit["taskArn"])
    except Refusal as error:
        return Explanation(_join([f"Its tasks could not be read ({error.response['Error']['Code']}).", said]), [])
    count = f"{len(stopped)} of its tasks stopped." if len(stopped) > 1 else ""
    return Explanation(_join([describe(culprit, failing), count, last_line(lines), said]), lines)


def guilty(stopped: Iterable[ECSTask]) -> ECSTask | None:
    """Return the stopped task that tells most: one that stopped by itself before one that was stopped. Pure."""
    tasks = list(stopped)
    return next((task for task in tasks if task.get("stopCode") in _BY_ITSELF), next(iter(tasks), None))


def failing_container(task: ECSTask, named: str) -> str:
    """Return the container to look at: the named one, unless only another one failed. Pure."""
    failed = [item["name"] for item in task.get("containers", []) if item.get("exitCode") or item.get("reason")]
    return named if named in failed or not failed else str(failed[0])


def describe(task: ECSTask, container: str) -> str:
    """Say how a task and one of its containers ended. Pure."""
    state = container_of(task, container) or {}
    if state.get("exitCode") is not None:
        ended = f"Container {container} exited with code {state['exitCode']}"
    elif task.get("lastStatus") == "STOPPED":
        ended = f"Container {container} never started"
    else:
        ended = f"A task of it is {task.get('lastStatus', 'not started')}, container {container} {_health(state)}"
    why = [str(text)[:_WIDTH] for text in (state.get("reason"), task.get("stoppedReason")) if text]
    return f"{ended} ({'; '.join(dict.fromkeys(why))})." if why else f"{ended}."


def container_of(task: ECSTask, name: str) -> ECSContainer | None:
    """Return a task's container by name: AWS injects sidecars, so never the first. Pure."""
    return next((item for item in task.get("containers", []) if item["name"] == name), None)


def last_line(lines: list[str]) -> str:
    """Quote the last line that says something. Pure."""
    line = next((line for line in reversed(lines) if line.strip()), None)
    return f"Its log ends with “{line.strip()[:_WIDTH]}”." if line else "Its log is empty."


def _health(state: ECSContainer) -> str:
    status = str(state.get("lastStatus", "not started"))
    health = state.get("healthStatus")
    return f"{status} and {health}" if health and health != "UNKNOWN" else status


def _events(service: ECSService | None, since: datetime) -> str:
    # ECS lists the newest first.
    recent = [event["message"] for event in (service or {}).get("events", []) if event["createdAt"] >= since]
    return " ".join(f"ECS: {message[:_WIDTH]}" for message in recent[:_EVENTS])


def _join(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)
