"""Environments of a platform: waves of services, migration, smoke tests, policies."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from ferryman.platform.base import Model
from ferryman.platform.policies import ApprovalPolicy, FreezePolicy, ScanPolicy
from ferryman.platform.values import (
    ACCOUNT,
    EVENT_BUS,
    PATH,
    REGION,
    Duration,
    EventsName,
    HeaderName,
    HeaderValue,
    ImageTag,
    JobName,
    Name,
    ServiceName,
    Text,
    TextList,
    between,
    is_reference,
)

_JSON_DEPTH = 8

Trigger = Literal["push", "tag", "promotion", "manual"]


CONTAINERS = 10
"""How many containers ECS allows in a task definition."""

Containers = Annotated[list[Text], Field(min_length=1)]
"""Names of containers; `apply` refuses what ECS allows in no task definition (`platform.apply_refusals`)."""


class AdditionalComponent(Model):
    """A further component whose image is in a service's task definition."""

    component: Name = Field(description="Component whose image the containers run.", examples=["proxy"])
    containers: Containers | None = Field(
        default=None,
        description="Exactly the containers whose image is replaced. Default: the container with the component's name, "
        "and every container whose image is from the component's repository.",
        examples=[["nginx"]],
    )


class Service(Model):
    """One ECS service that runs a component."""

    name: ServiceName = Field(description="Name of the ECS service.", examples=["scr-api-staging"])
    component: Name = Field(description="Component whose image the service runs.", examples=["api"])
    container: Text | None = Field(
        default=None,
        description="Main container: its image is replaced, and its exit code and log explain a failed rollout. "
        "Default: the component's name, or the first of `containers` if that name is not among them.",
    )
    containers: Containers | None = Field(
        default=None,
        description="Exactly the containers whose image is replaced. Default: `container`, and every container, "
        "including init containers, whose image is from the component's repository.",
        examples=[["web", "worker"]],
    )
    additional_components: list[AdditionalComponent] = Field(
        default=[],
        description="Further components whose images are in the service's task definition. They are deployed with it, "
        "in the same revision.",
        examples=[[{"component": "proxy", "containers": ["nginx"]}]],
    )
    base_task_definition: Text | None = Field(
        default=None,
        description="Task definition that Terraform publishes, as ARN or ssm:/path to it. Only the image is replaced. "
        "Default: the service's current task definition.",
        examples=["ssm:/ferryman/scr/staging/task-definitions/scr-api-staging"],
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "12h"))] = Field(
        default=timedelta(minutes=10),
        description="How long a rollout may take until all new tasks are healthy at the desired count, 1s to 12h.",
    )
    fail_fast: int = Field(
        default=3,
        ge=1,
        le=200,
        description="Number of failed tasks after which the rollout fails, without waiting for ECS's circuit breaker.",
    )

    @property
    def container_name(self) -> str:
        """The main container: its exit code and log explain a failed rollout."""
        return _container(self)

    @property
    def components(self) -> list[str]:
        """All components of its task definition, its own first."""
        return [self.component, *(item.component for item in self.additional_components)]


class Job(Model):
    """One scheduled task that runs a component: an ECS target of an EventBridge schedule or rule."""

    name: JobName = Field(description="Name of the job, unique in the environment.", examples=["nightly-report"])
    component: Name = Field(description="Component whose image the job runs.", examples=["api"])
    schedule: EventsName | None = Field(
        default=None,
        description="Name of the EventBridge Scheduler schedule that starts the task. Give either schedule or rule.",
        examples=["scr-nightly-report-staging"],
    )
    group: EventsName = Field(default="default", description="Group of the schedule.")
    rule: EventsName | None = Field(
        default=None, description="Name of the EventBridge rule that starts the task.", examples=["scr-upload-staging"]
    )
    event_bus: Annotated[str, StringConstraints(pattern=EVENT_BUS, max_length=256)] = Field(
        default="default", description="Name of the rule's event bus."
    )
    target: EventsName | None = Field(
        default=None, description="Id of the rule's target. Default: the rule's only ECS target."
    )
    container: Text | None = Field(
        default=None, description="Container whose image is replaced. Default: the component's name."
    )
    containers: Containers | None = Field(
        default=None,
        description="Exactly the containers whose image is replaced. Default: `container`, and every container, "
        "including init containers, whose image is from the component's repository.",
        examples=[["report", "fetch"]],
    )
    base_task_definition: Text | None = Field(
        default=None,
        description="Task definition that Terraform publishes, as ARN or ssm:/path to it. Only the image is replaced. "
        "Default: the task definition that the target names now.",
        examples=["ssm:/ferryman/scr/staging/task-definitions/scr-nightly-report-staging"],
    )

    @property
    def container_name(self) -> str:
        """The container whose image is replaced, unless `containers` says otherwise."""
        return _container(self)

    @property
    def components(self) -> list[str]:
        """Its component, as a list: a service can have several."""
        return [self.component]


