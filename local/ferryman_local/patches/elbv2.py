"""Corrections of the emulator's load balancers: targets are drained. Applied by patches.apply before it serves.

On AWS a task of a service stops in this order: its targets are withdrawn (state `draining`: nothing new is sent, what
is under way goes on), then ECS waits until no request is left or the target group's deregistration delay is over, then
the containers get SIGTERM, and SIGKILL after their stopTimeout.
"""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ferryman_local.patches.ecs import cause, service_of
from ferryman_local.patches.private_attributes import module, replace

DELAY = "deregistration_delay.timeout_seconds"
DELAY_SECONDS = 300.0
STOP_SECONDS = 30.0
"""ECS's defaults, and ELB's."""


@dataclass(frozen=True)
class Place:
    """One target of a task, and how long it may take to drain."""

    group: str
    address: str
    port: int
    seconds: float


def apply() -> None:
    """Put every correction of this file in place; before patch_rollouts, which decides whether a task stops at all."""
    ecs, alb = module("services.ecs"), module("services.alb")
    traffic = Traffic()
    replace(alb, "_forward_to_tg", lambda original: counted(original, alb, traffic))
    replace(alb, "_describe_target_health", lambda original: draining_is_shown(original, alb, traffic))
    alb._ACTION_MAP.update(DescribeTargetHealth=alb._describe_target_health)
    replace(ecs, "_task_is_active", lambda original: drained_tasks_can_stop(original, ecs))
    replace(ecs, "_stop_task", lambda original: drained_first(original, ecs, alb, traffic))
    ecs._ACTION_MAP.update(StopTask=ecs._stop_task)


