"""Reading and changing ECS: each function is one question or one act, with the client as its argument.

Everything is translated: throttling and outages arrive as TransientError, all that a caller decides on as ClientError.
"""

from collections.abc import Iterable
from datetime import datetime

from botocore.exceptions import ClientError

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import (
    ECSClient,
    ECSDeployment,
    ECSService,
    ECSTask,
    ListTasksRequest,
    RegisterTaskDefinitionRequest,
    RunTaskAnswer,
    RunTaskRequest,
    TaskDefinition,
    UpdateServiceRequest,
)

_SERVICES_PER_CALL = 10
_TASKS_PER_CALL = 100


def services(ecs: ECSClient, cluster: str, names: Iterable[str]) -> dict[str, ECSService]:
    """Return the services by name as DescribeServices tells them; one that is missing is absent. INACTIVE ones stay."""
    wanted = list(dict.fromkeys(names))
    found: dict[str, ECSService] = {}
    for start in range(0, len(wanted), _SERVICES_PER_CALL):
        with translated():
            answer = ecs.describe_services(cluster=cluster, services=wanted[start : start + _SERVICES_PER_CALL])
        found |= {service["serviceName"]: service for service in answer["services"]}
    return found


def task_definition(ecs: ECSClient, arn: str) -> TaskDefinition:
    """Return a task definition (ARN, `family:revision` or family) as described, with its `tags` inside.

    Raise ClientError (`ClientException`) when it does not exist.
    """
    with translated():
        answer = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return {**answer["taskDefinition"], "tags": answer.get("tags", [])}


def find_task_definition(ecs: ECSClient, name: str) -> TaskDefinition | None:
    """Return a task definition like `task_definition`, or None when it does not exist."""
    try:
        return task_definition(ecs, name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClientException":
            return None
        raise


def register(ecs: ECSClient, definition: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """Register a task definition (fields of RegisterTaskDefinition only) and return it as described.

    Neither idempotent nor plentiful (1 per second sustained per account and region): look first.
    """
    with translated():
        answer = ecs.register_task_definition(**definition)
    return {**answer["taskDefinition"], "tags": answer.get("tags", definition.get("tags", []))}


def update_task_definition(ecs: ECSClient, cluster: str, service: str, arn: str, *, force: bool = False) -> ECSService:
    """Point a service at a task definition and return the service as answered; everything else of it stays as it is.

    Never sends desiredCount: autoscaling owns it. `force` starts a new deployment although the definition is the same.
    """
    request: UpdateServiceRequest = {"cluster": cluster, "service": service, "taskDefinition": arn}
    if force:
        request["forceNewDeployment"] = True
    with translated():
        return ecs.update_service(**request)["service"]


def primary(service: ECSService) -> ECSDeployment | None:
    """Return the deployment that a described service is on, or on its way to."""
    return next((found for found in service.get("deployments", []) if found["status"] == "PRIMARY"), None)


def replaced(service: ECSService) -> list[ECSDeployment]:
    """Return the deployments that were replaced and still have tasks: ECS lists them until these are gone.

    One that failed stays listed without any.
    """
    return [
        found
        for found in service.get("deployments", [])
        if found["status"] != "PRIMARY" and (found.get("rolloutState") != "FAILED" or found.get("runningCount"))
    ]


def running_tasks(ecs: ECSClient, cluster: str, service: str, task_definition: str) -> list[ECSTask]:
    """Return the tasks of a service that run, or are to run, on one task definition; those of others are not ours."""
    found = _tasks(ecs, {"cluster": cluster, "serviceName": service, "desiredStatus": "RUNNING"})
    return [task for task in found if task["taskDefinitionArn"] == task_definition]


def stopped_tasks(ecs: ECSClient, cluster: str, service: str, task_definition: str, since: datetime) -> list[ECSTask]:
    """Return a service's stopped tasks of one task definition made since then, the latest first.

    ECS keeps them for about an hour. A hundred are looked at: more say nothing new.
    """
    found = _tasks(ecs, {"cluster": cluster, "serviceName": service, "desiredStatus": "STOPPED"}, limit=_TASKS_PER_CALL)
    ours = [
        task
        for task in found
        if task["taskDefinitionArn"] == task_definition
        and (task.get("createdAt") is None or task["createdAt"] >= since)
    ]
    return sorted(ours, key=lambda task: str(task.get("stoppedAt", "")), reverse=True)


def tasks_started_by(ecs: ECSClient, cluster: str, started_by: str) -> list[ECSTask]:
    """Return the tasks that somebody started with RunTask, running or stopped (for about an hour)."""
    found: list[ECSTask] = []
    for status in ("RUNNING", "STOPPED"):
        # With startedBy, ListTasks accepts no other filter than the cluster and the desired status.
        found += _tasks(ecs, {"cluster": cluster, "startedBy": started_by, "desiredStatus": status})
    return found


def task(ecs: ECSClient, cluster: str, arn: str) -> ECSTask | None:
    """Return one task, or None when it is not listed (not yet, or no longer)."""
    return next(iter(_described(ecs, cluster, [arn])), None)


def instances(ecs: ECSClient, cluster: str, arns: Iterable[str]) -> dict[str, str]:
    """Return the EC2 instances that container instances are, by ARN; nothing is asked for none."""
    wanted = list(dict.fromkeys(arns))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _TASKS_PER_CALL):
        part = wanted[start : start + _TASKS_PER_CALL]
        with translated():
            answer = ecs.describe_container_instances(cluster=cluster, containerInstances=part)
        found |= {item["containerInstanceArn"]: item.get("ec2InstanceId", "") for item in answer["containerInstances"]}
    return found


def run_task(ecs: ECSClient, request: RunTaskRequest) -> RunTaskAnswer:
    """Start a task and return the whole answer: `tasks` and `failures`. An HTTP 200 may carry only failures."""
    with translated():
        return ecs.run_task(**request)


def stop_task(ecs: ECSClient, cluster: str, arn: str, reason: str) -> None:
    """Stop a task; one that stopped or is gone already is fine. Stopping twice changes nothing."""
    try:
        with translated():
            ecs.stop_task(cluster=cluster, task=arn, reason=reason[:255])
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidParameterException":
            raise


def _tasks(ecs: ECSClient, question: ListTasksRequest, limit: int | None = None) -> list[ECSTask]:
    cluster, request = question["cluster"], question.copy()
    arns: list[str] = []
    while True:
        with translated():
            page = ecs.list_tasks(**request)
        arns += page["taskArns"]
        if not page.get("nextToken") or (limit is not None and len(arns) >= limit):
            return _described(ecs, cluster, arns[:limit])
        request["nextToken"] = page["nextToken"]


def _described(ecs: ECSClient, cluster: str, arns: list[str]) -> list[ECSTask]:
    found: list[ECSTask] = []
    for start in range(0, len(arns), _TASKS_PER_CALL):
        with translated():
            found += ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + _TASKS_PER_CALL])["tasks"]
    return found
