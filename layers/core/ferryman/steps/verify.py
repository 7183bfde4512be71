"""Check that ECS matches the document. Part of `apply`, `ferryman verify` and begin_deployment.

`survey` reads, `judge` decides (pure). A problem is a pair: path in the document, and what is wrong with what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ferryman.clients import ecs as ecs_edge
from ferryman.clients import task_containers
from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import ECRClient, ECSClient, ECSService, MakeClient, TaskDefinition
from ferryman.clients.ssm import References
from ferryman.errors import FerrymanError, ReferenceUnresolved
from ferryman.platform import Environment, Migration, Platform, Service
from ferryman.platform.problem import Findings, closest

if TYPE_CHECKING:
    from ferryman.steps.verify_jobs import SeenJob
    from ferryman.steps.verify_roles import Passing

Problem = tuple[str, str]

_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_NO_SUCH_DEFINITION = frozenset({"ClientException", "InvalidParameterException"})
"""What DescribeTaskDefinition answers for one that does not exist."""


@dataclass(frozen=True)
class SeenMigration:
    """What a migration stands on; empty is what could not be read."""

    base: TaskDefinition | None
    """The task definition of its one-off task."""
    subnets: list[str]
    security_groups: list[str]


@dataclass(frozen=True)
class Survey:
    """What AWS says about one environment."""

    cluster: str
    """ARN of the cluster; empty when it could not be told."""
    services: dict[str, ECSService]
    """Service name → as DescribeServices tells it; missing ones are absent."""
    bases: dict[str, TaskDefinition]
    """Service name → its base task definition."""
    migrations: dict[str, SeenMigration] = field(default_factory=dict)
    """By name of the migration; "" is the one without a name."""
    unresolved: list[Problem] = field(default_factory=list)
    jobs: "dict[str, SeenJob]" = field(default_factory=dict)
    """Job name → its target and task definitions; one that can't be read is absent."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Component → `registry/repository` of its images, where that is known."""


def verify(
    document: Platform,
    *,
    ecs: ECSClient,
    ecr: ECRClient,
    references: References,
    client: MakeClient,
    account: str,
    region: str,
) -> list[Problem]:
    """Return every problem of every environment, and of the repositories; empty when all is well."""
    return examine(
        document, ecs=ecs, ecr=ecr, references=references, client=client, account=account, region=region
    ).problems


def examine(
    document: Platform,
    *,
    ecs: ECSClient,
    ecr: ECRClient,
    references: References,
    client: MakeClient,
    account: str,
    region: str,
    passing: "Passing | None" = None,
) -> Findings:
    """Return every problem of every environment, and of the repositories, and what else people should know.

    `passing`: whose permissions to pass roles are looked at; None: nobody's.
    """
    # Imported here: they import this module, and no deployment needs them of the whole document.
    from ferryman.steps import ownership, verify_roles, verify_rollouts

    addresses, problems = _repositories(document, ecr)
    notes: list[Problem] = []
    surveys: dict[str, Survey] = {}
    for name, environment in document.spec.environments.items():
        at = f"spec.environments.{name}"
        problems += _elsewhere(environment, at, account, region)
        seen = survey(environment, ecs=ecs, references=references, client=client, at=at, addresses=addresses)
        surveys[name] = seen
        problems += judge_all(environment, seen, at=at)
        notes += remarks(environment, seen, at=at)
        notes += verify_rollouts.remarks(environment, seen, client=client, at=at)
    if passing is not None:
        refused, untold = verify_roles.examine(document.spec.environments, surveys, passing, client)
        problems, notes = problems + refused, notes + untold
    live = {
        name: {
            service: raw["taskDefinition"] for service, raw in seen.services.items() if raw.get("status") == "ACTIVE"
        }
        for name, seen in surveys.items()
    }
    return Findings(problems, notes, ownership.of_document(document, surveys, references), live)


