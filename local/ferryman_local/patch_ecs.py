"""Corrections of the emulator's ECS. Applied by patches.apply before the emulator serves."""

import http.client
import importlib.util
import json
import logging
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

from ferryman_local.engine import Engine
from ferryman_local.patching import module, replace
from ferryman_local.unpack import PullError

log = logging.getLogger("ferryman.ecs")

SCHEDULER_REASONS = (
    "Deployment completed",
    "Task definition updated",
    "Service scaling down",
    "Deployment capacity limit",
)
STEADY_SECONDS = 1.0
"""How long a task without a load balancer has to run before it counts as started."""
PROBE_SECONDS = 0.2


def apply(engine: Engine) -> None:
    """Put the process engine and every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_docker", lambda _: engine)
    if importlib.util.find_spec("docker") is None:
        stand_in_for_docker_errors()
    replace(ecs, "_run_docker_container", lambda original: missing_images_fail_the_pull(original, ecs))
    replace(ecs, "_attach_started_container", tasks_tell_their_digest)
    forwarders = Forwarders()
    replace(ecs, "_start_awslogs_forwarder", forwarders.started)
    replace(ecs, "_mark_task_stopped", lambda original: stopped_by_whom(original, forwarders))
    replace(ecs, "_run_task", lambda original: client_token(original, ecs))
    replace(ecs, "_update_service", lambda original: forget_failed_deployments(original, ecs))
    ecs._ACTION_MAP.update(RunTask=ecs._run_task, UpdateService=ecs._update_service)
    replace(ecs, "_make_deployment", first_deployments_take_time)
    replace(ecs, "_task_ip", only_healthy_targets)
    replace(
        ecs,
        "_schedule_service_deployment_completion",
        lambda original: completed_when_healthy(ecs, ecs._task_ip.__wrapped__),
    )


def stand_in_for_docker_errors() -> None:
    """The emulator imports one exception class from docker-py; without docker-py it gets ours."""
    package, errors = types.ModuleType("docker"), types.ModuleType("docker.errors")
    errors.ImageNotFound = PullError  # type: ignore[attr-defined]
    package.errors = errors  # type: ignore[attr-defined]
    sys.modules.setdefault("docker", package)
    sys.modules.setdefault("docker.errors", errors)


def missing_images_fail_the_pull(original: Any, ecs: Any) -> Any:
    """An image that cannot be pulled stops the task with CannotPullContainerError, for RunTask too."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except PullError as error:
            raise ecs._ImagePullError(str(error)) from error

    return run


def tasks_tell_their_digest(original: Any) -> Any:
    """containers[].imageDigest is the digest of the manifest that runs: an index's child for the platform."""

    def attach(task: dict[str, Any], container: Any, index: int, token: str, network: Any) -> bool:
        if index < len(task.get("containers", [])):
            task["containers"][index]["imageDigest"] = container.image.platform_digest
        return bool(original(task, container, index, token, network))

    return attach


class Forwarders:
    """A container that exited is reported only after its log was delivered, as Fargate's awslogs driver does."""

    def __init__(self) -> None:
        self._ended: dict[str, list[threading.Event]] = {}
        self._lock = threading.Lock()

    def started(self, original: Any) -> Any:
        """Know when each forwarder is done."""

        def start(container: Any, definition: dict[str, Any], task_id: str) -> None:
            if (definition.get("logConfiguration") or {}).get("logDriver") != "awslogs":
                return
            ended = threading.Event()
            with self._lock:
                self._ended.setdefault(task_id, []).append(ended)
            original(_Followed(container, ended), definition, task_id)

        return start

    def delivered(self, task_arn: str) -> None:
        """Wait, for a moment at most, until a task's logs are complete."""
        with self._lock:
            waiting = self._ended.pop(task_arn.rsplit("/", 1)[-1], [])
        for ended in waiting:
            ended.wait(2.0)


class _Followed:
    """A container whose log tells its end."""

    def __init__(self, container: Any, ended: threading.Event) -> None:
        self._container, self._ended, self.id = container, ended, container.id

    def logs(self, **how: Any) -> Any:
        try:
            yield from self._container.logs(**how)
        finally:
            self._ended.set()


def stopped_by_whom(original: Any, forwarders: Forwarders) -> Any:
    """A stopped container exits with 143, not 0; the scheduler's stops are ServiceSchedulerInitiated."""

    def mark(task_arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None) -> bool:
        if stop_code == "UserInitiated":
            ran = task.get("lastStatus") == "RUNNING"
            exit_code = 143 if ran else None
            if reason in SCHEDULER_REASONS:
                deployment = task.get("_deployment_id") or ""
                stop_code = "ServiceSchedulerInitiated"
                reason = f"Scaling activity initiated by (deployment {deployment})"
        elif stop_code == "EssentialContainerExited":
            forwarders.delivered(task_arn)
        return bool(original(task_arn, task, reason, stop_code, exit_code=exit_code))

    return mark


def client_token(original: Any, ecs: Any) -> Any:
    """RunTask with a known clientToken answers the same tasks; with other parameters it is a ConflictException."""
    known: dict[tuple[str, str, str], tuple[str, list[str]]] = {}
    lock = threading.Lock()

    def run(data: dict[str, Any]) -> Any:
        token = data.get("clientToken")
        if not token:
            return original(data)
        key = (ecs.get_account_id(), ecs.get_region(), token)
        wanted = json.dumps({k: v for k, v in data.items() if k != "clientToken"}, sort_keys=True)
        with lock:
            if key in known:
                before, arns = known[key]
                if before != wanted:
                    return ecs.error_response_json(
                        "ConflictException", f"The client token {token} was used before with other parameters.", 400
                    )
                tasks = [ecs._sanitize(ecs._tasks[arn]) for arn in arns if arn in ecs._tasks]
                return ecs.json_response({"tasks": tasks, "failures": []})
            answer = original({k: v for k, v in data.items() if k != "clientToken"})
            if answer[0] == 200:
                known[key] = (wanted, [task["taskArn"] for task in json.loads(answer[2])["tasks"]])
            return answer

    return run


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
        return original(data)

    return update


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
