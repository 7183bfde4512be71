"""Resolve `ssm:/path` references of the platform document at run time.

Called by begin_deployment, verify and notify. Secrets never pass here: a SecureString is refused (secrets are named by
their ARN).
"""

import re
from collections.abc import Iterable

from botocore.exceptions import ClientError

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import SSMClient
from ferryman.errors import ReferenceUnresolved
from ferryman.platform.values import is_reference

_PLAIN_LIST = re.compile(r"[^\[\]\"']*")
"""No id of a subnet or security group, and no address, has brackets or quotes: these are of JSON or YAML."""


class References:
    """Reads each parameter once."""

    def __init__(self, ssm: SSMClient) -> None:
        self._ssm = ssm
        self._known: dict[str, str] = {}

    def text(self, value: str) -> str:
        """Return the value itself, or what the parameter it names holds. Raise ReferenceUnresolved."""
        if not is_reference(value):
            return value
        name = value.removeprefix("ssm:")
        return self._value(name, "String")

    def texts(self, value: list[str] | str) -> list[str]:
        """Return a list, each of its items resolved; a reference stands for a whole StringList."""
        if not isinstance(value, str):
            return [self.text(part) for part in value]
        if not is_reference(value):
            return _parts(value)
        name = value.removeprefix("ssm:")
        held = self._value(name, "StringList")
        if not _PLAIN_LIST.fullmatch(held):
            plain = ",".join(part.strip("[]\"' ") for part in _parts(held))
            raise ReferenceUnresolved(
                f"SSM parameter {name} holds {held[:100]!r}, which is not a StringList: write the values with commas "
                f"between them, without brackets and quotes: {plain[:200]}"
            )
        return _parts(held)

    def _value(self, name: str, type: str) -> str:
        if name not in self._known:
            self._known[name] = self._read(name, type)
        return self._known[name]

    def _read(self, name: str, type: str) -> str:
        try:
            with translated():
                parameter = self._ssm.get_parameter(Name=name)["Parameter"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ParameterNotFound":
                raise ReferenceUnresolved(
                    f"SSM parameter {name} does not exist; Terraform writes it, or create it as type {type}"
                ) from None
            if code in ("AccessDeniedException", "ValidationException"):
                raise ReferenceUnresolved(f"SSM parameter {name} cannot be read: {error}") from None
            raise
        if parameter["Type"] == "SecureString":
            raise ReferenceUnresolved(f"SSM parameter {name} is a SecureString; refer to secrets by their ARN instead")
        return parameter["Value"]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def values_of(references: References, named: Iterable[str]) -> dict[str, str]:
    """Return what each of these references stands for now; empty for one that can't be resolved."""
    found = {}
    for name in named:
        try:
            found[name] = references.text(name)
        except ReferenceUnresolved:
            found[name] = ""
    return found
