"""What ECS and ECR said, as far as a document needs it. Pure."""

from dataclasses import dataclass, field

from ferryman.decisions.image_address import name_of, same_repository


@dataclass(frozen=True)
class Container:
    """A container of a task definition."""

    name: str
    image: str
    essential: bool = True


@dataclass(frozen=True)
class SeenService:
    """An ECS service. One that could not be read has neither account nor containers."""

    name: str
    account: str = ""
    region: str = ""
    family: str = ""
    """Of its task definition."""
    containers: tuple[Container, ...] | None = None
    """None: its task definition could not be read."""
    balanced: tuple[str, ...] = ()
    """Containers that a load balancer sends requests to."""
    unfit: str = ""
    """Why Ferryman cannot operate it."""


@dataclass(frozen=True)
class Registry:
    """The account's repositories in ECR."""

    repositories: frozenset[str] | None = None
    """None: they could not be read."""
    caches: tuple[str, ...] = ()
    """Prefixes of repositories that are copies of other registries: nobody pushes there."""

    def holds(self, repository: str) -> bool:
        """Whether images can be pushed to this repository, as far as it is known."""
        if any(repository.startswith(f"{prefix}/") for prefix in self.caches):
            return False
        return self.repositories is None or repository in self.repositories


@dataclass(frozen=True)
class Seen:
    """What was seen in AWS."""

    clusters: dict[str, dict[str, SeenService]] = field(default_factory=dict)
    """Cluster, as the answers name it → service → what it is. A cluster that could not be read is missing."""
    registry: Registry = Registry()


def own_repository(service: SeenService, image: str, registry: Registry) -> str | None:
    """Return the repository of an image if it is one that Ferryman sees pushes to: of the service's own registry."""
    name = name_of(image)
    host = f"{service.account}.dkr.ecr.{service.region}.amazonaws.com"
    # The host's suffix differs in China; only account, region and name are compared.
    return name if same_repository(image, f"{host}/{name}") and registry.holds(name) else None