class Wave(Model):
    """Services that are updated, and jobs that are moved, in parallel; waves run one after the other."""

    name: Name = Field(description="Name of the wave.", examples=["api"])
    services: list[Service] = Field(
        default=[], max_length=40, description="Services of the wave. Required, unless the wave has jobs."
    )
    jobs: list[Job] = Field(
        default=[],
        max_length=20,
        description="Scheduled tasks that run the same images. They move to the release in this wave and go back with "
        "it.",
    )
    proceed_when: Literal["completed", "healthy"] = Field(
        default="completed",
        description="When the next wave begins. completed: when ECS calls every rollout of this wave COMPLETED, its "
        "old tasks gone. healthy: when all new tasks are healthy, while old ones still drain.",
    )


class Network(Model):
    """Network configuration of a one-off task."""

    subnets: TextList = Field(
        description="Subnet ids, or the ssm:/path of a StringList parameter.",
        examples=[["subnet-0a1b2c3d", "subnet-4e5f6a7b"]],
    )
    security_groups: TextList = Field(
        description="Security group ids, or the ssm:/path of a StringList parameter.", examples=[["sg-0a1b2c3d"]]
    )
    assign_public_ip: bool = Field(
        default=False,
        description="Whether the task gets a public IP address. Needed only in a public subnet without NAT.",
    )


class Migration(Model):
    """The one-off task that migrates the database before any service changes."""

    component: Name = Field(description="Component whose image runs the migration.", examples=["api"])
    task_definition: Text = Field(
        description="Task definition of the one-off task, as ARN or ssm:/path to it. Only the image is replaced.",
        examples=["ssm:/ferryman/scr/staging/task-definitions/scr-api-migrate-staging"],
    )
    container: Text | None = Field(
        default=None,
        description="Container that runs the command and whose exit code counts. Default: the component's name, or the "
        "first of `containers` if that name is not among them.",
    )
    containers: Containers | None = Field(
        default=None,
        description="Exactly the containers whose image is replaced. Default: `container`, and every container, "
        "including init containers, whose image is from the component's repository.",
        examples=[["migrate", "wait-for-database"]],
    )
    command: list[Text] = Field(
        min_length=1, description="Command and arguments as a list.", examples=[["alembic", "upgrade", "head"]]
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "12h"))] = Field(
        default=timedelta(minutes=10), description="Deadline of the migration, 1s to 12h."
    )
    downgrade: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Command that downgrades the database, with {revision} in place of the target. Used by "
        "`rollback --downgrade` and `migrate down`.",
        examples=[["alembic", "downgrade", "{revision}"]],
    )
    current: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Command that prints the database's current revision. Used by `migrate current`.",
        examples=[["alembic", "current"]],
    )
    network: Network = Field(description="Network configuration of the task.")
    launch_type: Literal["FARGATE", "EC2"] = Field(default="FARGATE", description="Launch type of the task.")

    @property
    def container_name(self) -> str:
        """The container whose exit code decides the result."""
        return _container(self)


class NamedMigration(Migration):
    """One of several migrations, each for a database of its own."""

    name: Name = Field(
        description="Name of the migration: part of its steps, of its image labels and of commands.",
        examples=["orders"],
    )


class Expectation(Model):
    """The expected response. `{release}` stands for the version that is being deployed."""

    status: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        default=[200], min_length=1, description="Accepted HTTP statuses.", examples=[[200, 307]]
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default={}, description="Header name (case-insensitive) → exact value."
    )
    json_fields: dict[str, Any] = Field(
        default={},
        alias="json",
        description="Dotted path in the JSON body → exact value. A number selects an item of a list.",
        examples=[{"version": "{release}", "checks.0.ok": True}],
    )
    body: str | None = Field(default=None, min_length=1, description="Text that the body must contain.")

    @field_validator("json_fields")
    @classmethod
    def _is_json(cls, fields: dict[str, Any]) -> dict[str, Any]:
        for path, value in fields.items():
            if not path.strip("."):
                raise ValueError("has an empty path; write the name of a field, as in version or checks.0.ok")
            _check_json(path, value, _JSON_DEPTH)
        return fields


class SmokeTest(Model):
    """One HTTP check that runs after the last wave."""

    name: Name = Field(description="Name of the check.", examples=["api-health"])
    url: Text = Field(
        description="Base URL, or ssm:/path to it.",
        examples=["https://api.example.com", "ssm:/ferryman/scr/staging/api-url"],
    )
    path: Annotated[str, StringConstraints(pattern=PATH, max_length=2048)] = Field(
        default="/", description="Path to request, including the query.", examples=["/health"]
    )
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Request headers, for example Host.")
    allow_http: bool = Field(default=False, description="Whether http URLs are allowed.")
    expect: Expectation = Field(default=Expectation(), description="The expected response.")
    attempts: int = Field(default=10, ge=1, le=100, description="Number of attempts before the check fails, 1 to 100.")
    delay: Annotated[Duration, AfterValidator(between("1s", "10m"))] = Field(
        default=timedelta(seconds=15), description="Time between attempts, 1s to 10m."
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "20s"))] = Field(
        default=timedelta(seconds=10), description="Time limit for one response, 1s to 20s."
    )

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if is_reference(url):
            return url
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("is not a URL; write https://host, or ssm:/path to it")
        if parts.username is not None or parts.password is not None:
            raise ValueError("contains a user or password; smoke tests run without credentials")
        return url


