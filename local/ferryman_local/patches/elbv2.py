"""Corrections of the emulator's load balancers: targets are drained before their task stops.

On AWS a task of a service stops in this order: its targets are deregistered (state `draining`: they get no new request,
those in flight go on), then ECS waits until they are no longer `draining`, which is when the target group's
deregistration delay is over, then the containers get SIGTERM, and SIGKILL after their stopTimeout.

So that a local deployment takes seconds, the delay counts in full only where a target group has one of its own; ELB's
default of 300 seconds ends as soon as no request is in flight.

Sources: the Elastic Load Balancing User Guide ("Edit target group attributes": deregistration delay), the API reference
of Elastic Load Balancing (DescribeTargetHealth) and of ECS (StopTask, ContainerDefinition).
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ferryman_local.patches.ecs import service_of, stop_containers, stop_reason
from ferryman_local.patches.private_attributes import module, replace

DELAY_ATTRIBUTE = "deregistration_delay.timeout_seconds"
DELAY_SECONDS = 300.0
"""ELB's default."""


@dataclass(frozen=True)
class DrainingTarget:
    """A target of a task that stops, and its deregistration delay in seconds."""

    group: str
    address: str
    port: int
    seconds: float
    in_full: bool = False
    """Whether the delay passes although no request is in flight."""


def apply() -> None:
    """Put every correction of this file in place.

    To be called before ecs_deployments.apply, whose StopTask decides whether a task stops at all and then calls ours.
    """
    ecs, alb = module("services.ecs"), module("services.alb")
    in_flight = RequestsInFlight()
    replace(alb, "_forward_to_tg", lambda original: forward_to_target_group(original, alb, in_flight))
    replace(alb, "_describe_target_health", lambda original: describe_target_health(original, alb, in_flight))
    alb._ACTION_MAP.update(DescribeTargetHealth=alb._describe_target_health)
    replace(ecs, "_task_is_active", lambda original: task_is_active(original, ecs))
    replace(ecs, "_stop_task", lambda original: stop_task(original, ecs, alb, in_flight))
    ecs._ACTION_MAP.update(StopTask=ecs._stop_task)


