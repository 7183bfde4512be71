"""ECS tasks: the `ECS Task State Change` event of a described task. Pure; called by the watcher."""

from collections.abc import Mapping
from typing import Any

from ferryman_local.relay.events import Change, without_epochs

_STOPPED_ONLY = ("stopCode", "stoppedReason")
_DETAIL = (
    "attachments", "availabilityZone", "capacityProviderName", "clusterArn", "connectivity", "containers", "cpu",
    "createdAt", "desiredStatus", "enableExecuteCommand", "ephemeralStorage", "executionStoppedAt", "group",
    "healthStatus", "lastStatus", "launchType", "memory", "overrides", "platformVersion", "pullStartedAt",
    "pullStoppedAt", "startedAt", "startedBy", "stoppingAt", "stoppedAt", "stopCode", "stoppedReason", "taskArn",
    "taskDefinitionArn", "version",
)  # fmt: skip
_SETTLED = ("RUNNING", "STOPPED")


def change(task: Mapping[str, Any]) -> Change:
    """The event of a task in its current state (DescribeTasks)."""
    stopped = task.get("lastStatus") == "STOPPED"
    detail = {
        name: task[name]
        for name in _DETAIL
        if task.get(name) is not None and task[name] != "" and (stopped or name not in _STOPPED_ONLY)
    }
    return Change("aws.ecs", "ECS Task State Change", without_epochs(detail), (task["taskArn"],))


def settled(task: Mapping[str, Any]) -> bool:
    """Whether the task stays unchanged until ListTasks lists it under another status."""
    return task.get("lastStatus") in _SETTLED and task.get("lastStatus") == task.get("desiredStatus")
