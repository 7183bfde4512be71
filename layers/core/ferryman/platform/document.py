"""`ferryman/v1 Platform`: components and environments, as people write them.

Everything that can be told from the document alone is refused here, with the path and what would be right; what needs
AWS (does the service exist?) is `steps.verify`. `docs/schema/platform.v1.json` is generated from these models.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ferryman.errors import InvalidDocument
from ferryman.platform import error_messages, validation
from ferryman.platform.base import Model
from ferryman.platform.channels import Channel, ChatChannel, MailChannel, TopicChannel
from ferryman.platform.environments import (
    Environment,
    Expectation,
    Migration,
    Network,
    Service,
    SmokeTest,
    Wave,
)
from ferryman.platform.github import GitHub
from ferryman.platform.values import Duration, Name, Repository, between


class Component(Model):
    """One image repository. Any number of services may run it."""

    repository: Repository = Field(
        description="Name of the ECR repository, in the operator's account and region.", examples=["scr-api"]
    )


class Metadata(Model):
    """The document's identity."""

    name: Name = Field(description="Name of the platform.", examples=["scr"])


class Spec(Model):
    """What the platform consists of."""

    tag_pattern: str = Field(
        default="(?P<version>[0-9a-f]{7,40})",
        min_length=1,
        max_length=500,
        description="Regular expression for the tags that name a release; it has to match the whole tag. The group "
        "`version` is what all images of one release share; a numeric group `seq`, if there is one, orders releases.",
        examples=["(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})"],
    )
    assembly_timeout: Annotated[Duration, AfterValidator(between("1s", "30d"))] = Field(
        default=timedelta(minutes=30), description="A release that misses an image for longer is reported, 1s to 30d."
    )
    components: dict[Name, Component] = Field(
        min_length=1, max_length=50, description="Component name → image repository."
    )  # fmt: skip
    channels: dict[Name, Channel] = Field(default={}, description="Channel name → where messages go.")
    github: GitHub | None = Field(default=None, description="The project on GitHub. Default: nothing is told there.")
    environments: dict[Name, Environment] = Field(
        min_length=1, max_length=20, description="Environment name → where and how the platform runs."
    )

    @field_validator("tag_pattern")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        if "version" not in compiled.groupindex:
            raise ValueError("needs a named group (?P<version>…) around what all images of one release share")
        if compiled.fullmatch(""):
            raise ValueError("matches an empty tag; require at least one character, as in (?P<version>[0-9a-f]{7,40})")
        return pattern


class Platform(Model):
    """A platform that Ferryman operates: components, and the environments they run in."""

    api_version: Literal["ferryman/v1"] = Field(description="Version of this format.", examples=["ferryman/v1"])
    kind: Literal["Platform"] = Field(description="What the document declares.", examples=["Platform"])
    metadata: Metadata = Field(description="What the platform is called.")
    spec: Spec = Field(description="Components, channels and environments.")

    @property
    def name(self) -> str:
        """The platform's name."""
        return self.metadata.name

    @model_validator(mode="after")
    def _hangs_together(self) -> "Platform":
        found = validation.check(self.spec)
        if found:
            raise PydanticCustomError("document", "the parts do not fit together", {"problems": found})
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

    def triggered_by_tag(self) -> list[str]:
        """Return the environments that a semver tag starts."""
        return [name for name, env in self.spec.environments.items() if "tag" in env.triggers]

    def promoted_from(self, environment: str) -> list[str]:
        """Return the environments that take what this one has verified."""
        return [name for name, env in self.spec.environments.items() if env.promote_from == environment]

    def dump(self) -> dict[str, Any]:
        """Return the document as plain data, with every default written out."""
        return self.model_dump(mode="json", by_alias=True)


def parse(data: Any) -> Platform:
    """Read a document from plain data; raise InvalidDocument with every problem and its dotted path.

    A path names the keys of the document as they are written; a list's item is named by its index, from 0.
    """
    if not isinstance(data, dict):
        raise InvalidDocument([("", "a platform document is a mapping with apiVersion, kind, metadata and spec")])
    try:
        # By its own names only: base_task_definition is a typo in a document.
        return Platform.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidDocument(error_messages.of(error, data, Platform)) from None
    except RecursionError:
        raise InvalidDocument([("", "is nested too deeply, or contains itself")]) from None


def channel_of(document: dict[str, Any], name: str) -> Channel | None:
    """Return one channel of a stored document, whatever else is in it; None when there is none of that name.

    Messages must go out even if a later version of Ferryman is stricter about the rest of the document.
    """
    spec = document.get("spec")
    channels = spec.get("channels") if isinstance(spec, dict) else None
    data = channels.get(name) if isinstance(channels, dict) else None
    if data is None:
        return None
    adapter: TypeAdapter[Channel] = TypeAdapter(Channel)
    try:
        return adapter.validate_python(data, by_alias=True, by_name=False)
    except ValidationError as error:
        found = error_messages.of(error, data, Channel)
        raise InvalidDocument([(f"spec.channels.{name}.{path}", text) for path, text in found]) from None


__all__ = [
    "Channel",
    "ChatChannel",
    "Component",
    "Environment",
    "Expectation",
    "MailChannel",
    "Metadata",
    "Migration",
    "Network",
    "Platform",
    "Service",
    "SmokeTest",
    "Spec",
    "TopicChannel",
    "Wave",
    "channel_of",
    "parse",
]
