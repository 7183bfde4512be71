"""ECS: rolling deployments with a scheduler and a circuit breaker, one-off tasks, task definitions.

What a deployment does next is one pure function, `advanced`. Facts: docs/reference/aws-facts.md#rollouts.
"""

from collections.abc import Callable
from typing import Any, Protocol

from simulation.aws.errors import refusal
from simulation.aws.registry import Image
from simulation.scheduler import Scheduler

REGION = "arn:aws:ecs:eu-west-1:123456789012"
Raw = dict[str, Any]
TICK = 20.0
"""Seconds in which a deployment makes one step: a task starts, or fails."""
STALE_SECONDS = 50.0
"""How old a stale answer can be; a minute is what the operator allows for (`decisions.rollout_verdict.UNLISTED`)."""
DRAINS = 3
"""Steps in which old tasks drain, once all new ones are healthy."""


def advanced(deployment: Raw, runs: str) -> str:
    """Make one step of a deployment in progress. Pure but for it.

    Return `""`, `draining` (the new tasks run), `completed`, `failed-task` or `tripped`.

    The breaker trips after three failed tasks (half of the desired count, at least 3).
    """
    if deployment["rolloutState"] != "IN_PROGRESS":
        return ""
    if runs in ("well", "ill"):
        deployment["runningCount"] = min(deployment["desiredCount"], deployment["runningCount"] + 1)
        if deployment["runningCount"] < deployment["desiredCount"]:
            return ""
        if deployment["drains"] > 0:
            deployment["drains"] -= 1
            return "draining"
        deployment["rolloutState"] = "COMPLETED"
        return "completed"
    if runs == "hangs":
        deployment["pendingCount"] = 1
        return ""
    deployment["failedTasks"] += 1
    if deployment["failedTasks"] < 3:
        return "failed-task"
    deployment["rolloutState"] = "FAILED"
    deployment["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
    return "tripped"


class Publish(Protocol):
    """Gives an event to EventBridge."""

    def __call__(self, source: str, kind: str, resources: list[str], detail: Raw) -> None:
        """Publish it."""


class Ecs:
    """The clusters of one account."""

    def __init__(self, scheduler: Scheduler, image_of: Callable[[str], Image | None], publish: Publish) -> None:
        self._scheduler, self._image_of, self._publish = scheduler, image_of, publish
        self.definitions: dict[str, Raw] = {}
        self.services: dict[str, Raw] = {}
        self.tasks: dict[str, Raw] = {}
        self._tokens: dict[str, tuple[Raw, str]] = {}
        self._past: dict[str, list[tuple[float, Raw | None]]] = {}
        """Service → what it was, when."""
        self._born: dict[str, float] = {}
        self._count = 0
        self.trouble: Callable[[str], str] = lambda service: ""
        """Asked when a task starts: `""`, or `crashes` or `hangs` for reasons that are not the image's."""
        self.drains: Callable[[str], int] = lambda service: DRAINS
        """Asked when a deployment begins: in how many steps the old tasks of the service drain."""

    # ── what exists before the operator ──

    def create_service(self, cluster: str, name: str, family: str, image: str, desired: int = 2) -> None:
        """Create a service that runs an image."""
        arn = self.define(family, image)
        service = {
            "serviceName": name,
            "serviceArn": f"{REGION}:service/{cluster}/{name}",
            "clusterArn": f"{REGION}:cluster/{cluster}",
            "status": "ACTIVE",
            "schedulingStrategy": "REPLICA",
            "taskDefinition": arn,
            "desiredCount": desired,
            "deploymentController": {"type": "ECS"},
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            "deployments": [],
            "events": [],
        }
        self.services[name] = service
        made = self._deployment(service, arn)
        made.update(rolloutState="COMPLETED", runningCount=desired)
        service["deployments"] = [made]
        self._run_tasks(service, made)
        self._changed(name)

    def define(self, family: str, image: str) -> str:
        """Register a task definition with one container, `app`."""
        answer = self.register_task_definition(
            {
                "family": family,
                "networkMode": "awsvpc",
                "executionRoleArn": f"arn:aws:iam::123456789012:role/{family}-execution",
                "requiresCompatibilities": ["FARGATE"],
                "cpu": "256",
                "memory": "512",
                "containerDefinitions": [{"name": "app", "image": image, "essential": True}],
            }
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def changed_by_hand(self, name: str) -> None:
        """Give a service a task definition with more memory and the image that it runs, as a person would."""
        known = self.definitions[self.services[name]["taskDefinition"]]
        image = known["containerDefinitions"][0]["image"]
        self.update_service({"service": name, "taskDefinition": self.define(known["family"], image)})

    def scaled(self, name: str) -> None:
        """Have autoscaling add a task to a service, or take it away again."""
        service = self.services[name]
        service["desiredCount"] = 5 - service["desiredCount"]
        primary = next(item for item in service["deployments"] if item["status"] == "PRIMARY")
        primary["desiredCount"] = service["desiredCount"]
        if primary["rolloutState"] == "COMPLETED":
            primary["runningCount"] = service["desiredCount"]
            self._run_tasks(service, primary)
        self._changed(name)

    def running_image(self, service: str) -> Image | None:
        """Return the image of the tasks that answer now."""
        for deployment in self.services[service]["deployments"]:
            if deployment["runningCount"] > 0:
                return self._image(deployment["taskDefinition"])
        return None

    # ── the client's operations ──

    def describe_services(self, request: Raw, *, stale: bool = False) -> Raw:
        """DescribeServices; a stale answer is at most `STALE_SECONDS` old."""
        found = {}
        for name in request["services"]:
            known = self._as_of(name, self._scheduler.seconds - STALE_SECONDS) if stale else self.services.get(name)
            if known is not None and known["clusterArn"].endswith(request["cluster"].rsplit("/", 1)[-1]):
                found[name] = copied(known)
        return {"services": list(found.values()), "failures": []}

    def update_service(self, request: Raw) -> Raw:
        """UpdateService with a task definition: the same one starts no deployment unless it is forced."""
        known = {"cluster", "service", "taskDefinition", "forceNewDeployment"}
        assert not set(request) - known, f"UpdateService was sent {set(request) - known}"
        service, arn = self.services[request["service"]], request["taskDefinition"]
        if self.definitions[arn]["status"] != "ACTIVE":
            raise refusal("UpdateService", "ClientException", "TaskDefinition is inactive")
        if service["taskDefinition"] != arn or request.get("forceNewDeployment"):
            for old in service["deployments"]:
                old["status"] = "ACTIVE"
            made = self._deployment(service, arn)
            service["deployments"].insert(0, made)
            service["taskDefinition"] = arn
            self._scheduler.after(TICK, lambda: self._advance(service, made["id"]))
            self._changed(request["service"])
        return {"service": copied(service)}

    def describe_task_definition(self, request: Raw) -> Raw:
        """DescribeTaskDefinition, by ARN, `family:revision` or family."""
        name = request["taskDefinition"].rsplit("/", 1)[-1]
        found = [item for arn, item in self.definitions.items() if arn.rsplit("/", 1)[-1] == name]
        if not found:
            found = [item for item in self.definitions.values() if item["family"] == name and _active(item)]
        if not found:
            raise refusal("DescribeTaskDefinition", "ClientException", "Unable to describe task definition.")
        return {"taskDefinition": {k: v for k, v in found[-1].items() if k != "tags"}, "tags": found[-1]["tags"]}

    def register_task_definition(self, request: Raw) -> Raw:
        """RegisterTaskDefinition: always another revision."""
        tags = request.get("tags", [])
        body = {name: value for name, value in request.items() if name != "tags"}
        revision = 1 + sum(1 for known in self.definitions.values() if known["family"] == body["family"])
        arn = f"{REGION}:task-definition/{body['family']}:{revision}"
        self.definitions[arn] = {
            **copied(body),
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registeredAt": self._scheduler.now(),
            "tags": tags,
        }
        return {"taskDefinition": {k: v for k, v in self.definitions[arn].items() if k != "tags"}, "tags": tags}

    def list_tasks(self, request: Raw, *, stale: bool = False) -> Raw:
        """ListTasks, by service or by `startedBy`; a stale answer lacks what is new."""
        assert "serviceName" not in request or "startedBy" not in request, "ListTasks takes startedBy alone"
        group, by = f"service:{request.get('serviceName')}", request.get("startedBy")
        arns = [
            arn
            for arn, task in self.tasks.items()
            if task["desiredStatus"] == request["desiredStatus"]
            and (task["startedBy"] == by if by is not None else task["group"] == group)
            and not (stale and self._is_new(arn))
        ]
        return {"taskArns": arns}

    def describe_tasks(self, request: Raw, *, stale: bool = False) -> Raw:
        """DescribeTasks; a stale answer lacks what is new."""
        found = [arn for arn in request["tasks"] if arn in self.tasks and not (stale and self._is_new(arn))]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in request["tasks"] if arn not in found]
        return {"tasks": [copied(self.tasks[arn]) for arn in found], "failures": missing}

    def get_task_protection(self, request: Raw) -> Raw:
        """GetTaskProtection: no task here protects itself."""
        found = [arn for arn in request["tasks"] if arn in self.tasks and self.tasks[arn]["lastStatus"] != "STOPPED"]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in request["tasks"] if arn not in found]
        return {"protectedTasks": [{"taskArn": arn, "protectionEnabled": False} for arn in found], "failures": missing}

    def run_task(self, request: Raw) -> Raw:
        """RunTask: the same `clientToken` gives the same task."""
        token, wanted = request["clientToken"], {k: v for k, v in request.items() if k != "clientToken"}
        if token in self._tokens:
            before, arn = self._tokens[token]
            if before != wanted:
                raise refusal("RunTask", "ConflictException")
            return {"tasks": [copied(self.tasks[arn])], "failures": []}
        family = request["taskDefinition"].rsplit("/", 1)[-1].split(":")[0]
        cluster = request["cluster"].rsplit("/", 1)[-1]
        task = self._task(cluster, request["taskDefinition"], f"family:{family}", request["startedBy"], "PROVISIONING")
        task["overrides"] = copied(request["overrides"])
        self._tokens[token] = (wanted, task["taskArn"])
        self._scheduler.after(TICK, lambda: self._start_task(task))
        return {"tasks": [copied(task)], "failures": []}

    def stop_task(self, request: Raw) -> Raw:
        """StopTask: it ends some seconds later."""
        task = self.tasks.get(request["task"])
        if task is None:
            raise refusal("StopTask", "InvalidParameterException", "The referenced task was not found.")
        if task["desiredStatus"] == "RUNNING":
            task.update(desiredStatus="STOPPED", stopCode="UserInitiated", stoppedReason=request.get("reason", ""))
            self._scheduler.after(5, lambda: self._stop_task(task, 137, "UserInitiated"))
        return {"task": copied(task)}

    # ── deployments ──

    def _advance(self, service: Raw, deployment_id: str) -> None:
        deployment = next((item for item in service["deployments"] if item["id"] == deployment_id), None)
        if deployment is None or deployment["status"] != "PRIMARY":
            return
        image = self._image(deployment["taskDefinition"])
        runs = self.trouble(service["serviceName"]) or (image.runs if image is not None else "crashes")
        became = advanced(deployment, runs)
        if became in ("failed-task", "tripped"):
            self._failed_task(service, deployment)
        if became in ("draining", "completed") and not self._runs(deployment):
            self._run_tasks(service, deployment)
        if became == "completed":
            service["deployments"] = [deployment]
            self._told(service, deployment, "SERVICE_DEPLOYMENT_COMPLETED")
        elif became == "tripped":
            self._roll_back(service, deployment)
            self._told(service, deployment, "SERVICE_DEPLOYMENT_FAILED")
        self._changed(service["serviceName"])
        if deployment["rolloutState"] == "IN_PROGRESS":
            self._scheduler.after(TICK, lambda: self._advance(service, deployment_id))

    def _roll_back(self, service: Raw, failed: Raw) -> None:
        """Roll back as the circuit breaker does: the last completed deployment's definition, as a deployment."""
        good = [item for item in service["deployments"] if item["rolloutState"] == "COMPLETED"]
        if not good:
            return
        failed["status"] = "ACTIVE"
        old = good[0]
        old["status"] = "PRIMARY"
        service["deployments"] = [old, failed]
        service["taskDefinition"] = old["taskDefinition"]

    def _told(self, service: Raw, deployment: Raw, name: str) -> None:
        detail = {"eventType": "INFO", "eventName": name, "deploymentId": deployment["id"], "reason": ""}
        self._publish("aws.ecs", "ECS Deployment State Change", [service["serviceArn"]], detail)

    def _deployment(self, service: Raw, definition: str) -> Raw:
        self._count += 1
        return {
            "id": f"ecs-svc/{self._count:019d}",
            "status": "PRIMARY",
            "taskDefinition": definition,
            "desiredCount": service["desiredCount"],
            "runningCount": 0,
            "pendingCount": 0,
            "failedTasks": 0,
            "rolloutState": "IN_PROGRESS",
            "createdAt": self._scheduler.now(),
            "drains": self.drains(service["serviceName"]),
        }

    # ── tasks ──

    def _runs(self, deployment: Raw) -> bool:
        return any(
            task["startedBy"] == deployment["id"] and task["lastStatus"] == "RUNNING" for task in self.tasks.values()
        )

    def _run_tasks(self, service: Raw, deployment: Raw) -> None:
        group = f"service:{service['serviceName']}"
        for arn in [arn for arn, task in self.tasks.items() if task["group"] == group]:
            del self.tasks[arn]
        cluster = service["clusterArn"].rsplit("/", 1)[-1]
        for _ in range(service["desiredCount"]):
            task = self._task(cluster, deployment["taskDefinition"], group, deployment["id"], "RUNNING")
            task["startedAt"] = self._scheduler.now()

    def _failed_task(self, service: Raw, deployment: Raw) -> None:
        group, cluster = f"service:{service['serviceName']}", service["clusterArn"].rsplit("/", 1)[-1]
        task = self._task(cluster, deployment["taskDefinition"], group, deployment["id"], "RUNNING")
        task["startedAt"] = self._scheduler.now()
        self._stop_task(task, 1, "EssentialContainerExited")

    def _task(self, cluster: str, definition: str, group: str, by: str, status: str) -> Raw:
        self._count += 1
        arn = f"{REGION}:task/{cluster}/{self._count:032x}"
        image = self.definitions[definition]["containerDefinitions"][0]["image"]
        container = {"name": "app", "lastStatus": status, "image": image, "runtimeId": f"{self._count:032x}"}
        if "@" in image:
            container["imageDigest"] = image.rsplit("@", 1)[-1]
        self.tasks[arn] = {
            "taskArn": arn,
            "clusterArn": f"{REGION}:cluster/{cluster}",
            "taskDefinitionArn": definition,
            "group": group,
            "startedBy": by,
            "desiredStatus": "RUNNING",
            "lastStatus": status,
            "createdAt": self._scheduler.now(),
            "containers": [container],
        }
        self._born[arn] = self._scheduler.seconds
        return self.tasks[arn]

    def _start_task(self, task: Raw) -> None:
        if task["desiredStatus"] != "RUNNING":
            return
        task.update(lastStatus="RUNNING", startedAt=self._scheduler.now())
        task["containers"][0]["lastStatus"] = "RUNNING"
        image = self._image(task["taskDefinitionArn"])
        if image is not None and image.migrates == "hangs":
            return
        failed = image is None or image.migrates != "well"
        self._scheduler.after(TICK, lambda: self._stop_task(task, 1 if failed else 0, "EssentialContainerExited"))

    def _stop_task(self, task: Raw, exit_code: int, code: str) -> None:
        if task["lastStatus"] == "STOPPED":
            return
        task.setdefault("stopCode", code)
        task.setdefault("stoppedReason", "Essential container in task exited")
        task.update(lastStatus="STOPPED", desiredStatus="STOPPED", stoppedAt=self._scheduler.now())
        task["containers"][0].update(lastStatus="STOPPED")
        if "startedAt" in task:
            task["containers"][0]["exitCode"] = exit_code
        detail = {**copied(task), "version": 1}
        self._publish("aws.ecs", "ECS Task State Change", [task["taskArn"]], detail)

    # ── inside ──

    def _image(self, definition: str) -> Image | None:
        image = str(self.definitions[definition]["containerDefinitions"][0]["image"])
        return self._image_of(image)

    def _is_new(self, arn: str) -> bool:
        return self._scheduler.seconds - self._born[arn] < STALE_SECONDS

    def _changed(self, name: str) -> None:
        self._past.setdefault(name, []).append((self._scheduler.seconds, copied(self.services[name])))

    def _as_of(self, name: str, at: float) -> Raw | None:
        older = [raw for then, raw in self._past.get(name, []) if then <= at]
        return older[-1] if older else self._past[name][0][1] if name in self._past else None


def _active(definition: Raw) -> bool:
    return bool(definition["status"] == "ACTIVE")


def copied(data: Any) -> Any:
    """Return a copy of plain data: `copy.deepcopy` without its care for what there is not here."""
    if isinstance(data, dict):
        return {name: copied(item) for name, item in data.items()}
    return [copied(item) for item in data] if isinstance(data, list) else data
