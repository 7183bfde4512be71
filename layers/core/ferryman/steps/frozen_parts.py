"""What a frozen plan stands on, looked at again before it is carried out: images and base revisions.

Called by `steps.admit_deployment`. Nothing that is read here changes the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients.aws_types import ECRClient, ECSClient, TaskDefinition
from ferryman.records import Deployment, Plan, PlannedImage, PlannedService

_FAMILIES = 20
"""How many families are asked for a later revision: that is only for people, and each takes a call."""


@dataclass(frozen=True)
class FrozenParts:
    """How the parts of a plan stand now, in words."""

    gone: list[str]
    """Images and revisions that can't be used any more."""
    later: list[str]
    """What is newer than the plan and not part of it."""


def look(deployment: Deployment, *, ecs: ECSClient, ecr: ECRClient) -> FrozenParts:
    """Read how a deployment's images and base revisions stand now.

    Raise Throttled or Unavailable when AWS can't be asked, ClientError when it refuses.
    """
    plan = deployment.require_plan()
    gone = [
        f"image {digest[7:19]} of {component} is no longer in {repository}"
        for component, repository, digest in _images(plan)
        if not ecr_edge.exists(ecr, repository, digest)
    ]
    later: list[str] = []
    for number, arn in enumerate(plan.revisions):
        found = ecs_edge.find_task_definition(ecs, arn)
        name = arn.rsplit("/", 1)[-1]
        if found is None:
            gone.append(f"task definition {name} was deleted")
        elif found.get("status", "ACTIVE") != "ACTIVE" and arn not in plan.deregistered:
            gone.append(f"task definition {name} was deregistered")
        elif number < _FAMILIES and (newer := _newer(found, deployment, ecs)) is not None:
            later.append(newer)
    return FrozenParts(gone, later)


def _images(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield component, repository and digest of each image of the release that the plan runs, once."""
    found: dict[tuple[str, str], None] = {}
    for item in [*plan.members.values(), *plan.every_migration]:
        parts: list[PlannedImage] = item.additional if isinstance(item, PlannedService) else []
        for part in (item, *parts):
            if part.digest:
                found[part.component, part.digest] = None
    for component, digest in found:
        repository = plan.repositories.get(component)
        if repository is not None:
            yield component, repository, digest


def _newer(base: TaskDefinition, deployment: Deployment, ecs: ECSClient) -> str | None:
    """Tell of a revision of the same family that was registered since the plan was made."""
    latest = ecs_edge.find_task_definition(ecs, base["family"])
    if latest is None or latest["taskDefinitionArn"] == base["taskDefinitionArn"]:
        return None
    at, since = latest.get("registeredAt"), deployment.started_at
    name = latest["taskDefinitionArn"].rsplit("/", 1)[-1]
    # The time may come in whole seconds. What was registered in the plan's own second and is no part of it is later.
    return f"task definition {name}" if at and since and at >= since.replace(microsecond=0) else None
