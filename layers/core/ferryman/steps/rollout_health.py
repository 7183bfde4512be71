"""Whether the tasks of a rollout are healthy, and how long ECS may take to stop the old ones. Called by watch_rollout.

A task is healthy once it runs, its essential containers pass their own health checks, and each target group of the
service has it as a healthy target: what ECS itself looks at before it stops old tasks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ferryman.clients import ecs as edge
from ferryman.clients import target_groups
from ferryman.clients.aws_errors import Refusal, code_and_sentence
from ferryman.clients.aws_types import ECSClient, ECSService, ECSTask, MakeClient, TaskDefinition
from ferryman.clients.target_groups import Target
from ferryman.decisions import rollout_time
from ferryman.decisions.rollout_time import Pace, TargetGroup


@dataclass(frozen=True)
class Health:
    """Whether all tasks are healthy; None: nobody can tell, and `unread` says why."""

    healthy: bool | None
    unread: str = ""


def health(
    tasks: list[ECSTask], definition: TaskDefinition, service: ECSService, *, ecs: ECSClient, client: MakeClient
) -> Health:
    """Return whether as many of a deployment's running tasks are healthy as the service desires.

    `client` makes the clients that only services behind a load balancer need.
    """
    desired = service.get("desiredCount", 0)
    well = [task for task in tasks if _runs_well(task, definition)]
    if len(well) < desired:
        return Health(False)
    balancers = service.get("loadBalancers", [])
    if not desired or not balancers:
        return Health(True)
    if any(not balancer.get("targetGroupArn") for balancer in balancers):
        return Health(None, "It is behind a Classic Load Balancer, so only ECS can tell whether its tasks are healthy.")
    try:
        on_instances = [task.get("containerInstanceArn", "") for task in well if not _addresses(task)]
        instances = edge.instances(ecs, service["clusterArn"], filter(None, on_instances))
        elb = client("elbv2")
        for group in dict.fromkeys(balancer["targetGroupArn"] for balancer in balancers):
            healthy = target_groups.healthy_targets(elb, group)
            places = [item for item in balancers if item["targetGroupArn"] == group]
            well = [
                task
                for task in well
                if all(
                    _targets(task, item.get("containerName", ""), item.get("containerPort", 0), instances) & healthy
                    for item in places
                )
            ]
    except Refusal as error:
        return Health(None, f"Whether its tasks are healthy could not be read: {code_and_sentence(error)[1]}.")
    return Health(len(well) >= desired)


def pace(service: ECSService, definitions: Iterable[TaskDefinition], groups: dict[str, TargetGroup]) -> Pace:
    """Return what decides how long a rollout of a service takes. Pure. `definitions`: those of old and new tasks."""
    configuration = service.get("deploymentConfiguration", {})
    containers = [item for definition in definitions for item in definition["containerDefinitions"]]
    alarms = configuration.get("alarms", {}).get("enable", False)
    baked = configuration.get("bakeTimeInMinutes")
    bake = rollout_time.BAKE_SECONDS if baked is None else baked * 60
    return Pace(
        desired=service.get("desiredCount", 0),
        minimum_percent=configuration.get("minimumHealthyPercent", 100),
        maximum_percent=configuration.get("maximumPercent", 200),
        groups=tuple(groups[arn] for arn in groups_of(service) if arn in groups),
        stop_seconds=max((item.get("stopTimeout", rollout_time.STOP_SECONDS) for item in containers), default=0),
        check_seconds=max(
            (check.get("interval", 30) for item in containers if (check := item.get("healthCheck"))), default=0
        ),
        bake_seconds=bake if alarms else 0,
    )


def drain_seconds(
    service: ECSService, definitions: list[TaskDefinition], *, client: MakeClient, protected_seconds: int = 0
) -> int:
    """Return how long ECS may take to stop the old tasks. What can't be read counts as ELB's defaults."""
    arns = groups_of(service)
    try:
        groups = target_groups.settings(client("elbv2"), arns) if arns else {}
    except Refusal:
        groups = {arn: TargetGroup("", 30, 5, 300) for arn in arns}
    return rollout_time.drain_seconds(pace(service, definitions, groups), protected_seconds)


def groups_of(service: ECSService) -> list[str]:
    """Return the ARNs of a service's target groups."""
    found = [item.get("targetGroupArn", "") for item in service.get("loadBalancers", [])]
    return list(dict.fromkeys(filter(None, found)))


def _runs_well(task: ECSTask, definition: TaskDefinition) -> bool:
    """Whether a task runs and each essential container with a health check passes it.

    The task's own status is no proof: it stays UNKNOWN where an essential container has no check, or none has one.
    Source: model `HealthCheck`.
    """
    if task.get("lastStatus") != "RUNNING" or task.get("desiredStatus") == "STOPPED":
        return False
    told = {item["name"]: item.get("healthStatus") for item in task.get("containers", [])}
    checked = [
        item["name"]
        for item in definition["containerDefinitions"]
        if item.get("healthCheck") and item.get("essential", True)
    ]
    return task.get("healthStatus") != "UNHEALTHY" and all(told.get(name) == "HEALTHY" for name in checked)


def _targets(task: ECSTask, container: str, port: int, instances: dict[str, str]) -> set[Target]:
    """Return what a target group may know a task by: its own addresses, or its instance and the port there."""
    addresses = _addresses(task)
    if addresses:
        return {(address, port) for address in addresses}
    instance = instances.get(task.get("containerInstanceArn", ""))
    bindings = [
        binding
        for item in task.get("containers", [])
        if item["name"] == container
        for binding in item.get("networkBindings", [])
        if binding.get("containerPort") == port
    ]
    # In the network mode `host` there is no binding: the port is the same.
    return {(instance, binding.get("hostPort", port)) for binding in bindings or [{}]} if instance else set()


def _addresses(task: ECSTask) -> set[str]:
    """Return the addresses of a task's network interface; none where it uses that of its instance."""
    found = {
        detail.get("value", "")
        for attachment in task.get("attachments", [])
        for detail in attachment.get("details", [])
        if detail.get("name") == "privateIPv4Address"
    }
    for item in task.get("containers", []):
        for interface in item.get("networkInterfaces", []):
            found |= {interface.get("privateIpv4Address", ""), interface.get("ipv6Address", "")}
    return found - {""}