class RequestsInFlight:
    """The number of requests in flight per target: from the choice of the target to the last byte of its answer."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._draining: list[DrainingTarget] = []
        self._changed = threading.Condition()

    def choose(self, group: str, registered: Callable[[], list[dict[str, Any]]]) -> dict[str, Any] | None:
        """Choose a target for a request, and count the request in the same moment.

        So whoever deregisters a target and then looks sees every request that it still gets.
        """
        with self._changed:
            targets = registered()
            if not targets:
                return None
            target = random.choice(targets)
            self._requests[group, target["Id"]] += 1
            return target

    def done(self, group: str, address: str) -> None:
        """A request to a target has ended."""
        with self._changed:
            self._requests[group, address] -= 1
            if not self._requests[group, address]:
                del self._requests[group, address]
                self._changed.notify_all()

    def drain(self, draining: list[DrainingTarget]) -> None:
        """These targets are about to be deregistered."""
        with self._changed:
            self._draining += draining

    def draining(self, group: str) -> list[DrainingTarget]:
        """Targets of a group that get no new request."""
        with self._changed:
            return [each for each in self._draining if each.group == group]

    def drained(self, draining: list[DrainingTarget]) -> bool:
        """Wait until these targets have no request in flight (True), or until their delay is over (False)."""
        start, empty = time.monotonic(), True
        with self._changed:
            for each in draining:
                key, end = (each.group, each.address), start + each.seconds
                if each.in_full:
                    self._changed.wait_for(lambda: False, max(end - time.monotonic(), 0))
                left = max(end - time.monotonic(), 0)
                empty &= self._changed.wait_for(lambda key=key: not self._requests.get(key), left)  # type: ignore[misc]
            self._draining = [each for each in self._draining if each not in draining]
        return empty


def forward_to_target_group(original: Any, alb: Any, in_flight: RequestsInFlight) -> Any:
    """A load balancer sends a request to one of the registered targets, or answers 503 if there is none.

    A request is in flight until its answer has been sent, complete or broken off.
    """

    async def forward(group: str, *request: Any, **more: Any) -> Any:
        found = alb._tgs.get(group)
        if not found or found.get("TargetType", "instance") not in ("instance", "ip"):
            return await original(group, *request, **more)
        target = in_flight.choose(group, lambda: alb._targets.get(group, []))
        if target is None:
            body = json.dumps({"message": "No registered targets in target group"}).encode()
            return 503, {"Content-Type": "application/json"}, body
        streams = False
        try:
            status, headers, body = await proxy_to_target(alb, target, found, *request, **more)
            streams = hasattr(body, "runner")
        finally:
            if not streams:
                in_flight.done(group, target["Id"])
        if streams:
            body = type(body)(stream_with_end(body.runner, lambda: in_flight.done(group, target["Id"])))
        return status, headers, body

    return forward


async def proxy_to_target(
    alb: Any,
    target: Any,
    group: Any,
    method: str,
    path: str,
    headers: Any,
    body: Any,
    query: Any,
    raw_query_string: str | None = None,
    raw_path: str | None = None,
) -> Any:
    """Send a request to the chosen target as the emulator does, with the path as the client wrote it."""
    return await alb._proxy_http_target(target, group, method, raw_path or path, headers, body, query, raw_query_string)


def stream_with_end(runner: Any, release: Callable[[], None]) -> Any:
    """The same stream of an answer; `release` is called at its end."""

    async def run(send: Any, receive: Any) -> None:
        try:
            await runner(send, receive)
        finally:
            release()

    return run


def describe_target_health(original: Any, alb: Any, in_flight: RequestsInFlight) -> Any:
    """DescribeTargetHealth lists a target as `draining` until its deregistration delay is over."""
    end = b"</TargetHealthDescriptions>"

    def describe(params: dict[str, Any]) -> Any:
        status, headers, body = original(params)
        asked = {target["Id"] for target in alb._parse_targets_param(params)}
        shown = "".join(
            f"<member><Target><Id>{each.address}</Id><Port>{each.port}</Port></Target>"
            "<TargetHealth><State>draining</State><Reason>Target.DeregistrationInProgress</Reason>"
            "<Description>Target deregistration is in progress</Description></TargetHealth></member>"
            for each in in_flight.draining(alb._p(params, "TargetGroupArn"))
            if not asked or each.address in asked
        )
        return status, headers, body.replace(end, shown.encode() + end)

    return describe


def task_is_active(original: Any, ecs: Any) -> Any:
    """A task that is drained and STOPPING still has containers to stop.

    For the emulator a task is over as soon as its desiredStatus is STOPPED.
    """

    def active(arn: str, task: dict[str, Any]) -> bool:
        if task.get("_drained") and task.get("lastStatus") == "STOPPING":
            return ecs._tasks.get(arn) is task and not task.get("_ecs_resetting")
        return bool(original(arn, task))

    return active


def stop_task(original: Any, ecs: Any, alb: Any, in_flight: RequestsInFlight) -> Any:
    """StopTask: a task behind a load balancer is DEACTIVATING until it is drained; then its containers are stopped."""

    def stop(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        task = ecs._resolve_task(data.get("task", ""), cluster) if cluster else None
        if task is None:
            return original(data)
        if task.get("desiredStatus") == "STOPPED":  # on its way: a second StopTask does not hurry it
            return ecs.json_response({"task": ecs._sanitize(task)})
        draining = targets_of(task, cluster, ecs, alb)
        reason = data.get("reason", "Task stopped by user")
        if not draining or not begin(task, reason, draining):
            return original(data)
        ecs._recount_cluster(cluster)
        ecs._refresh_service_state(cluster, task["group"])  # withdraws it
        answer = ecs.json_response({"task": ecs._sanitize(task)})
        name = f"ferryman-drain-{task['taskArn'].rpartition('/')[2][:8]}"
        ecs.spawn_background(lambda: end(task, reason, draining), thread_name=name)
        return answer

    def begin(task: dict[str, Any], reason: str, draining: list[DrainingTarget]) -> bool:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            if not ecs._task_is_active(task["taskArn"], task) or task.get("lastStatus") != "RUNNING":
                return False
            in_flight.drain(draining)
            ecs._bump_task_version(task)
            code, said = stop_reason(task, reason)
            task.update(
                desiredStatus="STOPPED",
                lastStatus="DEACTIVATING",
                stoppingAt=ecs._iso(),
                stopCode=code,
                stoppedReason=said,
            )
        return True

    def end(task: dict[str, Any], reason: str, draining: list[DrainingTarget]) -> None:
        in_flight.drained(draining)
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            task.update(_drained=True, lastStatus="STOPPING")
        stop_containers(task, ecs)
        ecs._mark_task_stopped(task["taskArn"], task, reason, "UserInitiated", exit_code=0)
        ecs._cleanup_task_resources(task, ecs._get_docker())
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        service = service_of(task, cluster, ecs)
        if service:  # the deployment that replaced it may have waited for this
            ecs._refresh_service_state(cluster, task["group"])
            ecs._complete_service_deployment(cluster, f"{cluster}/{service['serviceName']}")

    return stop


def targets_of(task: dict[str, Any], cluster: str, ecs: Any, alb: Any) -> list[DrainingTarget]:
    """The targets that a running task of a service is, or is about to be."""
    service = service_of(task, cluster, ecs)
    # The plain address: this task may become healthy, and so a target, while we look.
    address = ecs._task_ip.__wrapped__(task)
    if not service or not address or task.get("lastStatus") != "RUNNING":
        return []
    return [
        DrainingTarget(
            arn, address, int(balancer.get("containerPort", 80)), *deregistration_delay(alb._tg_attrs.get(arn, []))
        )
        for balancer in service.get("loadBalancers") or []
        if (arn := balancer.get("targetGroupArn")) in alb._tgs
    ]


def deregistration_delay(attributes: list[dict[str, str]]) -> tuple[float, bool]:
    """A target group's deregistration delay in seconds, and whether it is another one than ELB's default."""
    seconds = next((float(a["Value"]) for a in attributes if a["Key"] == DELAY_ATTRIBUTE), DELAY_SECONDS)
    return seconds, seconds != DELAY_SECONDS
