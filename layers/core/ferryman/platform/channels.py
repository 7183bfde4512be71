"""Where messages go: Slack, SNS, mail."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from ferryman.platform.model import Model
from ferryman.platform.values import Text, is_reference


class ChatChannel(Model):
    """Slack, through an incoming webhook kept in Secrets Manager."""

    type: Literal["slack"] = Field(description="slack")
    webhook_secret_arn: Text = Field(
        description="ARN of the Secrets Manager secret that holds the webhook's URL, or ssm:/path to that ARN.",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-AbCdEf"],
    )

    @field_validator("webhook_secret_arn")
    @classmethod
    def _is_no_secret(cls, value: str) -> str:
        if "://" in value:
            # The value is not quoted: it is the credential.
            raise ValueError(
                "is the webhook itself, which is a secret; store it in Secrets Manager and write that secret's ARN here"
            )  # fmt: skip
        if not is_reference(value) and ":secretsmanager:" not in value:
            raise ValueError("is not the ARN of a secret; write arn:aws:secretsmanager:…, or ssm:/path to it")
        return value


class TopicChannel(Model):
    """An SNS topic."""

    type: Literal["sns"] = Field(description="sns")
    topic_arn: Text = Field(
        description="ARN of the topic, or ssm:/path to it.",
        examples=["arn:aws:sns:eu-west-1:123456789012:team", "ssm:/ferryman/scr/channels/team-topic-arn"],
    )

    @field_validator("topic_arn")
    @classmethod
    def _is_topic(cls, value: str) -> str:
        if not is_reference(value) and ":sns:" not in value:
            raise ValueError("is not the ARN of a topic; write arn:aws:sns:…, or ssm:/path to it")
        return value


class MailChannel(Model):
    """Mail through SES."""

    type: Literal["mail"] = Field(description="mail")
    sender: Text = Field(
        alias="from", description="Sender: an identity that SES has verified.", examples=["ferryman@example.com"]
    )
    to: list[Text] = Field(
        min_length=1, max_length=50, description="Recipients.", examples=[["ops@example.com"]]
    )  # fmt: skip

    @field_validator("sender")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value)

    @field_validator("to")
    @classmethod
    def _are_addresses(cls, values: list[str]) -> list[str]:
        return [_address(value) for value in values]


def _address(value: str) -> str:
    if not is_reference(value) and "@" not in value.strip("@"):
        raise ValueError(f"{value[:60]!r} is not a mail address; write name@example.com, or ssm:/path to one")
    if "\n" in value or "\r" in value:
        raise ValueError("a mail address is one line")
    return value


Channel = Annotated[ChatChannel | TopicChannel | MailChannel, Field(discriminator="type")]
