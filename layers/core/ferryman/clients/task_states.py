"""What DescribeTasks, or a task's event, tells of a task, with what its definition says of its containers. Pure."""

from ferryman.clients.aws_types import ECSContainer, ECSTask, TaskDefinition
from ferryman.decisions.task_verdict import ContainerState, TaskState, never_started

_INJECTED = ("aws-guardduty-agent", "ecs-service-connect", "~internal~")
"""Containers that AWS adds to a task without naming them in its definition; none of them is essential to it."""


def task_state(task: ECSTask, definition: TaskDefinition | None, seen_first: str = "") -> TaskState:
    """Read a described task. Without its definition every container counts as essential but those that AWS injects."""
    known = {item["name"]: item for item in definition["containerDefinitions"]} if definition is not None else {}
    started = task.get("startedAt") is not None

    def container(item: ECSContainer) -> ContainerState:
        name, reason = item["name"], item.get("reason") or ""
        status, defined = item.get("lastStatus") or "", known.get(name)
        exit_code = item.get("exitCode")
        if defined is not None:
            essential = defined.get("essential", True)
        else:
            essential = definition is None and not name.startswith(_INJECTED)
        created = bool(item.get("runtimeId")) and not never_started(reason)
        return ContainerState(
            name=name,
            essential=essential,
            image=(defined or {}).get("image") or item.get("image") or "",
            stopped=status == "STOPPED" or exit_code is not None,
            exit_code=exit_code,
            reason=reason,
            ran=exit_code is not None or status == "RUNNING" or created or (started and not never_started(reason)),
            status=status,
            unhealthy=item.get("healthStatus") == "UNHEALTHY",
        )

    return TaskState(
        containers=tuple(container(item) for item in task.get("containers", [])),
        stopped=task.get("lastStatus") == "STOPPED",
        stop_code=task.get("stopCode") or "",
        stopped_reason=task.get("stoppedReason") or "",
        status=task.get("lastStatus") or "",
        ending=task.get("desiredStatus") == "STOPPED",
        seen_first=seen_first,
    )


def some_stopped(task: ECSTask) -> bool:
    """Whether one of a task's containers stopped: only then it matters what its definition says of them."""
    return any(item.get("lastStatus") == "STOPPED" or "exitCode" in item for item in task.get("containers", []))