def survey(
    environment: Environment,
    *,
    ecs: ECSClient,
    references: References,
    client: MakeClient,
    at: str,
    addresses: Mapping[str, str] | None = None,
) -> Survey:
    """Read everything that one environment's services, jobs and migration stand on; `addresses` is passed on.

    `client` makes the clients that only jobs need.
    """
    unresolved: list[Problem] = []

    def text(value: str, path: str) -> str | None:
        try:
            return references.text(value)
        except ReferenceUnresolved as error:
            unresolved.append((f"{at}.{path}", str(error)))
            return None

    cluster = text(environment.cluster, "cluster")
    services = _services(ecs, cluster, [s.name for s in environment.services], at, unresolved) if cluster else {}
    bases: dict[str, TaskDefinition] = {}
    for path, service in _places(environment):
        live = services.get(service.name)
        base = service.base_task_definition or (live.get("taskDefinition") if live else None)
        arn = text(base, f"{path}.baseTaskDefinition") if base else None
        found = _task_definition(ecs, arn, f"{at}.{path}.baseTaskDefinition", unresolved) if arn else None
        if found is not None:
            bases[service.name] = found
    for i, check in enumerate(environment.smoke_tests):
        text(check.url, f"smokeTests.{i}.url")
    migrations = {}
    for name, migration in environment.every_migration.items():
        path = environment.migration_path(name)
        arn = text(migration.task_definition, f"{path}.taskDefinition")
        here, network = f"{at}.{path}", migration.network
        migrations[name] = SeenMigration(
            base=_task_definition(ecs, arn, f"{here}.taskDefinition", unresolved) if arn else None,
            subnets=_texts(references, network.subnets, f"{here}.network.subnets", unresolved),
            security_groups=_texts(references, network.security_groups, f"{here}.network.securityGroups", unresolved),
        )
    jobs: dict[str, SeenJob] = {}
    if environment.jobs:
        # Imported here: most environments have no jobs.
        from ferryman.steps import verify_jobs

        jobs = verify_jobs.survey(
            environment, client=client, ecs=ecs, references=references, at=at, unresolved=unresolved
        )  # fmt: skip
    arns = {live["clusterArn"] for live in services.values()}
    return Survey(
        cluster=next(iter(arns), cluster or ""),
        services=services,
        bases=bases,
        migrations=migrations,
        unresolved=unresolved,
        jobs=jobs,
        addresses=addresses or {},
    )


def judge_all(environment: Environment, seen: Survey, *, at: str) -> list[Problem]:
    """Compare a survey with the document, jobs included. Pure."""
    problems = judge(environment, seen, at=at)
    if seen.jobs and seen.cluster:
        from ferryman.steps import verify_jobs

        problems += verify_jobs.judge(environment, seen.jobs, seen.cluster, seen.addresses, at=at)
    return problems


def judge(environment: Environment, seen: Survey, *, at: str) -> list[Problem]:
    """Compare a survey with the document, without the jobs. Pure."""
    problems = list(seen.unresolved)
    for path, service in _places(environment):
        here = f"{at}.{path}"
        live = seen.services.get(service.name)
        if live is None or live.get("status") != "ACTIVE":
            if seen.cluster:
                problems.append((f"{here}.name", _no_service(service, seen)))
            continue
        problems += _service_problems(live, here)
        base = seen.bases.get(service.name)
        if base is not None:
            problems += _container_problems(service, base, seen, here, f"{here}.baseTaskDefinition")
            problems += _definition_problems(base, f"{here}.baseTaskDefinition")
    for name, migration in environment.every_migration.items():
        read = seen.migrations.get(name)
        if read is not None and read.base is not None:
            here = f"{at}.{environment.migration_path(name)}"
            at_definition = f"{here}.taskDefinition"
            problems += _container_problems(migration, read.base, seen, here, at_definition)
            problems += _definition_problems(read.base, at_definition)
            problems += _network_problems(read, seen, f"{here}.network")
    return problems


def _no_service(service: Service, seen: Survey) -> str:
    """Say that there is no such service. Its task definition often has the service's name, so that tells a misprint."""
    base = seen.bases.get(service.name)
    near = closest(service.name, [base["family"]] if base is not None and base["family"] != service.name else [])
    return (
        f"cluster {_short(seen.cluster)} has no active service {service.name!r}{near}"
        f"{' Otherwise' if near else '; correct the name, or'} create the service first"
    )


def _network_problems(read: SeenMigration, seen: Survey, at: str) -> list[Problem]:
    unresolved = {path for path, _ in seen.unresolved}
    found = ((f"{at}.subnets", read.subnets), (f"{at}.securityGroups", read.security_groups))
    return [
        (path, "is empty; a Fargate task needs at least one: write [id], or ssm:/path to a StringList parameter")
        for path, values in found
        if not values and path not in unresolved
    ]


def _service_problems(live: ECSService, at: str) -> list[Problem]:
    problems = []
    controller = live.get("deploymentController", {}).get("type", "ECS")
    configuration = live.get("deploymentConfiguration", {})
    strategy = configuration.get("strategy", "ROLLING")
    if controller != "ECS" or strategy != "ROLLING":
        only = "v1 operates rolling ECS deployments only (deploymentController ECS)"
        problems.append((at, f"is deployed by {controller}/{strategy}; {only}"))
    breaker = configuration.get("deploymentCircuitBreaker", {})
    if not (breaker.get("enable") and breaker.get("rollback")):
        problems.append((at, "needs deploymentCircuitBreaker with enable and rollback set to true"))
    return problems


