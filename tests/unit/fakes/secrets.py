"""Secrets Manager and SSM, with the values that a test gives them."""

from typing import Any

from botocore.exceptions import ClientError

USES = {
    "hook": "slack-webhook",
    "bot": "slack-bot-token",
    "signing": "slack-signing-secret",
    "token": "github-token",
    "key": "github-app-key",
}
"""What tests call a secret → the last part of its name."""
_SHORT = {f"ferryman/scr/{use}-AbCdEf": short for short, use in USES.items()}


def arn(name: str, platform: str = "scr") -> str:
    return f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/{platform}/{USES[name]}-AbCdEf"


class FakeSecrets:
    """Secrets by name. It stands for the function that makes boto3 clients, too, and gives itself."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = dict(secrets)
        self.read: list[str] = []
        """Names of the secrets that were read, each as often as it was."""
        self.previous: dict[str, str] = {}
        """Values with the label AWSPREVIOUS."""
        self.fails: Exception | None = None

    def __call__(self, service: str) -> "FakeSecrets":
        assert service in ("ssm", "secretsmanager"), service
        return self

    def get_secret_value(self, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, str]:  # noqa: N803 - boto3's own names
        full = SecretId.rpartition(":")[2]
        name = _SHORT.get(full, full)
        self.read.append(name)
        if self.fails:
            raise self.fails
        values = self.secrets if VersionStage == "AWSCURRENT" else self.previous
        if name not in values and VersionStage != "AWSCURRENT":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "?"}}, "GetSecretValue")
        return {"SecretString": values[name]}

    def rotate(self, name: str, value: str) -> None:
        """Give a secret another value, as PutSecretValue does: the one before stays under its own label."""
        self.previous[name] = self.secrets[name]
        self.secrets[name] = value


class FakeParameters:
    """Parameters by name. Others do not exist; where `strict`, nobody may ask for them."""

    def __init__(self, values: dict[str, str], *, strict: bool = False) -> None:
        self.values = dict(values)
        self.strict = strict
        self.reads: list[str] = []

    def get_parameter(self, Name: str) -> Any:  # noqa: N803 - boto3's own name
        self.reads.append(Name)
        if Name not in self.values:
            assert not self.strict, Name
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": "?"}}, "GetParameter")
        return {"Parameter": {"Type": "String", "Value": self.values[Name]}}
