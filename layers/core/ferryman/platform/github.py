"""The project on GitHub: releases, commit statuses, deployment statuses."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from ferryman.platform.model import Model
from ferryman.platform.values import Text, is_reference

_PROJECT = r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$"


def _secret(value: str) -> str:
    if value.startswith(("ghp_", "github_pat_", "ghs_", "-----BEGIN")):
        raise ValueError("is the secret itself; store it in Secrets Manager and write that secret's ARN here")
    if not is_reference(value) and ":secretsmanager:" not in value:
        raise ValueError("is not the ARN of a secret; write arn:aws:secretsmanager:…, or ssm:/path to it")
    return value


class GitHubApp(Model):
    """A GitHub App, installed on the repository."""

    client_id: Text = Field(description="The app's client id (or app id).", examples=["Iv23liAbCdEf"])
    installation_id: Text = Field(description="Id of its installation, in quotes.", examples=["12345678"])
    private_key_secret_arn: Text = Field(
        description="ARN of the Secrets Manager secret with the app's private key (PEM), or ssm:/path to that ARN."
    )

    @field_validator("private_key_secret_arn")
    @classmethod
    def _is_no_secret(cls, value: str) -> str:
        return _secret(value)


class GitHub(Model):
    """Where the source lives. Versions are commits there, and semver tags its tags."""

    repository: Annotated[str, StringConstraints(pattern=_PROJECT)] = Field(
        description="owner/name.", examples=["scr-platform/scr"]
    )
    token_secret_arn: Text | None = Field(
        default=None,
        description="ARN of the Secrets Manager secret with a token, or ssm:/path to that ARN. Instead of app.",
    )
    app: GitHubApp | None = Field(default=None, description="A GitHub App, instead of a token.")
    api_url: str = Field(default="https://api.github.com", description="API, for GitHub Enterprise Server.")
    web_url: str = Field(default="https://github.com", description="Pages, for compare links.")
    statuses: bool = Field(default=True, description="Whether commits and deployments show how it went.")

    @field_validator("token_secret_arn")
    @classmethod
    def _is_no_secret(cls, value: str | None) -> str | None:
        return value if value is None else _secret(value)

    @field_validator("api_url", "web_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("is not an https:// URL")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_in(self) -> "GitHub":
        if self.token_secret_arn is not None and self.app is not None:
            raise ValueError("give a tokenSecretArn or an app, not both")
        return self