def remarks(environment: Environment, seen: Survey, *, at: str) -> list[Problem]:
    """Return which containers change besides the named one, and which stay although one could expect a change. Pure."""
    found = [
        (f"{at}.{path}", text)
        for path, service in _places(environment)
        if (base := seen.bases.get(service.name)) is not None
        for text in task_containers.notes(base, task_containers.uses(service), seen.addresses)
    ]
    found += [
        (f"{at}.waves.{w}.jobs.{j}", text)
        for w, wave in enumerate(environment.waves)
        for j, job in enumerate(wave.jobs)
        if job.name in seen.jobs and (of_job := seen.jobs[job.name].base) is not None
        for text in task_containers.notes(of_job, task_containers.uses(job), seen.addresses)
    ]
    for name, migration in environment.every_migration.items():
        read = seen.migrations.get(name)
        if read is not None and read.base is not None:
            wanted, here = task_containers.uses(migration), f"{at}.{environment.migration_path(name)}"
            found += [(here, text) for text in task_containers.notes(read.base, wanted, seen.addresses)]
    return found


def _container_problems(
    declared: Service | Migration, definition: TaskDefinition, seen: Survey, at: str, at_definition: str
) -> list[Problem]:
    found = task_containers.assign(definition, task_containers.uses(declared), seen.addresses)
    # A name that is a default does not stand in the document: the task definition is what people have to look at.
    return [(at_definition if path == "container" else f"{at}.{path}", text) for path, text in found.problems]


def _definition_problems(definition: TaskDefinition, at: str) -> list[Problem]:
    if "FARGATE" in definition.get("requiresCompatibilities", []) and not definition.get("executionRoleArn"):
        revision = _short(definition["taskDefinitionArn"])
        return [(at, f"{revision} has no executionRoleArn, so Fargate cannot pull images")]
    return []


def _repositories(document: Platform, ecr: ECRClient) -> tuple[dict[str, str], list[Problem]]:
    """Return component → address of its repository, and what is wrong with the others."""
    addresses: dict[str, str] = {}
    problems = []
    for name, component in document.spec.components.items():
        try:
            with translated():
                answer = ecr.describe_repositories(repositoryNames=[component.repository])
            addresses[name] = answer["repositories"][0]["repositoryUri"]
        except Refusal as error:
            path, code = f"spec.components.{name}.repository", code_of(error)
            if code in _DENIED:
                problems.append((path, _outside(component.repository, "repository-arns")))
                continue
            if code != "RepositoryNotFoundException":
                raise
            missing = (
                f"ECR has no repository {component.repository!r}; correct the name, or create the repository first"
            )
            problems.append((path, missing))
    return addresses, problems


def _elsewhere(environment: Environment, at: str, account: str, region: str) -> list[Problem]:
    problems = []
    for name, wanted, ours in (("account", environment.account, account), ("region", environment.region, region)):
        if wanted is not None and wanted != ours:
            one = f"v1 serves one {name}: leave it out"
            problems.append((f"{at}.{name}", f"is {wanted}, the operator runs in {ours}; {one}"))
    return problems


def _places(environment: Environment) -> list[tuple[str, Service]]:
    return [
        (f"waves.{w}.services.{s}", service)
        for w, wave in enumerate(environment.waves)
        for s, service in enumerate(wave.services)
    ]


def _services(
    ecs: ECSClient, cluster: str, names: list[str], at: str, unresolved: list[Problem]
) -> dict[str, ECSService]:
    try:
        return ecs_edge.services(ecs, cluster, names)
    except Refusal as error:
        if code_of(error) in _DENIED:
            unresolved.append((f"{at}.cluster", _outside(_short(cluster), "cluster-arns")))
            return {}
        if code_of(error) != "ClusterNotFoundException":
            raise
        unresolved.append(
            (
                f"{at}.cluster",
                f"there is no ECS cluster {_short(cluster)!r}; correct the name, or create the cluster first",
            )
        )
        return {}


def _task_definition(ecs: ECSClient, arn: str, at: str, unresolved: list[Problem]) -> TaskDefinition | None:
    try:
        return ecs_edge.task_definition(ecs, arn)
    except (Refusal, FerrymanError) as error:
        if isinstance(error, Refusal) and code_of(error) not in _NO_SUCH_DEFINITION:
            raise
        unresolved.append((at, f"there is no task definition {_short(arn)!r}: {error}"))
        return None


def _texts(references: References, value: list[str] | str, at: str, unresolved: list[Problem]) -> list[str]:
    try:
        return references.texts(value)
    except ReferenceUnresolved as error:
        unresolved.append((at, str(error)))
        return []


def _outside(name: str, parameter: str) -> str:
    return (
        f"the operator has no permission for {name!r}: add it to the SSM parameter /ferryman/operator/{parameter} "
        "and deploy the operator again to update its policies"
    )


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
