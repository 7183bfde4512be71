"""What ECS and the task definitions of an environment's services are now, as the API needs them. Pure."""

from dataclasses import dataclass, field

from ferryman.clients.aws_types import TaskDefinition


@dataclass(frozen=True)
class Counts:
    """Tasks of the newest rollout of one service, as ECS tells them now."""

    ecs_deployment: str
    desired: int
    running: int
    failed: int


@dataclass(frozen=True)
class Definitions:
    """The task definitions of one service or job, as described; None: there is none."""

    live: TaskDefinition | None
    """The one that it runs."""
    base: TaskDefinition | None
    """The one that its next one is made from."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Component → `registry/repository` of its images, of the components that have one."""
