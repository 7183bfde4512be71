"""An ECS that behaves like AWS where it matters: deployments, revisions, idempotent RunTask, lag, lost answers.

Methods are those of the boto3 client and take only what our code may send: an unknown argument (`desiredCount`!) is a
TypeError. What AWS does by itself (a rollout completes, the breaker trips) is done by the test through the other ones.
"""

import copy
import functools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

REGION = "arn:aws:ecs:eu-west-1:123456789012"
CLUSTER = f"{REGION}:cluster/scr-staging"
Raw = dict[str, Any]


def refusal(operation: str, code: str, message: str = "") -> ClientError:
    name = "".join(part.title() for part in operation.split("_"))
    return ClientError({"Error": {"Code": code, "Message": message or code}}, name)


def service_arn(name: str) -> str:
    return f"{REGION}:service/scr-staging/{name}"


def _faulty(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: "FakeEcs", **request: Any) -> Any:
        name = method.__name__
        self.calls[name] += 1
        if self._before.get(name):
            raise self._before[name].pop(0)
        answer = copy.deepcopy(method(self, **request))
        if self._after.get(name):
            raise self._after[name].pop(0)
        return answer

    return call


class FakeEcs:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.calls: Counter[str] = Counter()
        self._before: dict[str, list[Exception]] = {}
        self._after: dict[str, list[Exception]] = {}
        self._stale: list[Raw] = []
        self.definitions: dict[str, Raw] = {}
        self.services: dict[str, Raw] = {}
        self.tasks: dict[str, Raw] = {}
        self.unlisted: set[str] = set()
        """Tasks that are there and not listed yet."""
        self.protected: dict[str, datetime] = {}
        """Tasks that are protected from scale-in, and until when."""
        self.run_failures: list[Raw] = []
        self._tokens: dict[str, tuple[Raw, str]] = {}
        self._count = 0

    # ── faults ──

    def throttle(self, operation: str, times: int = 1) -> None:
        self._before.setdefault(operation, []).extend([refusal(operation, "ThrottlingException")] * times)

    def refuse(self, operation: str, code: str, message: str = "") -> None:
        self._before.setdefault(operation, []).append(refusal(operation, code, message))

    def lose_answer(self, operation: str) -> None:
        """The call works, and its answer never arrives."""
        self._after.setdefault(operation, []).append(ReadTimeoutError(endpoint_url="https://ecs.test"))

    def freeze_reads(self, times: int) -> None:
        """The next DescribeServices answer with what is true now, whatever happens meanwhile."""
        self._stale = [copy.deepcopy(self.services)] * times

    # ── what people and AWS do ──

    def new_definition(self, family: str, image: str, also: dict[str, str] | None = None, **more: Any) -> str:
        """`also`: further containers with their images, beside `app`."""
        container = {
            "name": "app",
            "image": image,
            "cpu": 0,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": f"/ecs/{family}", "awslogs-stream-prefix": "ecs"},
            },
        }
        sidecar = {"name": "aws-guardduty-agent", "image": "guardduty:1", "essential": False}
        others = [{"name": name, "image": other, "cpu": 0, "essential": False} for name, other in (also or {}).items()]
        definition = {"family": family, "containerDefinitions": [sidecar, container, *others], **more}
        answer = FakeEcs.register_task_definition.__wrapped__(self, **definition)  # type: ignore[attr-defined]
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def deregister(self, arn: str) -> None:
        self.definitions[arn]["status"] = "INACTIVE"

    def new_service(self, name: str, definition: str, desired: int = 1) -> None:
        self.services[name] = {
            "serviceName": name,
            "serviceArn": service_arn(name),
            "clusterArn": CLUSTER,
            "status": "ACTIVE",
            "taskDefinition": definition,
            "desiredCount": desired,
            "deployments": [],
            "events": [],
        }
        self._deploy(self.services[name], definition)
        self.complete(name)

    def deployment(self, service: str) -> Raw:
        return next(item for item in self.services[service]["deployments"] if item["status"] == "PRIMARY")  # type: ignore[no-any-return]

    def complete(self, service: str, digest: str | None = None, **containers: str) -> None:
        """The PRIMARY deployment is done: its tasks run, the others are gone.

        All containers run `digest`, except those that are named with their own.
        """
        found, deployment = self.services[service], self.deployment(service)
        deployment.update(rolloutState="COMPLETED", runningCount=found["desiredCount"])
        found["deployments"] = [deployment]
        for _ in range(found["desiredCount"]):
            self.add_task(service, digest or "sha256:new", containers)

    def add_task(self, service: str, digest: str, containers: dict[str, str] | None = None, **more: Any) -> Raw:
        deployment = self.deployment(service)
        names = [item["name"] for item in self.definitions[deployment["taskDefinition"]]["containerDefinitions"]]
        digests = {"aws-guardduty-agent": "sha256:guard", **(containers or {})}
        task = self._task(
            deployment["taskDefinition"],
            group=f"service:{service}",
            startedBy=deployment["id"],
            lastStatus="RUNNING",
            containers=[
                {"name": name, "lastStatus": "RUNNING", "imageDigest": digests.get(name, digest)} for name in names
            ],
        )
        task.update(more)
        return task

    def stop(
        self, task: Raw, exit_code: int | None = 1, stop_code: str = "EssentialContainerExited", reason: str = ""
    ) -> None:
        task.update(
            lastStatus="STOPPED",
            desiredStatus="STOPPED",
            stopCode=stop_code,
            stoppedReason=reason or "Essential container in task exited",
            stoppedAt=self._clock(),
        )
        for container in task["containers"]:
            container["lastStatus"] = "STOPPED"
            if container["name"] == "app" and exit_code is not None:
                container["exitCode"] = exit_code

    def trip_breaker(self, service: str, *, roll_back: bool = True) -> None:
        """As AWS does it: our deployment FAILED; the last good one PRIMARY and, to the eye, stable."""
        found, failed = self.services[service], self.deployment(service)
        failed.update(
            rolloutState="FAILED", rolloutStateReason="ECS deployment circuit breaker: tasks failed to start."
        )
        failed["failedTasks"] = 3
        if roll_back:
            failed["status"] = "ACTIVE"
            old = found["deployments"][-1]
            old.update(status="PRIMARY", rolloutState="COMPLETED")
            found["deployments"] = [old, failed]
            found["taskDefinition"] = old["taskDefinition"]

    def say(self, service: str, message: str) -> None:
        self.services[service]["events"].insert(0, {"id": "e", "createdAt": self._clock(), "message": message})

    # ── the client ──

    @_faulty
    def describe_services(self, cluster: str, services: list[str]) -> Raw:
        assert len(services) <= 10
        assert cluster == CLUSTER
        known = self._stale.pop(0) if self._stale else self.services
        return {"services": [known[name] for name in services if name in known], "failures": []}

    @_faulty
    def update_service(self, cluster: str, service: str, taskDefinition: str, forceNewDeployment: bool = False) -> Raw:  # noqa: N803
        assert cluster == CLUSTER
        if self.definitions[taskDefinition]["status"] != "ACTIVE":
            raise refusal("UpdateService", "ClientException", "TaskDefinition is inactive")
        found = self.services[service]
        if found["taskDefinition"] != taskDefinition or forceNewDeployment:
            self._deploy(found, taskDefinition)
        return {"service": found}

    @_faulty
    def describe_task_definition(self, taskDefinition: str, include: list[str]) -> Raw:  # noqa: N803
        found = self.definitions.get(taskDefinition)
        if found is None:
            active = [d for d in self.definitions.values() if d["family"] == taskDefinition and d["status"] == "ACTIVE"]
            found = active[-1] if active else None
        if found is None:
            raise refusal("DescribeTaskDefinition", "ClientException", "Unable to describe task definition.")
        return {"taskDefinition": {k: v for k, v in found.items() if k != "tags"}, "tags": found["tags"]}

    @_faulty
    def register_task_definition(self, **definition: Any) -> Raw:
        for name in (
            "taskDefinitionArn",
            "revision",
            "status",
            "requiresAttributes",
            "compatibilities",
            "registeredAt",
        ):
            assert name not in definition, f"RegisterTaskDefinition does not take {name}"
        tags = definition.pop("tags", [])
        revision = 1 + sum(1 for known in self.definitions.values() if known["family"] == definition["family"])
        arn = f"{REGION}:task-definition/{definition['family']}:{revision}"
        self.definitions[arn] = {
            **definition,
            "volumes": definition.get("volumes", []),
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "compatibilities": ["EC2", "FARGATE"],
            "requiresAttributes": [{"name": "ecs.capability"}],
            "registeredAt": self._clock(),
            "registeredBy": "arn:aws:iam::123456789012:root",
            "tags": tags,
        }
        described = {k: v for k, v in self.definitions[arn].items() if k != "tags"}
        return {"taskDefinition": described, "tags": tags}

    @_faulty
    def list_tasks(
        self,
        cluster: str,
        desiredStatus: str,  # noqa: N803
        serviceName: str | None = None,  # noqa: N803
        startedBy: str | None = None,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
    ) -> Raw:
        assert serviceName is None or startedBy is None, "ListTasks takes startedBy alone"
        return {
            "taskArns": [
                arn
                for arn, task in self.tasks.items()
                if task["desiredStatus"] == desiredStatus
                and arn not in self.unlisted
                and (serviceName is None or task["group"] == f"service:{serviceName}")
                and (startedBy is None or task["startedBy"] == startedBy)
            ]
        }

    @_faulty
    def describe_tasks(self, cluster: str, tasks: list[str]) -> Raw:
        return {"tasks": [self.tasks[arn] for arn in tasks if arn in self.tasks and arn not in self.unlisted]}

    @_faulty
    def run_task(self, clientToken: str, startedBy: str, taskDefinition: str, **request: Any) -> Raw:  # noqa: N803
        assert len(clientToken) <= 64
        assert len(startedBy) <= 36
        wanted = {**request, "startedBy": startedBy, "taskDefinition": taskDefinition}
        if clientToken in self._tokens:
            before, arn = self._tokens[clientToken]
            if before != wanted:
                raise refusal("RunTask", "ConflictException")
            return {"tasks": [self.tasks[arn]], "failures": []}
        if self.run_failures:
            return {"tasks": [], "failures": self.run_failures}
        task = self._task(
            taskDefinition,
            group=f"family:{taskDefinition.rsplit('/', 1)[-1].split(':')[0]}",
            startedBy=startedBy,
            lastStatus="PROVISIONING",
            overrides=request["overrides"],
            containers=[
                {"name": "aws-guardduty-agent", "lastStatus": "PENDING"},
                {"name": "app", "lastStatus": "PENDING"},
            ],
        )
        self._tokens[clientToken] = (wanted, task["taskArn"])
        return {"tasks": [task], "failures": []}

    @_faulty
    def describe_container_instances(self, cluster: str, containerInstances: list[str]) -> Raw:  # noqa: N803
        assert len(containerInstances) <= 100
        return {
            "containerInstances": [
                {"containerInstanceArn": arn, "ec2InstanceId": f"i-{arn.rpartition('/')[2]}"}
                for arn in containerInstances
            ],
            "failures": [],
        }

    @_faulty
    def get_task_protection(self, cluster: str, tasks: list[str]) -> Raw:
        assert 1 <= len(tasks) <= 100
        here = [arn for arn in tasks if arn in self.tasks and self.tasks[arn]["lastStatus"] != "STOPPED"]
        told = []
        for arn in here:
            until = self.protected.get(arn)
            protected = until is not None and until > self._clock()
            told.append(
                {"taskArn": arn, "protectionEnabled": protected, **({"expirationDate": until} if protected else {})}
            )
        return {
            "protectedTasks": told,
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in tasks if arn not in here],
        }

    @_faulty
    def stop_task(self, cluster: str, task: str, reason: str) -> Raw:
        found = self.tasks[task]
        found.update(desiredStatus="STOPPED", stopCode="UserInitiated", stoppedReason=reason)
        return {"task": found}

    # ── inside ──

    def _deploy(self, service: Raw, definition: str) -> None:
        self._count += 1
        for old in service["deployments"]:
            old["status"] = "ACTIVE"
        made = {
            "id": f"ecs-svc/{self._count:04d}",
            "status": "PRIMARY",
            "taskDefinition": definition,
            "desiredCount": service["desiredCount"],
            "runningCount": 0,
            "pendingCount": 0,
            "failedTasks": 0,
            "rolloutState": "IN_PROGRESS",
            "createdAt": self._clock(),
        }
        service["deployments"].insert(0, made)
        service["taskDefinition"] = definition

    def _task(self, definition: str, **more: Any) -> Raw:
        self._count += 1
        arn = f"{REGION}:task/scr-staging/{self._count:032x}"
        self.tasks[arn] = {
            "taskArn": arn,
            "clusterArn": CLUSTER,
            "taskDefinitionArn": definition,
            "desiredStatus": "RUNNING",
            "createdAt": self._clock(),
            **more,
        }
        return self.tasks[arn]


class FakeLogs:
    """CloudWatch Logs: streams that tests fill."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}

    def write(self, group: str, stream: str, *lines: str) -> None:
        self.streams.setdefault((group, stream), []).extend(lines)

    def get_log_events(self, logGroupName: str, logStreamName: str, limit: int, startFromHead: bool) -> Raw:  # noqa: N803
        lines = self.streams.get((logGroupName, logStreamName))
        if lines is None:
            raise refusal("GetLogEvents", "ResourceNotFoundException")
        assert not startFromHead
        return {"events": [{"message": line, "timestamp": 0} for line in lines[-limit:]]}
