"""`ferryman/v1 Platform`: components and environments, as users write them.

Errors that can be found in the document alone are reported here, with the path and the correction. `steps.verify` does
the checks that need AWS (does the service exist?). `docs/schema/platform.v1.json` is generated from these models.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ferryman.errors import InvalidDocument
from ferryman.lazy_model import BUILDING
from ferryman.platform import tag_patterns, validation
from ferryman.platform.base import Model
from ferryman.platform.channels import Channel, ChatChannel, MailChannel, TopicChannel
from ferryman.platform.environments import (
    Environment,
    Expectation,
    Migration,
    NamedMigration,
    Network,
    Service,
    SmokeTest,
    Wave,
)
from ferryman.platform.github import GitHub
from ferryman.platform.values import Duration, Name, Repository, between

_BRACES = re.compile(r"\$?(?:\{\{?\s*version\s*\}?\}|<version>)")
"""How people write a placeholder where a pattern needs a group."""


class Component(Model):
    """One image repository. Any number of services can run its image."""

    repository: Repository = Field(
        description="Name of the ECR repository, in the operator's account and region.", examples=["scr-api"]
    )


class Metadata(Model):
    """The name of the platform."""

    name: Name = Field(description="Name of the platform.", examples=["scr"])


class Spec(Model):
    """Components, channels and environments of the platform."""

    tag_pattern: str = Field(
        default="(?P<version>[0-9a-f]{7,40})",
        min_length=1,
        max_length=500,
        description="Regular expression for tags that name a release. It must match the whole tag and have a group "
        "`version`, which is the same for all images of one release. An optional numeric group `seq` orders releases.",
        examples=["(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})"],
    )
    assembly_timeout: Annotated[Duration, AfterValidator(between("1s", "30d"))] = Field(
        default=timedelta(minutes=30),
        description="How long a release can be incomplete before it is reported, 1s to 30d.",
    )
    components: dict[Name, Component] = Field(
        min_length=1, max_length=50, description="Component name → image repository."
    )  # fmt: skip
    channels: dict[Name, Channel] = Field(default={}, description="Channel name → channel for messages.")
    github: GitHub | None = Field(default=None, description="The project on GitHub. Default: GitHub is not used.")
    environments: dict[Name, Environment] = Field(
        min_length=1, max_length=20, description="Environment name → environment."
    )

    @field_validator("tag_pattern")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        if "version" not in compiled.groupindex:
            told = "needs a named group (?P<version>…) that captures what all images of one release share"
            simple = _BRACES.sub("(?P<version>[0-9a-f]{7,40})", pattern)
            instead = simple if simple != pattern else "(?P<version>[0-9a-f]{7,40})"
            raise ValueError(f"{told}; for commits, write {instead}")
        if tag_patterns.problem(pattern) is None and tag_patterns.full_match(pattern, "") is not None:
            raise ValueError("matches an empty tag; require at least one character, as in (?P<version>[0-9a-f]{7,40})")
        return pattern


class Platform(Model):
    """A platform that Ferryman operates: its components, and the environments in which they run."""

    api_version: Literal["ferryman/v1"] = Field(description="Version of the format.", examples=["ferryman/v1"])
    kind: Literal["Platform"] = Field(description="Kind of the document.", examples=["Platform"])
    metadata: Metadata = Field(description="Metadata of the platform.")
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

    def only(self, name: str) -> "Platform":
        """Return the document with one of its environments; raise KeyError for an unknown one."""
        spec = self.spec.model_copy(update={"environments": {name: self.environment(name)}})
        return self.model_copy(update={"spec": spec})

    def component_of(self, repository: str) -> str | None:
        """Return the component whose images are in this repository."""
        for name, component in self.spec.components.items():
            if component.repository == repository:
                return name
        return None

    def triggered_by_push(self) -> list[str]:
        """Return the environments in which a complete release starts a deployment."""
        return [name for name, env in self.spec.environments.items() if "push" in env.triggers]

    def triggered_by_tag(self) -> list[str]:
        """Return the environments in which a semver tag starts a deployment."""
        return [name for name, env in self.spec.environments.items() if "tag" in env.triggers]

    def promoted_from(self, environment: str) -> list[str]:
        """Return the environments whose `promoteFrom` is this environment."""
        return [name for name, env in self.spec.environments.items() if env.promote_from == environment]

    def dump(self) -> dict[str, Any]:
        """Return the document as plain data, with all default values."""
        return self.model_dump(mode="json", by_alias=True)


def parse(data: Any) -> Platform:
    """Parse a document from plain data; raise InvalidDocument with all problems and their dotted paths.

    A path consists of the document's keys; an item of a list is its index, starting at 0. `status` is ignored, as in
    Kubernetes: `ferryman get platform NAME -o yaml` writes it, and its output can be applied.
    """
    if not isinstance(data, dict):
        raise InvalidDocument([("", "a platform document is a mapping with apiVersion, kind, metadata and spec")])
    data = {key: value for key, value in data.items() if key != "status"}
    try:
        # Accept only the document's names: base_task_definition is a typo in a document.
        return Platform.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        # Rare: `ferryman apply` stores only documents that are right.
        from ferryman.platform import error_messages

        raise InvalidDocument(error_messages.of(error, data, Platform)) from None
    except RecursionError:
        raise InvalidDocument([("", "is nested too deeply, or contains itself")]) from None


def channel_of(document: dict[str, Any], name: str) -> Channel | None:
    """Return one channel of a stored document without validating the rest; None if it has no channel of that name.

    Messages must be sent even if a later version of Ferryman is stricter about the rest of the document.
    """
    spec = document.get("spec")
    channels = spec.get("channels") if isinstance(spec, dict) else None
    data = channels.get(name) if isinstance(channels, dict) else None
    if data is None:
        return None
    with BUILDING:  # messages are sent by several threads
        adapter: TypeAdapter[Channel] = TypeAdapter(Channel)
    try:
        return adapter.validate_python(data, by_alias=True, by_name=False)
    except ValidationError as error:
        from ferryman.platform import error_messages

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
    "NamedMigration",
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
