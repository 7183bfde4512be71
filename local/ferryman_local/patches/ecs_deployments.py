"""Corrections of the emulator's ECS: when a task of a service is healthy. What follows is in ecs_scheduler.py.

Sources: the API reference of ECS (UpdateService, Deployment, DeploymentConfiguration) and the ECS Developer Guide
("Deploy Amazon ECS services by replacing tasks", "How the Amazon ECS deployment circuit breaker detects failures").
"""

import http.client
import time
from collections.abc import Callable
from typing import Any

from ferryman_local.patches.ecs_scheduler import Scheduler
from ferryman_local.patches.ecs_service_deployments import ServiceDeployments
from ferryman_local.patches.private_attributes import module, replace

STEADY_SECONDS = 1.0
"""How long a task without a load balancer has to run before it counts as started."""
CHECK_SECONDS = 0.2


def apply() -> None:
    """Put every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_task_ip", address_of_healthy_task)
    scheduler = Scheduler(ecs, module("core.responses"))
    replace(ecs, "_update_service", scheduler.update_service)
    replace(ecs, "_describe_services", scheduler.describe_services)
    ecs._ACTION_MAP.update(UpdateService=ecs._update_service, DescribeServices=ecs._describe_services)
    replace(ecs, "_mark_task_stopped", scheduler.task_stopped)
    replace(ecs, "_reconcile_service_tasks", lambda _: scheduler.reconcile)
    replace(ecs, "_complete_service_deployment", lambda _: scheduler.complete)
    replace(ecs, "_record_service_task_healthy", lambda _: scheduler.task_healthy)
    replace(ecs, "_record_service_task_failure", lambda _: scheduler.task_failed)
    ServiceDeployments(ecs, scheduler).apply()
    replace(
        ecs,
        "_schedule_service_deployment_completion",
        lambda _: look_when_healthy(ecs, ecs._task_ip.__wrapped__),
    )


def make_deployment(original: Any) -> Any:
    """The first deployment of a service is IN_PROGRESS until its tasks run, as every other; not COMPLETED at once."""

    def make(definition: str, desired: int, status: str = "PRIMARY") -> Any:
        deployment = original(definition, desired, status)
        deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="ECS deployment in progress.")
        return deployment

    return make


def address_of_healthy_task(original: Any) -> Any:
    """A load balancer sends no request to a target before its first health check has passed."""

    def address(task: dict[str, Any]) -> Any:
        if task.get("group", "").startswith("service:") and not task.get("_startup_stable"):
            return None
        return original(task)

    address.__wrapped__ = original  # type: ignore[attr-defined]
    return address


def look_when_healthy(ecs: Any, address: Callable[[dict[str, Any]], str | None]) -> Any:
    """A task that passes its health checks counts as healthy; one that fails them is stopped.

    A task behind a load balancer is healthy once its target group's health check has passed. The circuit breaker counts
    the tasks that are not.
    """

    def schedule(cluster: str, key: str, account: str, region: str, healthy_task: Any = None) -> None:
        service = ecs._services.get(key)
        if not cluster or not service:
            return

        def check() -> None:
            with ecs.request_scope(account, region):
                if healthy_task is not None and not becomes_healthy(ecs, service, healthy_task, address):
                    return
                if healthy_task is not None and healthy_task.get("lastStatus") == "RUNNING":
                    ecs._record_service_task_healthy(key, healthy_task)
                ecs._reconcile_service_tasks(cluster, key)

        ecs.spawn_background(check, thread_name=f"ferryman-rollout-{service['serviceName'][:12]}")

    return schedule


def becomes_healthy(ecs: Any, service: Any, task: Any, address: Callable[[dict[str, Any]], str | None]) -> bool:
    """Wait for a started task: for its target groups' health checks, or else for STEADY_SECONDS.

    A target group gives up after HealthCheckIntervalSeconds times UnhealthyThresholdCount, once the service's
    healthCheckGracePeriodSeconds are over.
    """
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
        while not check_health(address(task), int(balancer.get("containerPort", 80)), group):
            if task.get("lastStatus") != "RUNNING" or task.get("desiredStatus") == "STOPPED":
                return False
            if time.monotonic() > deadline:
                fail_health_check(ecs, service, task, balancer["targetGroupArn"])
                return False
            time.sleep(CHECK_SECONDS)
    return True


def check_health(address: str | None, port: int, group: dict[str, Any]) -> bool:
    """One health check of a target group, with its HealthCheckPath, HealthCheckTimeoutSeconds and Matcher."""
    if not address:
        return False
    connection = http.client.HTTPConnection(address, port, timeout=float(group.get("HealthCheckTimeoutSeconds") or 5))
    try:
        connection.request("GET", group.get("HealthCheckPath") or "/", headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return matches(str((group.get("Matcher") or {}).get("HttpCode") or "200"), connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def matches(matcher: str, status: int) -> bool:
    """Whether a target group's Matcher (`200`, `200,307` or `200-399`) accepts a status."""
    for part in matcher.split(","):
        low, dash, high = part.strip().partition("-")
        if int(low) <= status <= int(high if dash else low):
            return True
    return False


def fail_health_check(ecs: Any, service: Any, task: Any, group_arn: str) -> None:
    """ECS stops a task that fails its health checks, with an event of the service; the circuit breaker counts it."""
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
