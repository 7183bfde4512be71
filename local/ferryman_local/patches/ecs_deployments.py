"""Corrections of the emulator's ECS: the rolling deployment of a service.

Sources: the API reference of ECS (UpdateService, Deployment, DeploymentConfiguration) and the ECS Developer Guide
("Deploy Amazon ECS services by replacing tasks", "How the Amazon ECS deployment circuit breaker detects failures").
"""

import http.client
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ferryman_local.patches.ecs import service_of
from ferryman_local.patches.private_attributes import module, replace

STEADY_SECONDS = 1.0
"""How long a task without a load balancer has to run before it counts as started."""
CHECK_SECONDS = 0.2
FAILED_LISTED_SECONDS = 10.0
"""How long a failed deployment that gave way stays listed; on AWS until the way back is complete, often longer."""
CAPACITY = "Deployment capacity limit"
"""Why the emulator's scheduler stops a task to start another in its place."""


def apply() -> None:
    """Put every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_update_service", lambda original: update_service(original, ecs))
    replace(ecs, "_describe_services", lambda original: describe_services(original, ecs))
    ecs._ACTION_MAP.update(UpdateService=ecs._update_service, DescribeServices=ecs._describe_services)
    replace(ecs, "_make_deployment", make_deployment)
    replace(ecs, "_task_ip", address_of_healthy_task)
    replace(ecs, "_stop_task", lambda original: stop_task_above_minimum_healthy_percent(original, ecs))
    replace(ecs, "_record_service_task_failure", lambda original: start_tasks_when_one_ends(original, ecs))
    replace(ecs, "_complete_service_deployment", lambda original: complete_when_old_tasks_are_gone(original, ecs))
    replace(
        ecs,
        "_schedule_service_deployment_completion",
        lambda original: complete_when_healthy(ecs, ecs._task_ip.__wrapped__),
    )


def make_deployment(original: Any) -> Any:
    """The first deployment of a service is IN_PROGRESS until its tasks run, as every other; not COMPLETED at once."""

    def make(definition: str, desired: int, status: str = "PRIMARY") -> Any:
        deployment = original(definition, desired, status)
        deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="ECS deployment in progress.")
        return deployment

    return make


def describe_services(original: Any, ecs: Any) -> Any:
    """DescribeServices lists a failed deployment until the service is back on another one. The emulator never ends."""

    def describe(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        found = [ecs._resolve_service_ref(ref) for ref in data.get("services") or []]
        for key in (f"{cluster}/{ref[0]}" for ref in found if ref):
            unlist_failed(ecs, key)
        return original(data)

    return describe


def unlist_failed(ecs: Any, key: str) -> None:
    """Take the deployments off the list that failed, gave way, and have no task left."""
    with ecs.resource_lock("ecs-service", key):
        service = ecs._services.get(key)
        if service:
            live = {task.get("_deployment_id") for task in list(ecs._tasks.values()) if is_live(task, ecs)}
            service["deployments"] = [
                deployment
                for deployment in service["deployments"]
                if deployment["status"] == "PRIMARY"
                or deployment.get("rolloutState") != "FAILED"
                or deployment["id"] in live
                or failed_lately(deployment)
            ]


def is_live(task: dict[str, Any], ecs: Any) -> bool:
    """Whether a task has not begun to stop."""
    return task.get("lastStatus") in ecs._PRE_STOP_STATUSES


def failed_lately(deployment: dict[str, Any]) -> bool:
    """Whether a deployment failed less than FAILED_LISTED_SECONDS ago: nothing changes it after that."""
    failed = datetime.fromisoformat(deployment["updatedAt"]).timestamp()
    return time.time() - failed < FAILED_LISTED_SECONDS


def update_service(original: Any, ecs: Any) -> Any:
    """A deployment that replaces an unfinished one stops that one's tasks first, and is the only PRIMARY one.

    The circuit breaker may trip in the middle: the emulator then makes the last good deployment PRIMARY beside the new
    one, for ever. On AWS the update that came last counts.
    """

    def update(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        found = ecs._resolve_service_ref(data.get("service", ""))
        key = f"{cluster}/{found[0]}" if found else ""
        service = ecs._services.get(key)
        if service is None:
            return original(data)
        if starts_deployment(service, data):
            stop_unfinished_tasks(ecs, service, cluster)
        answer = original(data)
        with ecs.resource_lock("ecs-service", key):
            first = ecs._primary_deployment(service)  # The newest one: it stands first.
            for deployment in service["deployments"]:
                if deployment["status"] == "PRIMARY" and deployment is not first:
                    deployment["status"] = "ACTIVE"
        return answer

    return update


def starts_deployment(service: dict[str, Any], data: dict[str, Any]) -> bool:
    """Whether UpdateService starts a deployment: not when the task definition is the service's present one.

    forceNewDeployment starts one in any case.
    """
    wanted = str(data.get("taskDefinition") or service["taskDefinition"])
    here = str(service["taskDefinition"])
    return bool(data.get("forceNewDeployment")) or wanted.rpartition("/")[2] != here.rpartition("/")[2]


def stop_unfinished_tasks(ecs: Any, service: dict[str, Any], cluster: str) -> None:
    """ECS stops the tasks of an unfinished deployment that is replaced before it stops a healthy task."""
    replaced = ecs._primary_deployment(service)
    if not replaced or replaced.get("rolloutState") != "IN_PROGRESS":
        return
    for arn, task in list(ecs._tasks.items()):
        mine = task.get("clusterArn") == service.get("clusterArn") and task.get("_deployment_id") == replaced["id"]
        if mine and not task.get("_startup_stable") and is_live(task, ecs):
            ecs._stop_task({"task": arn, "cluster": cluster, "reason": "Deployment replaced"})


def stop_task_above_minimum_healthy_percent(original: Any, ecs: Any) -> Any:
    """ECS stops a task to stay below maximumPercent only if minimumHealthyPercent of the desired count stay healthy.

    The emulator counts running tasks instead of healthy ones. Here the new task starts all the same, so there may be
    more tasks than the maximum; that does less harm than fewer than the minimum.
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


