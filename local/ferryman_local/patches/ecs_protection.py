"""Corrections of the emulator's ECS: task scale-in protection, of which the emulator knows nothing.

Sources: the API reference of ECS (UpdateTaskProtection, GetTaskProtection, "API failure reasons") and the ECS Developer
Guide ("Protect your Amazon ECS tasks from being terminated by scale-in events").
"""

import time
from collections.abc import Callable
from typing import Any

from ferryman_local.patches.ecs import SCHEDULER_REASONS
from ferryman_local.patches.private_attributes import module, replace

UPDATED_AT_ONCE, READ_AT_ONCE = 10, 100
"""How many tasks a request may name."""
DEFAULT_MINUTES, MOST_MINUTES = 120, 2_880


def apply() -> None:
    """Put every correction of this file in place; before ecs_deployments, which may not reach StopTask at all."""
    ecs = module("services.ecs")
    replace(ecs, "_update_task_protection", lambda _: update_task_protection(ecs))
    replace(ecs, "_get_task_protection", lambda _: get_task_protection(ecs))
    replace(ecs, "_stop_task", lambda original: stop_unprotected_task(original, ecs))
    ecs._ACTION_MAP.update(
        UpdateTaskProtection=ecs._update_task_protection,
        GetTaskProtection=ecs._get_task_protection,
        StopTask=ecs._stop_task,
    )


def is_protected(task: dict[str, Any]) -> bool:
    """Whether ECS may not stop a task by itself."""
    return bool(task.get("_protected_until", 0.0) > time.time())


def stop_unprotected_task(original: Any, ecs: Any) -> Any:
    """ECS stops no protected task to scale in or for a deployment. Whoever calls StopTask stops it all the same."""

    def stop(data: dict[str, Any]) -> Any:
        if data.get("reason") in SCHEDULER_REASONS:
            task = ecs._resolve_task(data["task"], ecs._resolve_cluster_name(data.get("cluster", "default")))
            if task and is_protected(task):
                return ecs.json_response({"task": ecs._sanitize(task)})
        return original(data)

    return stop


def update_task_protection(ecs: Any) -> Callable[[dict[str, Any]], Any]:
    """UpdateTaskProtection protects tasks for `expiresInMinutes`, two hours without it, or no longer."""

    def update(data: dict[str, Any]) -> Any:
        minutes = data.get("expiresInMinutes", DEFAULT_MINUTES)
        if not 1 <= minutes <= MOST_MINUTES:
            return ecs.error_response_json(
                "InvalidParameterException", f"expiresInMinutes must be between 1 and {MOST_MINUTES}.", 400
            )
        until = time.time() + minutes * 60 if data.get("protectionEnabled") else 0.0
        return answer(ecs, data, UPDATED_AT_ONCE, lambda task: task.update(_protected_until=until))

    return update


def get_task_protection(ecs: Any) -> Callable[[dict[str, Any]], Any]:
    """GetTaskProtection tells of each task whether it is protected, and until when."""
    return lambda data: answer(ecs, data, READ_AT_ONCE, lambda _task: None)


def answer(ecs: Any, data: dict[str, Any], most: int, act: Callable[[dict[str, Any]], None]) -> Any:
    """Tell of the tasks that a request names; one that is not there, or of no service, is a failure beside them."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None or cluster not in ecs._clusters:
        return ecs.error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    named = data.get("tasks") or []
    if not 1 <= len(named) <= most:
        return ecs.error_response_json("InvalidParameterException", f"Name 1 to {most} tasks.", 400)
    told, failures = [], []
    for name in named:
        task = ecs._resolve_task(name, cluster)
        if not task or task.get("lastStatus") == "STOPPED":
            failures.append({"arn": task["taskArn"] if task else name, "reason": "MISSING"})
        elif not task.get("group", "").startswith("service:"):
            failures.append({"arn": task["taskArn"], "reason": "TASK_NOT_VALID"})
        else:
            act(task)
            protected = is_protected(task)
            expires = {"expirationDate": task["_protected_until"]} if protected else {}
            told.append({"taskArn": task["taskArn"], "protectionEnabled": protected, **expires})
    return ecs.json_response({"protectedTasks": told, "failures": failures})
