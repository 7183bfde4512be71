"""The project on GitHub: releases, commit statuses, deployment statuses."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from ferryman.platform.base import Model
from ferryman.platform.values import PROJECT, SecretArn, Text, WebUrl


class GitHubApp(Model):
    """A GitHub App that is installed on the repository."""

    client_id: Text = Field(description="Client id (or app id) of the app.", examples=["Iv23liAbCdEf"])
    installation_id: Text = Field(description="Id of the app's installation, in quotes.", examples=["12345678"])
    private_key_secret_arn: SecretArn = Field(
        description="ARN of the Secrets Manager secret with the app's private key (PEM), or ssm:/path to that ARN."
    )


class GitHub(Model):
    """The source repository. Versions must be commits of it, and semver tags its git tags."""

    repository: Annotated[str, StringConstraints(pattern=PROJECT)] = Field(
        description="Repository, as owner/name.", examples=["scr-platform/scr"]
    )
    token_secret_arn: SecretArn | None = Field(
        default=None,
        description="ARN of the Secrets Manager secret with a token, or ssm:/path to that ARN. Alternative to app.",
    )
    app: GitHubApp | None = Field(default=None, description="A GitHub App. Alternative to a token.")
    api_url: WebUrl = Field(
        default="https://api.github.com",
        description="Base URL of the API; change it for GitHub Enterprise.",
    )
    web_url: WebUrl = Field(default="https://github.com", description="Base URL of web pages, for compare links.")
    statuses: bool = Field(
        default=True, description="Whether commits and deployments on GitHub show the status of each environment."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> "GitHub":
        if self.token_secret_arn is not None and self.app is not None:
            raise ValueError("set either tokenSecretArn or app, not both")
        return self

    @property
    def has_key(self) -> bool:
        """Tell whether there is a key to the project; without one its pages are merely linked to."""
        return self.token_secret_arn is not None or self.app is not None