def start_tasks_when_one_ends(original: Any, ecs: Any) -> Any:
    """When a task of a replaced deployment ends, ECS starts the next new one, or calls the deployment COMPLETED.

    maximumPercent may have kept the new task from starting.
    """

    def record(task: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original(task, *args, **kwargs)
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        service = service_of(task, cluster, ecs)
        if service and ecs._deployment_for_task(service, task) is not ecs._primary_deployment(service):
            ecs._reconcile_service_tasks(cluster, f"{cluster}/{service['serviceName']}")
            ecs._complete_service_deployment(cluster, f"{cluster}/{service['serviceName']}")

    return record


def address_of_healthy_task(original: Any) -> Any:
    """A load balancer sends no request to a target before its first health check has passed."""

    def address(task: dict[str, Any]) -> Any:
        if task.get("group", "").startswith("service:") and not task.get("_startup_stable"):
            return None
        return original(task)

    address.__wrapped__ = original  # type: ignore[attr-defined]
    return address


def complete_when_healthy(ecs: Any, address: Callable[[dict[str, Any]], str | None]) -> Any:
    """A deployment is COMPLETED when its tasks are healthy; a task that fails its health checks is stopped.

    A task behind a load balancer is healthy once its target group's health check has passed. The circuit breaker counts
    the tasks that are not.
    """

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


def complete_when_old_tasks_are_gone(original: Any, ecs: Any) -> Any:
    """A deployment whose tasks are healthy is COMPLETED once those of the deployments before it have stopped.

    That is minutes later where a load balancer drains them. The emulator completes it first.
    """
    responses, looking = module("core.responses"), set[tuple[str, str]]()

    def complete(cluster: str, key: str, expected_deployment_id: str | None = None) -> None:
        service = ecs._services.get(key)
        if not service or service.get("status") != "ACTIVE":
            return
        with ecs.resource_lock("ecs-service", key):
            deployment = ecs._primary_deployment(service)
            if (
                not deployment
                or deployment.get("rolloutState") != "IN_PROGRESS"
                or expected_deployment_id not in (None, deployment["id"])
            ):
                return
            here = [task for task in list(ecs._tasks.values()) if task["clusterArn"].rpartition("/")[2] == cluster]
            ours = [task for task in here if service_of(task, cluster, ecs) is service]
            mine = [task for task in ours if task.get("_deployment_id") == deployment["id"]]
            healthy = [t for t in mine if t.get("lastStatus") == "RUNNING" and t.get("_startup_stable")]
            old = [t for t in ours if t.get("_deployment_id") != deployment["id"] and t.get("lastStatus") != "STOPPED"]
        if len(healthy) < service.get("desiredCount", 0):
            return
        for task in old:
            if is_live(task, ecs):
                ecs._stop_task({"task": task["taskArn"], "cluster": cluster, "reason": "Deployment completed"})
        if all(task.get("lastStatus") == "STOPPED" for task in old):
            original(cluster, key, expected_deployment_id)
        elif (again := (key, deployment["id"])) not in looking:
            looking.add(again)
            scope = (responses.get_account_id(), responses.get_region())
            ecs.spawn_background(lambda: look_again(cluster, again, scope), thread_name="ferryman-old-tasks")

    def look_again(cluster: str, again: tuple[str, str], scope: tuple[str, str]) -> None:
        """A task may end without anybody being told: one that was never started."""
        time.sleep(STEADY_SECONDS)
        looking.discard(again)
        with ecs.request_scope(*scope):
            complete(cluster, *again)

    return complete


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
