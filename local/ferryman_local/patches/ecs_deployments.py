"""Corrections of the emulator's ECS: how a service's deployment goes. Applied by patches.apply before it serves."""

import http.client
import time
from collections.abc import Callable
from typing import Any

from ferryman_local.patches.ecs import service_of
from ferryman_local.patches.private_attributes import module, replace

STEADY_SECONDS = 1.0
"""How long a task without a load balancer has to run before it counts as started."""
PROBE_SECONDS = 0.2
CAPACITY = "Deployment capacity limit"
"""Why the emulator's scheduler stops a task to start another in its place."""


def apply() -> None:
    """Put every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_update_service", lambda original: forget_failed_deployments(original, ecs))
    ecs._ACTION_MAP.update(UpdateService=ecs._update_service)
    replace(ecs, "_make_deployment", first_deployments_take_time)
    replace(ecs, "_task_ip", only_healthy_targets)
    replace(ecs, "_stop_task", lambda original: enough_stay_healthy(original, ecs))
    replace(ecs, "_record_service_task_failure", lambda original: room_is_used(original, ecs))
    replace(
        ecs,
        "_schedule_service_deployment_completion",
        lambda original: completed_when_healthy(ecs, ecs._task_ip.__wrapped__),
    )


def first_deployments_take_time(original: Any) -> Any:
    """A new service's deployment is IN_PROGRESS until its tasks run, like every other."""

    def make(definition: str, desired: int, status: str = "PRIMARY") -> Any:
        deployment = original(definition, desired, status)
        deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="ECS deployment in progress.")
        return deployment

    return make


