"""Images of a release, as a plan names them: by digest, for the platform that runs them.

Called by `steps.begin_deployment`, and by `controller.observe` for the scans.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients import image_labels
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient, ECSClient, MakeClient, TaskDefinition
from ferryman.clients.image_index import RunsOn
from ferryman.clients.ssm import References
from ferryman.errors import DigestMismatch, NotFound, ReferenceUnresolved
from ferryman.platform import Environment, Platform
from ferryman.platform.environments import Job


class Images:
    """Addresses of the release's images; and what they say."""

    def __init__(self, document: Platform, ecr: ECRClient, download: image_labels.Download) -> None:
        self._document = document
        self._ecr = ecr
        self._download = download
        self._addresses: dict[str, str] = {}
        self.labels = cache(self._labels)
        """Return what an image says about itself; never raises. Several migrations may be in one image."""

    def _labels(self, component: str, digest: str, on: RunsOn) -> image_labels.ImageLabels:
        return image_labels.of(self._ecr, self._download, self._repository(component), digest, on)

    def address(self, component: str) -> str:
        """Return `registry/repository`; raise NotFound when there is no repository. Asks once."""
        if component not in self._addresses:
            self._addresses[component] = ecr_edge.address(self._ecr, self._repository(component))
        return self._addresses[component]

    def addresses(self, components: Iterable[str]) -> dict[str, str]:
        """Return component → `registry/repository`, of those that have a repository."""
        found = {}
        for component in components:
            with suppress(NotFound):
                found[component] = self.address(component)
        return found

    def uri(self, component: str, digest: str) -> str:
        """Return `registry/repository@digest`; raise NotFound when there is no repository."""
        return f"{self.address(component)}@{digest}"

    def children(self, component: str, digest: str, on: RunsOn) -> list[str]:
        """Return what a task on this platform pulls: one image, or several where it can't be known which.

        Raise DigestMismatch when the image is gone, or has nothing for the platform.
        """
        try:
            return ecr_edge.platform_digests(self._ecr, self._repository(component), digest, on)
        except ecr_edge.WrongPlatform as error:
            raise DigestMismatch(f"the image of {component} does not fit: {error}") from error
        except NotFound as error:
            message = f"the image of {component} is gone: {error}; push it again or deploy another release"
            raise DigestMismatch(message) from error

    def _repository(self, component: str) -> str:
        return self._document.spec.components[component].repository


_WINDOWS_BUILDS = {
    "2016": "10.0.14393",
    "2019": "10.0.17763",
    "2004": "10.0.19041",
    "20H2": "10.0.19042",
    "2022": "10.0.20348",
    "2025": "10.0.26100",
}
"""Release of Windows Server → build of its containers (Microsoft's list of base images)."""


def runs_on(base: TaskDefinition) -> RunsOn:
    """Return the platform that a described task definition runs on. Pure.

    Without runtimePlatform Fargate runs Linux on X86_64; on EC2 it is whatever the container instances are.
    """
    platform = base.get("runtimePlatform") or {}
    family, cpu = platform.get("operatingSystemFamily") or "", platform.get("cpuArchitecture")
    fargate = "FARGATE" in base.get("requiresCompatibilities", [])
    if family.startswith("WINDOWS"):
        build = next((build for name, build in _WINDOWS_BUILDS.items() if f"_{name}_" in family), "")
        return RunsOn("windows", "amd64", build)
    names = {"X86_64": "amd64", "ARM64": "arm64"}
    if cpu is None:
        return RunsOn("linux" if family or fargate else None, "amd64" if fargate else None)
    return RunsOn("linux" if family or fargate or cpu == "ARM64" else None, names.get(cpu))


def platforms(
    environment: Environment, component: str, ecs: ECSClient, references: References, client: MakeClient
) -> frozenset[RunsOn]:
    """Return the platforms that a component runs on in an environment; empty when ECS does not tell all of them."""
    try:
        cluster = references.text(environment.cluster)
        users = [service for service in environment.services if component in service.components]
        live = ecs_edge.services(ecs, cluster, [service.name for service in users])
        names = [service.base_task_definition or live[service.name]["taskDefinition"] for service in users]
        jobs = [job for job in environment.jobs if job.component == component]
        names += [job.base_task_definition or _of_job(job, client) for job in jobs]
        migrations = environment.every_migration.values()
        names += [migration.task_definition for migration in migrations if migration.component == component]
        return frozenset(runs_on(ecs_edge.task_definition(ecs, references.text(name))) for name in names)
    except (Refusal, KeyError, ReferenceUnresolved):
        return frozenset()


def _of_job(job: Job, client: MakeClient) -> str:
    """Return the task definition that a job's target names; raise KeyError when there is no such target."""
    # Imported here: most environments have no jobs.
    from ferryman.clients import job_targets

    found = job_targets.find(client, job_targets.place_of(job))
    if found is None or not found.task_definition:
        raise KeyError(job.name)
    return found.task_definition
