"""Channels for messages: Slack, SNS, mail."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from ferryman.platform.base import Model
from ferryman.platform.values import SecretArn, Text, WebUrl, is_reference


class ChatChannel(Model):
    """Slack: an incoming webhook or a bot. A bot's messages can have buttons and be updated later."""

    type: Literal["slack"] = Field(description="slack")
    webhook_secret_arn: SecretArn | None = Field(
        default=None,
        description="ARN of the Secrets Manager secret that contains the webhook's URL, or ssm:/path to that ARN.",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-webhook-AbCdEf"],
    )
    bot_token_secret_arn: SecretArn | None = Field(
        default=None,
        description="ARN of the secret that contains the bot's token (scope chat:write), or ssm:/path to that ARN.",
    )
    signing_secret_arn: SecretArn | None = Field(
        default=None,
        description="ARN of the secret that contains the app's signing secret, or ssm:/path to that ARN. Required for "
        "buttons in approval messages.",
    )
    channel: Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,20}$")] | None = Field(
        default=None, description="Id of the channel that the bot posts to.", examples=["C024BE91L"]
    )
    team: Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]{2,20}$")] | None = Field(
        default=None, description="Id of the workspace from which button presses are accepted.", examples=["T024BE7LD"]
    )
    api_url: WebUrl = Field(
        default="https://slack.com/api",
        description="Base URL of Slack's API; change it for GovSlack.",
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> "ChatChannel":
        if (self.webhook_secret_arn is None) == (self.bot_token_secret_arn is None):
            raise ValueError("set either webhookSecretArn, or botTokenSecretArn and channel")
        if self.bot_token_secret_arn is not None and self.channel is None:
            raise ValueError("botTokenSecretArn requires channel, the id of the channel to post to, as in C024BE91L")
        if self.signing_secret_arn is not None and (self.bot_token_secret_arn is None or self.team is None):
            raise ValueError(
                "signingSecretArn requires botTokenSecretArn and team, the id of the workspace, as in T024BE7LD"
            )
        return self


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
            raise ValueError("is not the ARN of an SNS topic; write arn:aws:sns:…, or ssm:/path to it")
        return value


class MailChannel(Model):
    """Mail through SES."""

    type: Literal["mail"] = Field(description="mail")
    sender: Text = Field(
        alias="from",
        description="Sender: an identity verified in SES, or ssm:/path to it.",
        examples=["ferryman@example.com"],
    )
    to: list[Text] = Field(
        min_length=1,
        max_length=50,
        description="Email addresses of the recipients; each can be an ssm:/path.",
        examples=[["ops@example.com"]],
    )

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
        raise ValueError(f"{value[:60]!r} is not an email address; write name@example.com, or ssm:/path to one")
    if "\n" in value or "\r" in value:
        raise ValueError("an email address must be one line")
    return value


Channel = Annotated[ChatChannel | TopicChannel | MailChannel, Field(discriminator="type")]
