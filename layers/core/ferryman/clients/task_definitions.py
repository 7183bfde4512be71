"""Task definition revisions: made from a base by changing images, registered only when nothing equal is there.

Registering is limited to 1 per second sustained per account and region, and is not idempotent
(docs/reference/aws-facts.md#task-definitions).
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ferryman.clients.aws_types import ECSClient, RegisterTaskDefinitionRequest, TaskDefinition
from ferryman.clients.ecs import find_task_definition, register
from ferryman.errors import VerificationFailed
from ferryman.text import listed

READ_ONLY = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)
"""What DescribeTaskDefinition tells and RegisterTaskDefinition refuses (botocore's ECS model)."""

# ECS answers these in any order; what they mean does not depend on it.
_UNORDERED = {"environment": "name", "secrets": "name", "tags": "key"}

type Definition = TaskDefinition | RegisterTaskDefinitionRequest
"""One that is described, or one that can be registered."""


def registrable(described: Definition) -> RegisterTaskDefinitionRequest:
    """Return what RegisterTaskDefinition takes of a described task definition, tags included. Pure."""
    definition = {name: value for name, value in described.items() if name not in READ_ONLY and name != "tags"}
    # Tags of AWS itself (`aws:…`) cannot be set.
    tags = [tag for tag in described.get("tags", []) if not tag["key"].startswith("aws:")]
    # The type checker can't follow which fields are left; a test holds READ_ONLY against botocore's model.
    return cast(RegisterTaskDefinitionRequest, {**definition, "tags": tags} if tags else definition)


def with_images(described: TaskDefinition, images: Mapping[str, str]) -> RegisterTaskDefinitionRequest:
    """Return a registrable copy in which these containers run these images; nothing else changes. Pure.

    `images` is container → image. Raise VerificationFailed when there is no such container.
    """
    definition = registrable(described)
    containers = described["containerDefinitions"]
    names = [item["name"] for item in containers]
    missing = [container for container in images if container not in names]
    if missing:
        name = described.get("taskDefinitionArn", definition["family"])
        raise VerificationFailed(
            f"task definition {name} has no container {listed(map(repr, missing))} "
            f"(it has: {', '.join(names)}); name the right one in the platform document"
        )
    definition["containerDefinitions"] = [
        {**item, "image": images[item["name"]]} if item["name"] in images else item for item in containers
    ]
    return definition


def same(one: Definition, other: Definition) -> bool:
    """Whether two definitions, described or registrable, would run the same, tags included. Pure."""
    return canonical(one) == canonical(other)


def canonical(definition: Definition) -> dict[str, object]:
    """Return what a definition, described or registrable, says: without what is empty, lists in one order. Pure."""
    return dict(_canonical(registrable(definition)))


def ensure(ecs: ECSClient, wanted: RegisterTaskDefinitionRequest, candidates: Iterable[str] = ()) -> str:
    """Return the ARN of an ACTIVE revision equal to `wanted`: a candidate, the family's latest, or a new one."""
    for name in dict.fromkeys([*candidates, wanted["family"]]):
        found = find_task_definition(ecs, name)
        if found is not None and found.get("status") == "ACTIVE" and same(found, wanted):
            return found["taskDefinitionArn"]
    return register(ecs, wanted)["taskDefinitionArn"]


def images_of(definition: TaskDefinition) -> dict[str, str]:
    """Return container → image. Pure."""
    return {item["name"]: item.get("image", "") for item in definition.get("containerDefinitions", [])}


def _canonical(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        plain = {key: _canonical(item, key) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        items = [_canonical(item) for item in value]
        if name in _UNORDERED:
            return sorted(items, key=lambda item: str(item.get(_UNORDERED[name])))
        return sorted(items) if name == "requiresCompatibilities" else items
    return value