class Environment(Model):
    """A cluster in which the platform runs, with its services and policies."""

    cluster: Text = Field(description="Name or ARN of the ECS cluster, or ssm:/path to it.", examples=["scr-staging"])
    account: Annotated[str, StringConstraints(pattern=ACCOUNT)] | None = Field(
        default=None, description="Reserved; must be the operator's own account."
    )
    region: Annotated[str, StringConstraints(pattern=REGION)] | None = Field(
        default=None, description="Reserved; must be the operator's own region."
    )
    triggers: list[Trigger] = Field(
        default=["manual"],
        description="What starts a deployment here: push (a complete release), tag (a semver tag), promotion "
        "(promoteFrom has verified a release), manual (a person).",
        examples=[["push"]],
    )
    promote_from: Name | None = Field(
        default=None,
        description="Environment that must verify a release first. Required by the trigger promotion; cannot be "
        "combined with push.",
        examples=["staging"],
    )
    soak: Annotated[Duration, AfterValidator(between("1s", "30d"))] | None = Field(
        default=None, description="Minimum time since promoteFrom verified the release, 1s to 30d."
    )
    tag_wait: Annotated[Duration, AfterValidator(between("1m", "30d"))] = Field(
        default=timedelta(hours=24),
        description="How long a semver tag waits for promoteFrom to verify its release before the tag is rejected, 1m "
        "to 30d.",
    )
    scan: ScanPolicy | None = Field(
        default=None, description="Image scan findings that block a release. Default: scans are ignored."
    )
    approval: ApprovalPolicy | None = Field(
        default=None, description="Who must approve a deployment before it changes anything here. Default: nobody."
    )
    freeze: FreezePolicy | None = Field(default=None, description="Times when no deployment starts.")
    waves: list[Wave] = Field(
        min_length=1, max_length=40, description="Waves of services, rolled out one after the other."
    )
    migration: Migration | None = Field(default=None, description="One-off task that runs before any service changes.")
    migrations: list[NamedMigration] = Field(
        default=[],
        max_length=10,
        description="Instead of migration: several one-off tasks, for several databases. They run one after the other, "
        "in this order, before any service changes.",
    )
    smoke_tests: list[SmokeTest] = Field(
        default=[], max_length=32, description="HTTP checks that run after the last wave."
    )
    moving_tags: list[ImageTag] = Field(
        default=[],
        description="Image tags that follow what runs here. Ferryman also maintains <env>-current and <env>-previous.",
        examples=[["staging-latest"]],
    )
    on_failure: Literal["rollback", "hold"] = Field(
        default="rollback",
        description="rollback: services go back to the last good release. hold: services stay as they are, and a hold "
        "stops automation.",
    )
    on_newer: Literal["replace", "keep"] = Field(
        default="replace", description="Whether a newer release replaces one that still waits for approval."
    )
    on_base_change: Literal["report", "deploy"] = Field(
        default="report", description="What to do when Terraform publishes a new base task definition."
    )
    notify: list[Name] = Field(
        default=[], description="Channels that are notified of every deployment here.", examples=[["team"]]
    )  # fmt: skip

    @property
    def services(self) -> list[Service]:
        """All services in the order of the waves."""
        return [service for wave in self.waves for service in wave.services]

    @property
    def jobs(self) -> list[Job]:
        """All jobs in the order of the waves."""
        return [job for wave in self.waves for job in wave.jobs]

    @property
    def every_migration(self) -> dict[str, Migration]:
        """Name → migration, in the order in which they run; the one of `migration` has the name ""."""
        if self.migration is not None:
            return {"": self.migration}
        return {migration.name: migration for migration in self.migrations}

    def migrates_alone(self, name: str) -> bool:
        """Whether no other migration runs from an image of the same component."""
        component = self.every_migration[name].component
        return [item.component for item in self.every_migration.values()].count(component) == 1

    def migration_path(self, name: str) -> str:
        """Return where a migration stands below the environment: `migration`, or `migrations.1`."""
        return f"migrations.{list(self.every_migration).index(name)}" if name else "migration"


def _container(declared: Service | Migration | Job) -> str:
    listed = declared.containers or [declared.component]
    return declared.container or (declared.component if declared.component in listed else listed[0])


def _check_json(path: str, value: Any, depth: int) -> None:
    """Raise ValueError unless a value can be stored as JSON and in the table."""
    if depth == 0:
        raise ValueError(f"{path!r} is nested too deeply; compare single fields instead")
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not name:
                raise ValueError(f"{path!r} has the key {name!r}; a key must be text; put it in quotes")
            _check_json(path, item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check_json(path, item, depth - 1)
    elif isinstance(value, int | float) and not abs(value) < 2**53:
        raise ValueError(f"{path!r} is not a number that every JSON parser reads exactly; compare something else")
    elif value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError(f"{path!r} is a {type(value).__name__}, which JSON does not support; put it in quotes")