class Traffic:
    """How many requests are with each target, from the choice of the target to the last byte of its answer."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._draining: list[Place] = []
        self._changed = threading.Condition()

    def choose(self, group: str, registered: Callable[[], list[dict[str, Any]]]) -> dict[str, Any] | None:
        """A target, counted at once: who withdraws a target and then looks finds every request it still gets."""
        with self._changed:
            targets = registered()
            if not targets:
                return None
            target = random.choice(targets)
            self._requests[group, target["Id"]] += 1
            return target

    def done(self, group: str, address: str) -> None:
        """One request less."""
        with self._changed:
            self._requests[group, address] -= 1
            if not self._requests[group, address]:
                del self._requests[group, address]
                self._changed.notify_all()

    def drain(self, places: list[Place]) -> None:
        """These targets are about to be withdrawn."""
        with self._changed:
            self._draining += places

    def draining(self, group: str) -> list[Place]:
        """Targets that get nothing new any more."""
        with self._changed:
            return [place for place in self._draining if place.group == group]

    def drained(self, places: list[Place]) -> bool:
        """Wait until no request is with these targets (True), or until their delay is over."""
        start, empty = time.monotonic(), True
        with self._changed:
            for place in places:
                left = max(start + place.seconds - time.monotonic(), 0)
                key = (place.group, place.address)
                empty &= self._changed.wait_for(lambda key=key: not self._requests.get(key), left)  # type: ignore[misc]
            self._draining = [place for place in self._draining if place not in places]
        return empty


def counted(original: Any, alb: Any, traffic: Traffic) -> Any:
    """A request to a task is counted until its answer is out, whole or broken off."""

    async def forward(group: str, *request: Any, **more: Any) -> Any:
        found = alb._tgs.get(group)
        if not found or found.get("TargetType", "instance") not in ("instance", "ip"):
            return await original(group, *request, **more)
        target = traffic.choose(group, lambda: alb._targets.get(group, []))
        if target is None:
            body = json.dumps({"message": "No registered targets in target group"}).encode()
            return 503, {"Content-Type": "application/json"}, body
        streams = False
        try:
            status, headers, body = await proxied(alb, target, found, *request, **more)
            streams = hasattr(body, "runner")
        finally:
            if not streams:
                traffic.done(group, target["Id"])
        if streams:
            body = type(body)(released(body.runner, lambda: traffic.done(group, target["Id"])))
        return status, headers, body

    return forward


async def proxied(
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
    """What the emulator does once it has chosen: the path goes as the client wrote it."""
    return await alb._proxy_http_target(target, group, method, raw_path or path, headers, body, query, raw_query_string)


def released(runner: Any, release: Callable[[], None]) -> Any:
    """The same stream; its end is told."""

    async def run(send: Any, receive: Any) -> None:
        try:
            await runner(send, receive)
        finally:
            release()

    return run


def draining_is_shown(original: Any, alb: Any, traffic: Traffic) -> Any:
    """DescribeTargetHealth lists targets that are drained, as `draining`."""
    end = b"</TargetHealthDescriptions>"

    def describe(params: dict[str, Any]) -> Any:
        status, headers, body = original(params)
        asked = {target["Id"] for target in alb._parse_targets_param(params)}
        shown = "".join(
            f"<member><Target><Id>{place.address}</Id><Port>{place.port}</Port></Target>"
            "<TargetHealth><State>draining</State><Reason>Target.DeregistrationInProgress</Reason>"
            "<Description>Target deregistration is in progress</Description></TargetHealth></member>"
            for place in traffic.draining(alb._p(params, "TargetGroupArn"))
            if not asked or place.address in asked
        )
        return status, headers, body.replace(end, shown.encode() + end)

    return describe


def drained_tasks_can_stop(original: Any, ecs: Any) -> Any:
    """For the emulator a task whose desiredStatus is STOPPED is over; one that was drained still has to stop."""

    def active(arn: str, task: dict[str, Any]) -> bool:
        if task.get("_drained") and task.get("lastStatus") == "STOPPING":
            return ecs._tasks.get(arn) is task and not task.get("_ecs_resetting")
        return bool(original(arn, task))

    return active


def drained_first(original: Any, ecs: Any, alb: Any, traffic: Traffic) -> Any:
    """A task behind a load balancer is DEACTIVATING until it is drained; only then its containers are stopped."""

    def stop(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        task = ecs._resolve_task(data.get("task", ""), cluster) if cluster else None
        if task is None:
            return original(data)
        if task.get("desiredStatus") == "STOPPED":  # on its way: a second StopTask does not hurry it
            return ecs.json_response({"task": ecs._sanitize(task)})
        places = places_of(task, cluster, ecs, alb)
        reason = data.get("reason", "Task stopped by user")
        if not places or not begin(task, reason, places):
            return original(data)
        ecs._recount_cluster(cluster)
        ecs._refresh_service_state(cluster, task["group"])  # withdraws it
        answer = ecs.json_response({"task": ecs._sanitize(task)})
        name = f"ferryman-drain-{task['taskArn'].rpartition('/')[2][:8]}"
        ecs.spawn_background(lambda: end(task, reason, places), thread_name=name)
        return answer

    def begin(task: dict[str, Any], reason: str, places: list[Place]) -> bool:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            if not ecs._task_is_active(task["taskArn"], task) or task.get("lastStatus") != "RUNNING":
                return False
            traffic.drain(places)
            ecs._bump_task_version(task)
            code, said = cause(task, reason)
            task.update(
                desiredStatus="STOPPED",
                lastStatus="DEACTIVATING",
                stoppingAt=ecs._iso(),
                stopCode=code,
                stoppedReason=said,
            )
        return True

    def end(task: dict[str, Any], reason: str, places: list[Place]) -> None:
        traffic.drained(places)
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            task.update(_drained=True, lastStatus="STOPPING")
        stop_containers(task, ecs)
        ecs._mark_task_stopped(task["taskArn"], task, reason, "UserInitiated", exit_code=0)
        ecs._cleanup_task_resources(task, ecs._get_docker())

    return stop


def places_of(task: dict[str, Any], cluster: str, ecs: Any, alb: Any) -> list[Place]:
    """Where a running task of a service is, or is about to be, a target."""
    service = service_of(task, cluster, ecs)
    # The plain address: this task may become healthy, and so a target, while we look.
    address = ecs._task_ip.__wrapped__(task)
    if not service or not address or task.get("lastStatus") != "RUNNING":
        return []
    return [
        Place(arn, address, int(balancer.get("containerPort", 80)), delay(alb._tg_attrs.get(arn, [])))
        for balancer in service.get("loadBalancers") or []
        if (arn := balancer.get("targetGroupArn")) in alb._tgs
    ]


def delay(attributes: list[dict[str, str]]) -> float:
    """A target group's deregistration delay in seconds."""
    return next((float(a["Value"]) for a in attributes if a["Key"] == DELAY), DELAY_SECONDS)


def stop_containers(task: dict[str, Any], ecs: Any) -> None:
    """SIGTERM to each container, SIGKILL after its stopTimeout; its exit code is its own."""
    definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
    defined = definition.get("containerDefinitions", [])
    for index, container_id in enumerate(list(task.get("_docker_ids") or [])):
        patience = defined[index].get("stopTimeout") if index < len(defined) else None
        with contextlib.suppress(Exception):  # it may be gone already, and every engine has errors of its own
            container = ecs._get_docker().containers.get(container_id)
            container.stop(timeout=int(patience or STOP_SECONDS))
            code = container.wait(timeout=5)["StatusCode"]
            with ecs.resource_lock("ecs-task", task["taskArn"]):
                task["containers"][index]["exitCode"] = code
