"""What a person answers: in a file, as options, or when asked. The fields are those of the platform document.

An answer that is left out is found in AWS or keeps its default.
"""

import re
from typing import Any

from pydantic import Field, ValidationError

from ferryman.errors import InvalidDocument
from ferryman.platform.base import Model
from ferryman.platform.channels import Channel
from ferryman.platform.document import Component
from ferryman.platform.environments import Trigger
from ferryman.platform.policies import ApprovalPolicy
from ferryman.platform.values import Name, ServiceName, Text

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


class ServiceAnswer(Model):
    """A service to operate."""

    name: ServiceName = Field(description="Name of the ECS service.", examples=["shop-api-staging"])
    component: Name | None = Field(
        default=None, description="Component whose image the service runs. Default: found in its task definition."
    )


class EnvironmentAnswers(Model):
    """An environment: a cluster, and what guards it."""

    cluster: Text = Field(description="Name or ARN of the ECS cluster.", examples=["shop-staging"])
    services: list[ServiceAnswer] | None = Field(
        default=None, min_length=1, description="Services to operate. Default: all that run an image of ECR."
    )
    triggers: list[Trigger] | None = Field(default=None, description="What starts a deployment here.")
    promote_from: Name | None = Field(
        default=None,
        description="Environment that must verify a release first; null: none. Default: the environment listed before.",
    )
    approval: ApprovalPolicy | None = Field(default=None, description="Who must approve a deployment here.")


class Answers(Model):
    """All that a person answers."""

    platform: Name = Field(description="Name of the platform.", examples=["shop"])
    environments: dict[Name, EnvironmentAnswers] = Field(
        min_length=1, max_length=20, description="Environment name → environment, in the order of promotion."
    )
    components: dict[Name, Component] = Field(
        default={}, description="Component name → image repository. Default: found in task definitions."
    )
    channels: dict[Name, Channel] = Field(
        default={}, description="Channel name → channel for messages of all environments."
    )
    tag_pattern: Text | None = Field(default=None, description="Regular expression for tags that name a release.")

    def source_of(self, environment: str) -> str | None:
        """Return the environment that must verify a release before this one; None: none."""
        given = self.environments[environment]
        if "promote_from" in given.model_fields_set:
            return given.promote_from
        names = list(self.environments)
        before = names.index(environment) - 1
        return names[before] if before >= 0 and "push" not in (given.triggers or []) else None


def parse(data: Any) -> Answers:
    """Parse answers from plain data; raise InvalidDocument with all problems and their dotted paths."""
    if not isinstance(data, dict):
        raise InvalidDocument([("", "answers are a mapping with platform and environments")])
    try:
        return Answers.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        from ferryman.platform import error_messages

        raise InvalidDocument(error_messages.of(error, data, Answers)) from None


def environment(text: str) -> tuple[str, dict[str, Any]]:
    """Read `NAME=CLUSTER`; raise ValueError."""
    name, equals, cluster = (part.strip() for part in text.partition("="))
    if not (name and equals and cluster):
        raise ValueError(f"{text!r} is not NAME=CLUSTER; write for example staging=shop-staging")
    return name, {"cluster": cluster}


def approver(text: str) -> dict[str, str]:
    """Read `NAME=WHO`, where WHO is a mail address, the ARN of a caller or a Slack user id; raise ValueError."""
    name, equals, who = (part.strip() for part in text.partition("="))
    if not (name and equals and who):
        raise ValueError(f"{text!r} is not NAME=WHO; write for example 'Ada Lovelace=ada@example.com'")
    if who.startswith("arn:"):
        return {"name": name, "arn": who}
    if _SLACK_USER.fullmatch(who):
        return {"name": name, "slack": who}
    if "@" in who:
        return {"name": name, "email": who}
    raise ValueError(f"{who!r} is neither a mail address, nor the ARN of a caller, nor a Slack user id")


def channel(text: str) -> tuple[str, dict[str, Any]]:
    """Read the ARN of an SNS topic, or of the secret with the URL of a Slack webhook; return name and channel."""
    if text.startswith("arn:") and ":sns:" in text:
        return "topic", {"type": "sns", "topicArn": text}
    if text.startswith("arn:") and ":secretsmanager:" in text:
        return "slack", {"type": "slack", "webhookSecretArn": text}
    # Not quoted: it could be the webhook's URL, which is a secret.
    raise ValueError(
        "is neither the ARN of an SNS topic nor of a secret that holds the URL of a Slack webhook; other channels can "
        "be answered in a file"
    )


def given(
    platform: str | None, environments: list[str], approvers: list[str], sender: str | None, channel_arn: str | None
) -> dict[str, Any]:
    """Return answers from options; raise ValueError. What is not given is missing in them."""
    data: dict[str, Any] = {"platform": platform} if platform else {}
    found = [environment(text) for text in environments]
    if len(dict(found)) < len(found):
        raise ValueError("--environment names one environment twice")
    if found:
        data["environments"] = dict(found)
    if approvers or sender:
        guard(data, [approver(text) for text in approvers], sender)
    if channel_arn:
        name, told = channel(channel_arn)
        data["channels"] = {name: told}
    return data


def guard(data: dict[str, Any], approvers: list[dict[str, str]], sender: str | None) -> None:
    """Let these people approve deployments to the last environment; raise ValueError if there is none or nobody."""
    environments = list(data.get("environments", {}).values())
    if not environments:
        raise ValueError("approvers need an environment that they guard: the last --environment")
    if not approvers:
        raise ValueError("a sender needs approvers who get its mails; add --approver NAME=ADDRESS")
    environments[-1]["approval"] = {"approvers": approvers, **({"from": sender} if sender else {})}
