"""`ferryman/v1 Platform`: components and environments, as people write them.

Everything that can be told from the document alone is refused here, with the path and what would be right; what needs
AWS (does the service exist?) is `ferryman.verify`. `docs/schema/platform.v1.json` is generated from these models.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from ferryman.errors import InvalidDocument
from ferryman.platform.values import Duration, Name, Repository, ServiceName, Text, TextList, is_reference


class Model(BaseModel):
    """Frozen, camelCase in documents, no unknown field: a typo must not pass silently."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, ser_json_timedelta="iso8601"
    )


class Component(Model):
    """One image repository."""

    repository: Repository = Field(description="Name of the ECR repository, in the operator's account and region.")


class ChatChannel(Model):
    """Slack, through an incoming webhook kept in Secrets Manager."""

    type: Literal["slack"]
    webhook_secret_arn: Text = Field(description="ARN of the secret that holds the webhook's URL (or ssm:/path to it).")


class TopicChannel(Model):
    """An SNS topic."""

    type: Literal["sns"]
    topic_arn: Text


class MailChannel(Model):
    """Mail through SES."""

    type: Literal["mail"]
    sender: Text = Field(alias="from", description="A verified SES identity.")
    to: list[Text] = Field(min_length=1)


Channel = Annotated[ChatChannel | TopicChannel | MailChannel, Field(discriminator="type")]


class Service(Model):
    """One ECS service that runs a component."""

    name: ServiceName
    component: Name
    container: Text | None = Field(default=None, description="Container to update. Default: the component's name.")
    base_task_definition: Text | None = Field(
        default=None,
        description="Task definition that Terraform publishes, ARN or ssm:/path. Default: the service's current one.",
    )
    timeout: Duration = Field(default=timedelta(minutes=10), description="Deadline of one rollout of this service.")
    fail_fast: int = Field(
        default=3, ge=1, le=200, description="Roll back after this many failed tasks, without waiting for the breaker."
    )

    @property
    def container_name(self) -> str:
        """The container whose image is replaced and whose exit is judged."""
        return self.container or self.component


class Wave(Model):
    """Services that are rolled out side by side; waves run one after the other."""

    name: Name
    services: list[Service] = Field(min_length=1)


class Network(Model):
    """Where a one-off task runs."""

    subnets: TextList
    security_groups: TextList
    assign_public_ip: bool = False


class Migration(Model):
    """The one-off task that migrates the database before any service changes."""

    component: Name
    task_definition: Text = Field(description="ARN, or ssm:/path to it. Its image is replaced by the release's.")
    container: Text | None = None
    command: list[Text] = Field(min_length=1)
    timeout: Duration = timedelta(minutes=10)
    network: Network
    launch_type: Literal["FARGATE", "EC2"] = "FARGATE"

    @property
    def container_name(self) -> str:
        """The container whose exit code decides."""
        return self.container or self.component


class Expectation(Model):
    """What an answer has to look like. `{release}` stands for the version that is being deployed."""

    status: list[Annotated[int, Field(ge=100, le=599)]] = Field(default=[200], min_length=1)
    headers: dict[str, str] = Field(default={}, description="Header name → exact value.")
    json_fields: dict[str, Any] = Field(
        default={}, alias="json", description="Dotted path in the JSON body → exact value."
    )
    body: str | None = Field(default=None, description="Text that the body must contain.")


class SmokeTest(Model):
    """One HTTP check after the rollout."""

    name: Name
    url: Text = Field(description="Base URL, or ssm:/path to it.")
    path: Annotated[str, Field(pattern=r"^/")] = "/"
    headers: dict[str, str] = Field(default={}, description="Request headers, for example Host.")
    allow_http: bool = Field(default=False, description="https is required unless this is true.")
    expect: Expectation = Expectation()
    attempts: int = Field(default=10, ge=1, le=100)
    delay: Duration = Field(default=timedelta(seconds=15), description="Time between two attempts.")
    timeout: Annotated[Duration, Field(le=timedelta(seconds=20))] = timedelta(seconds=10)