def forget_failed_deployments(original: Any, ecs: Any) -> Any:
    """A failed deployment without tasks is listed until the next one begins, not for ever."""

    def update(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        found = ecs._resolve_service_ref(data.get("service", ""))
        service = ecs._services.get(f"{cluster}/{found[0]}") if found else None
        if service and ("taskDefinition" in data or data.get("forceNewDeployment")):
            service["deployments"] = [
                d
                for d in service["deployments"]
                if d["status"] == "PRIMARY" or d.get("rolloutState") != "FAILED" or d.get("runningCount")
            ]
            if replaces(service, data):
                make_room(ecs, service, cluster)
        return original(data)

    return update


def replaces(service: dict[str, Any], data: dict[str, Any]) -> bool:
    """An update that names the task definition that is on its way already (a repeated call) replaces nothing."""
    wanted = str(data.get("taskDefinition") or service["taskDefinition"])
    here = str(service["taskDefinition"])
    return bool(data.get("forceNewDeployment")) or wanted.rpartition("/")[2] != here.rpartition("/")[2]


def make_room(ecs: Any, service: dict[str, Any], cluster: str) -> None:
    """Tasks of a deployment that is replaced before it was complete go first, before a healthy one has to."""
    replaced = ecs._primary_deployment(service)
    if not replaced or replaced.get("rolloutState") != "IN_PROGRESS":
        return
    for arn, task in list(ecs._tasks.items()):
        mine = task.get("clusterArn") == service.get("clusterArn") and task.get("_deployment_id") == replaced["id"]
        if mine and not task.get("_startup_stable") and task.get("lastStatus") in ecs._PRE_STOP_STATUSES:
            ecs._stop_task({"task": arn, "cluster": cluster, "reason": "Deployment replaced"})


def enough_stay_healthy(original: Any, ecs: Any) -> Any:
    """To make room below maximumPercent, only tasks go that leave minimumHealthyPercent healthy ones.

    The emulator counts running ones. The new task starts all the same, so there may be more than the maximum: better
    than fewer than the minimum.
    """

    def stop(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        if data.get("reason") != CAPACITY:
            return original(data)
        task: dict[str, Any] = ecs._resolve_task(data["task"], cluster) or {}
        service = service_of(task, cluster, ecs)
        if not service or not task.get("_startup_stable"):
            return original(data)
        healthy = [
            other
            for other in list(ecs._tasks.values())
            if (other.get("group"), other.get("clusterArn")) == (task["group"], task["clusterArn"])
            and other.get("lastStatus") == "RUNNING"
            and other.get("_startup_stable")
        ]
        percent = int((service.get("deploymentConfiguration") or {}).get("minimumHealthyPercent", 100))
        if len(healthy) <= -(-service["desiredCount"] * percent // 100):
            return ecs.json_response({"task": ecs._sanitize(task)})
        return original(data)

    return stop


def room_is_used(original: Any, ecs: Any) -> Any:
    """When a task of a replaced deployment ends, the scheduler starts what had no room beside it."""

    def record(task: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original(task, *args, **kwargs)
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        service = service_of(task, cluster, ecs)
        if service and ecs._deployment_for_task(service, task) is not ecs._primary_deployment(service):
            ecs._reconcile_service_tasks(cluster, f"{cluster}/{service['serviceName']}")

    return record


def only_healthy_targets(original: Any) -> Any:
    """A load balancer sends nothing to a target that was never healthy."""

    def address(task: dict[str, Any]) -> Any:
        if task.get("group", "").startswith("service:") and not task.get("_startup_stable"):
            return None
        return original(task)

    address.__wrapped__ = original  # type: ignore[attr-defined]
    return address


def completed_when_healthy(ecs: Any, address: Callable[[dict[str, Any]], str | None]) -> Any:
    """A rollout is complete when its targets pass the health check; one that never does fails its task."""

    def schedule(cluster: str, key: str, account: str, region: str, healthy_task: Any = None) -> None:
        service = ecs._services.get(key)
        if not cluster or not service:
            return
        deployment = (
            ecs._deployment_for_task(service, healthy_task) if healthy_task else ecs._primary_deployment(service)
        )
        if not deployment:
            return
        expected = deployment["id"]

        def check() -> None:
            with ecs.request_scope(account, region):
                if healthy_task is not None and not becomes_healthy(ecs, service, healthy_task, address):
                    return
                if ecs._services.get(key, {}).get("status") != "ACTIVE":
                    return
                if healthy_task is not None and healthy_task.get("lastStatus") == "RUNNING":
                    ecs._record_service_task_healthy(key, healthy_task)
                ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")
                ecs._reconcile_service_tasks(cluster, key)
                ecs._complete_service_deployment(cluster, key, expected_deployment_id=expected)

        ecs.spawn_background(check, thread_name=f"ferryman-rollout-{service['serviceName'][:12]}")

    return schedule


def becomes_healthy(ecs: Any, service: Any, task: Any, address: Callable[[dict[str, Any]], str | None]) -> bool:
    """Wait for a started task: past the steady time, or through the health checks of its target groups."""
    groups = module("services.alb")._tgs
    balancers = [lb for lb in service.get("loadBalancers") or [] if lb.get("targetGroupArn") in groups]
    if not balancers:
        time.sleep(STEADY_SECONDS)
        return bool(task.get("lastStatus") == "RUNNING")
    for balancer in balancers:
        group = groups[balancer["targetGroupArn"]]
        patience = float(group.get("HealthCheckIntervalSeconds") or 30) * float(
            group.get("UnhealthyThresholdCount") or 2
        ) + float(service.get("healthCheckGracePeriodSeconds") or 0)
        deadline = time.monotonic() + patience
        while not probe(address(task), int(balancer.get("containerPort", 80)), group):
            if task.get("lastStatus") != "RUNNING" or task.get("desiredStatus") == "STOPPED":
                return False
            if time.monotonic() > deadline:
                fail_health_check(ecs, service, task, balancer["targetGroupArn"])
                return False
            time.sleep(PROBE_SECONDS)
    return True


def probe(address: str | None, port: int, group: dict[str, Any]) -> bool:
    """One health check of a target group: path and accepted statuses are the group's."""
    if not address:
        return False
    connection = http.client.HTTPConnection(address, port, timeout=float(group.get("HealthCheckTimeoutSeconds") or 5))
    try:
        connection.request("GET", group.get("HealthCheckPath") or "/", headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return accepts(str((group.get("Matcher") or {}).get("HttpCode") or "200"), connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def accepts(matcher: str, status: int) -> bool:
    """A target group's matcher: `200`, `200,307` or `200-399`."""
    for part in matcher.split(","):
        low, dash, high = part.strip().partition("-")
        if int(low) <= status <= int(high if dash else low):
            return True
    return False


def fail_health_check(ecs: Any, service: Any, task: Any, group_arn: str) -> None:
    """Replace a task that never got healthy and let the circuit breaker count it."""
    reason = f"Task failed ELB health checks in (target-group {group_arn})"
    if not ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated", exit_code=143):
        return
    task_id = task["taskArn"].rsplit("/", 1)[-1]
    service["events"].insert(
        0,
        {
            "id": ecs.new_uuid(),
            "createdAt": ecs._iso(),
            "message": f"(service {service['serviceName']}) (task {task_id}) failed ELB health checks in "
            f"(target-group {group_arn}).",
        },
    )
    ecs._cleanup_task_resources(task, ecs._docker)
    ecs._record_service_task_failure(task)
