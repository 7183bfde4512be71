"""Where a platform runs, and by which rules: waves of services, migration, smoke tests, policy."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from ferryman.platform.base import Model
from ferryman.platform.policies import ApprovalPolicy, FreezePolicy, ScanPolicy
from ferryman.platform.values import (
    ACCOUNT,
    PATH,
    REGION,
    Duration,
    HeaderName,
    HeaderValue,
    ImageTag,
    Name,
    ServiceName,
    Text,
    TextList,
    between,
    is_reference,
)

_JSON_DEPTH = 8

Trigger = Literal["push", "tag", "promotion", "manual"]


class Service(Model):
    """One ECS service that runs a component."""

    name: ServiceName = Field(description="Name of the ECS service.", examples=["scr-api-staging"])
    component: Name = Field(description="Component whose image it runs.", examples=["api"])
    container: Text | None = Field(
        default=None, description="Container whose image is replaced. Default: the component's name."
    )
    base_task_definition: Text | None = Field(
        default=None,
        description="Task definition that Terraform publishes, ARN or ssm:/path to it; only its image is replaced. "
        "Default: the service's current one.",
        examples=["ssm:/ferryman/scr/staging/task-definitions/scr-api-staging"],
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "12h"))] = Field(
        default=timedelta(minutes=10), description="Deadline of one rollout of this service, 1s to 12h."
    )
    fail_fast: int = Field(
        default=3, ge=1, le=200, description="Go back after this many failed tasks, without waiting for ECS's breaker."
    )

    @property
    def container_name(self) -> str:
        """The container whose image is replaced and whose exit is judged."""
        return self.container or self.component


class Wave(Model):
    """Services that are rolled out side by side; waves run one after the other."""

    name: Name = Field(description="What people call this wave.", examples=["api"])
    services: list[Service] = Field(min_length=1, max_length=40, description="Services that go side by side.")


class Network(Model):
    """Where a one-off task runs."""

    subnets: TextList = Field(description="Subnet ids, or ssm:/path, the name of a StringList parameter.")
    security_groups: TextList = Field(
        description="Security group ids, or ssm:/path, the name of a StringList parameter."
    )
    assign_public_ip: bool = Field(default=False, description="Needed only in a public subnet without NAT.")


class Migration(Model):
    """The one-off task that migrates the database before any service changes."""

    component: Name = Field(description="Component whose image runs the migration.", examples=["api"])
    task_definition: Text = Field(
        description="Task definition of the one-off task, ARN or ssm:/path to it; only its image is replaced.",
        examples=["ssm:/ferryman/scr/staging/task-definitions/scr-api-migrate-staging"],
    )
    container: Text | None = Field(
        default=None,
        description="Container that runs the command and whose exit code decides. Default: the component's name.",
    )
    command: list[Text] = Field(
        min_length=1, description="Command and arguments, one item each.", examples=[["alembic", "upgrade", "head"]]
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "12h"))] = Field(
        default=timedelta(minutes=10), description="Deadline of the migration, 1s to 12h."
    )
    downgrade: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Command that takes the database back; {revision} stands for where to. For rollback --downgrade "
        "and migrate down.",
        examples=[["alembic", "downgrade", "{revision}"]],
    )
    current: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Command that tells where the database stands. For migrate current.",
        examples=[["alembic", "current"]],
    )
    network: Network = Field(description="Where the task runs.")
    launch_type: Literal["FARGATE", "EC2"] = Field(default="FARGATE", description="Launch type of the task.")

    @property
    def container_name(self) -> str:
        """The container whose exit code decides."""
        return self.container or self.component


class Expectation(Model):
    """What an answer has to look like. `{release}` stands for the version that is being deployed."""

    status: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        default=[200], min_length=1, description="HTTP statuses that are right.", examples=[[200, 307]]
    )
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Header name → exact value.")
    json_fields: dict[str, Any] = Field(
        default={},
        alias="json",
        description="Dotted path in the JSON body (a number selects a list's item) → exact value.",
        examples=[{"version": "{release}", "checks.0.ok": True}],
    )
    body: str | None = Field(default=None, min_length=1, description="Text that the body must contain.")

    @field_validator("json_fields")
    @classmethod
    def _is_json(cls, fields: dict[str, Any]) -> dict[str, Any]:
        for path, value in fields.items():
            if not path.strip("."):
                raise ValueError("has an empty path; write the field's name, as in version or checks.0.ok")
            _check_json(path, value, _JSON_DEPTH)
        return fields


class SmokeTest(Model):
    """One HTTP check after the rollout."""

    name: Name = Field(description="What people call this check.", examples=["api-health"])
    url: Text = Field(
        description="Base URL, or ssm:/path to it.",
        examples=["https://api.example.com", "ssm:/ferryman/scr/staging/api-url"],
    )
    path: Annotated[str, StringConstraints(pattern=PATH, max_length=2048)] = Field(
        default="/", description="Path that is asked for, with its query.", examples=["/health"]
    )
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Request headers, for example Host.")
    allow_http: bool = Field(default=False, description="https is required unless this is true.")
    expect: Expectation = Field(default=Expectation(), description="What the answer has to look like.")
    attempts: int = Field(default=10, ge=1, le=100, description="How often it is tried before it has failed, 1 to 100.")
    delay: Annotated[Duration, AfterValidator(between("1s", "10m"))] = Field(
        default=timedelta(seconds=15), description="Time between two attempts, 1s to 10m."
    )
    timeout: Annotated[Duration, AfterValidator(between("1s", "20s"))] = Field(
        default=timedelta(seconds=10), description="How long one answer may take, 1s to 20s."
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
            raise ValueError("holds a user or password; checks go without credentials")
        return url


class Environment(Model):
    """Where a platform runs."""

    cluster: Text = Field(description="Name or ARN of the ECS cluster, or ssm:/path to it.", examples=["scr-staging"])
    account: Annotated[str, StringConstraints(pattern=ACCOUNT)] | None = Field(
        default=None, description="Reserved: refused unless it is the operator's own account."
    )
    region: Annotated[str, StringConstraints(pattern=REGION)] | None = Field(
        default=None, description="Reserved: refused unless it is the operator's own region."
    )
    triggers: list[Trigger] = Field(
        default=["manual"],
        description="What starts a deployment here: push (a complete release), tag (a semver tag), promotion "
        "(promoteFrom has verified it), manual (a person).",
        examples=[["push"]],
    )
    promote_from: Name | None = Field(
        default=None, description="Environment in which a release must be verified first.", examples=["staging"]
    )
    soak: Annotated[Duration, AfterValidator(between("1s", "30d"))] | None = Field(
        default=None, description="How long a release must have been verified in promoteFrom, 1s to 30d."
    )
    tag_wait: Annotated[Duration, AfterValidator(between("1m", "30d"))] = Field(
        default=timedelta(hours=24), description="How long a semver tag waits for promoteFrom before it is refused."
    )
    scan: ScanPolicy | None = Field(default=None, description="What image scans may find. Default: not looked at.")
    approval: ApprovalPolicy | None = Field(
        default=None, description="Who has to say yes before anything changes here. Default: nobody."
    )
    freeze: FreezePolicy | None = Field(default=None, description="Times in which nothing starts.")
    waves: list[Wave] = Field(min_length=1, max_length=40, description="Services, rolled out wave by wave.")
    migration: Migration | None = Field(default=None, description="One-off task before any service changes.")
    smoke_tests: list[SmokeTest] = Field(default=[], max_length=32, description="HTTP checks after the last wave.")
    moving_tags: list[ImageTag] = Field(
        default=[],
        description="Image tags that follow what runs here. <env>-current and <env>-previous are kept besides.",
        examples=[["staging-latest"]],
    )
    on_failure: Literal["rollback", "hold"] = Field(
        default="rollback",
        description="rollback: services go back to what ran before. hold: they stay, automation stops.",
    )
    on_newer: Literal["replace", "keep"] = Field(
        default="replace", description="Whether a newer release replaces one that still waits for approval."
    )
    on_base_change: Literal["report", "deploy"] = Field(
        default="report", description="What happens when Terraform publishes a new base task definition."
    )
    notify: list[Name] = Field(
        default=[], description="Channels that hear of every deployment here.", examples=[["team"]]
    )  # fmt: skip

    @property
    def services(self) -> list[Service]:
        """All services in the order of the waves."""
        return [service for wave in self.waves for service in wave.services]


def _check_json(path: str, value: Any, depth: int) -> None:
    """Raise ValueError unless a value can stand in JSON and in the table."""
    if depth == 0:
        raise ValueError(f"{path!r} is nested too deeply; compare single fields instead")
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not name:
                raise ValueError(f"{path!r} has the key {name!r}; a key is text, in quotes")
            _check_json(path, item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check_json(path, item, depth - 1)
    elif isinstance(value, int | float) and not abs(value) < 2**53:
        raise ValueError(f"{path!r} is not a number that every JSON reader knows; compare something else")
    elif value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError(f"{path!r} is a {type(value).__name__}, which JSON does not know; put it in quotes")