class Environment(Model):
    """Where a platform runs."""

    cluster: Text = Field(description="Name or ARN of the ECS cluster, or ssm:/path to it.")
    account: str | None = Field(default=None, description="Reserved: refused unless it is the operator's own.")
    region: str | None = Field(default=None, description="Reserved: refused unless it is the operator's own.")
    triggers: list[Literal["push", "tag", "promotion", "manual"]] = ["manual"]
    promote_from: Name | None = Field(default=None, description="Environment in which a release must be verified first.")
    waves: list[Wave] = Field(min_length=1)
    migration: Migration | None = None
    smoke_tests: list[SmokeTest] = []
    moving_tags: list[Text] = Field(default=[], description="Tags kept on the images of what runs here.")
    on_failure: Literal["rollback", "hold"] = "rollback"
    on_newer: Literal["replace", "keep"] = "replace"
    on_base_change: Literal["report", "deploy"] = "report"
    notify: list[Name] = Field(default=[], description="Channels that hear of every deployment here.")

    @property
    def services(self) -> list[Service]:
        """All services in the order of the waves."""
        return [service for wave in self.waves for service in wave.services]


class Metadata(Model):
    """The document's identity."""

    name: Name


class Spec(Model):
    """What the platform consists of."""

    tag_pattern: str = Field(
        default="(?P<version>[0-9a-f]{7,40})",
        description="Regular expression for version tags, with a group `version` and optionally a numeric group `seq`.",
    )
    assembly_timeout: Duration = timedelta(minutes=30)
    timeline_retention: Duration = timedelta(days=400)
    components: dict[Name, Component] = Field(min_length=1)
    channels: dict[Name, Channel] = {}
    environments: dict[Name, Environment] = Field(min_length=1)

    @field_validator("tag_pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if "version" not in groups:
            raise ValueError("needs a named group (?P<version>…) around what all images of one release share")
        return pattern


class Platform(Model):
    """The whole document."""

    api_version: Literal["ferryman/v1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: Spec

    @property
    def name(self) -> str:
        """The platform's name."""
        return self.metadata.name

    @model_validator(mode="after")
    def _hangs_together(self) -> "Platform":
        problems = [*_unknown_names(self.spec), *_repeated(self.spec), *_cycles(self.spec)]
        if problems:
            raise PydanticCustomError("document", "the parts do not fit together", {"problems": problems})
        return self

    def environment(self, name: str) -> Environment:
        """Return one environment; raise KeyError for an unknown one."""
        return self.spec.environments[name]

    def component_of(self, repository: str) -> str | None:
        """Return the component whose images live in this repository."""
        for name, component in self.spec.components.items():
            if component.repository == repository:
                return name
        return None

    def triggered_by_push(self) -> list[str]:
        """Return the environments that a complete release starts by itself."""
        return [name for name, env in self.spec.environments.items() if "push" in env.triggers]

    def dump(self) -> dict[str, Any]:
        """Return the document as plain data, with every default written out."""
        return self.model_dump(mode="json", by_alias=True)


def _unknown_names(spec: Spec) -> list[tuple[str, str]]:
    problems = []
    components, channels = ", ".join(spec.components), ", ".join(spec.channels) or "none is defined"
    for env_name, env in spec.environments.items():
        at = f"spec.environments.{env_name}"
        for w, wave in enumerate(env.waves):
            for s, service in enumerate(wave.services):
                if service.component not in spec.components:
                    problems.append(
                        (f"{at}.waves.{w}.services.{s}.component",
                         f"no component is named {service.component!r}; there are: {components}")
                    )  # fmt: skip
        if env.migration and env.migration.component not in spec.components:
            problems.append(
                (f"{at}.migration.component",
                 f"no component is named {env.migration.component!r}; there are: {components}")
            )  # fmt: skip
        for i, channel in enumerate(env.notify):
            if channel not in spec.channels:
                problems.append(
                    (f"{at}.notify.{i}", f"no channel is named {channel!r}; there are: {channels}")
                )  # fmt: skip
        if env.promote_from and env.promote_from not in spec.environments:
            others = ", ".join(name for name in spec.environments if name != env_name) or "none"
            problems.append(
                (f"{at}.promoteFrom", f"no environment is named {env.promote_from!r}; there are: {others}")
            )  # fmt: skip
    return problems


def _repeated(spec: Spec) -> list[tuple[str, str]]:
    problems = []
    owners: dict[str, str] = {}
    for name, component in spec.components.items():
        first = owners.setdefault(component.repository, name)
        if first != name:
            problems.append(
                (f"spec.components.{name}.repository", f"{component.repository!r} already belongs to {first!r}")
            )  # fmt: skip
    places: dict[tuple[str, str], str] = {}
    for env_name, env in spec.environments.items():
        for w, wave in enumerate(env.waves):
            for s, service in enumerate(wave.services):
                at = f"spec.environments.{env_name}.waves.{w}.services.{s}.name"
                first = places.setdefault((env.cluster, service.name), at)
                if first != at:
                    problems.append((at, f"service {service.name!r} is already listed at {first}; a service has one place"))
    return problems


def _cycles(spec: Spec) -> list[tuple[str, str]]:
    problems = []
    for start in spec.environments:
        seen = [start]
        current = spec.environments[start].promote_from
        while current in spec.environments and current not in seen:
            seen.append(current)
            current = spec.environments[current].promote_from
        if current == start:
            path = " → ".join([*seen, start])
            problems.append(
                (f"spec.environments.{start}.promoteFrom",
                 f"promotion goes in a circle ({path}); one environment must come first, without promoteFrom")
            )  # fmt: skip
    return problems


def parse(data: Any) -> Platform:
    """Read a document from plain data; raise InvalidDocument with every problem and its dotted path."""
    if not isinstance(data, dict):
        raise InvalidDocument([("", "a platform document is a mapping with apiVersion, kind, metadata and spec")])
    try:
        return Platform.model_validate(data)
    except ValidationError as error:
        raise InvalidDocument(_problems(error)) from None


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"] if not str(part).startswith("constrained-str"))
        context = item.get("ctx", {})
        if item["type"] == "document":
            found.extend(context["problems"])
        elif item["type"] == "extra_forbidden":
            found.append((path, f"unknown field; {_known_fields(item['loc'])}"))
        elif item["type"] == "missing":
            found.append((path, "is missing"))
        elif item["type"] == "value_error":
            found.append((path, str(context["error"])))
        else:
            found.append((path, f"{item['msg'][0].lower()}{item['msg'][1:]} (found {_shorten(item['input'])})"))
    return found


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _known_fields(location: tuple[int | str, ...]) -> str:
    """Name the fields that the innermost model at this location has."""
    model: Any = Platform
    for part in location[:-1]:
        model = _descend(model, part)
        if model is None:
            return "see docs/platform.md for the fields that exist here"
    names = [field.alias or name for name, field in model.model_fields.items()]
    return f"here are: {', '.join(names)}"


def _descend(model: Any, part: int | str) -> Any:
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
        return None
    return _unwrap(model, part)


def _unwrap(annotation: Any, part: int | str) -> Any:
    """Step into `list[X]`, `dict[str, X]`, `X | None` or a tagged union."""
    from typing import get_args, get_origin

    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _unwrap(arguments[0], part)
    if origin is list or origin is dict:
        return _model_in(arguments[-1])
    for argument in arguments:
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            if "type" in argument.model_fields and part in get_args(argument.model_fields["type"].annotation):
                return argument
            found = _descend(argument, part)
            if found is not None:
                return found
    return None


def _model_in(annotation: Any) -> Any:
    return annotation


__all__ = ["Environment", "Platform", "is_reference", "parse"]
