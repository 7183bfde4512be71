"""What ECS and ECR show of one environment of a flow test, past the operator."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flow.documents import ENVIRONMENT, service_name


class Seen:
    """Base of `flow.place.Place`, which sets what is declared here."""

    name: str
    where: str
    cluster: str
    spec: Mapping[str, Any]
    digests: dict[str, dict[str, str]]
    ecs: Any
    ecr: Any
    until: Callable[..., Any]

    def service_of(self, component: str) -> str:
        """Name of the ECS service that runs a component here."""
        return service_name(self.name, component, self.where)

    def service(self, component: str = "api") -> dict[str, Any]:
        """A service as ECS describes it."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.service_of(component)])["services"]
        service: dict[str, Any] = found[0]
        return service

    def primary(self, component: str = "api") -> dict[str, Any]:
        """The service's PRIMARY deployment."""
        found: list[dict[str, Any]] = self.service(component)["deployments"]
        return next(item for item in found if item["status"] == "PRIMARY")

    def running_digests(self, component: str = "api") -> set[str]:
        """Digests of the images of the service's running tasks."""
        service = self.service_of(component)
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=service)["taskArns"]
        tasks = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
        return {container["imageDigest"] for task in tasks for container in task["containers"]}

    def tasks(self, family: str, *, statuses: Sequence[str] = ("RUNNING", "STOPPED")) -> list[dict[str, Any]]:
        """All tasks of a family, stopped ones too."""
        found = []
        for status in statuses:
            found += self.ecs.list_tasks(cluster=self.cluster, desiredStatus=status)["taskArns"]
        described = self.ecs.describe_tasks(cluster=self.cluster, tasks=found)["tasks"] if found else []
        return [task for task in described if f"/{family}:" in task["taskDefinitionArn"]]

    def migrations(self, database: str = "") -> list[dict[str, Any]]:
        """All tasks that ever ran of the migration, or of that of one of several databases."""
        family = f"{self.name}-migrate" if self.where == ENVIRONMENT else f"{self.name}-migrate-{self.where}"
        return self.tasks(f"{family}-{database}" if database else family)

    def digest_of(self, component: str, tag: str) -> str | None:
        """What a tag points at."""
        repository = self.spec["components"][component]["repository"]
        try:
            found = self.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
        except self.ecr.exceptions.ImageNotFoundException:
            return None
        return str(found[0]["imageDigest"]) if found else None

    def runs(self, version: str) -> None:
        """Assert that every service runs this version (`bootstrap`: what ran before Ferryman), and nothing else."""
        for component in self.spec["components"]:
            wanted = {self.digests[version][component]}

            def look(component: str = component, wanted: set[str] = wanted) -> bool:
                return (
                    self.running_digests(component) == wanted and self.primary(component)["rolloutState"] == "COMPLETED"
                )

            self.until(look, f"{component} on {version}", 20)
