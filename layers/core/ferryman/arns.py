"""ARNs of callers as STS reports them, and of the users and roles behind them. Pure.

Forms: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html. Names of IAM are ASCII and have no
wildcards, so an ARN with a `*` is none of them.
"""

import re
from dataclasses import dataclass
from typing import Literal

_IAM = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):iam::(?P<account>\d{12}):"
    r"(?:(?P<root>root)|(?P<kind>user|role)/(?P<path>(?:[!-~]+/)?)(?P<name>[\w+=,.@-]{1,64}))",
    re.ASCII,
)
_SESSION = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):sts::(?P<account>\d{12}):"
    r"assumed-role/(?P<name>[\w+=,.@-]{1,64})/(?P<session>[\w+=,.@-]{2,64})",
    re.ASCII,
)
_IDENTITY_CENTER = re.compile(r"AWSReservedSSO_[\w+=,.@-]{1,32}_[0-9a-f]{16}", re.ASCII)
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
IDENTITY_CENTER_PATH = "/aws-reserved/sso.amazonaws.com/"
"""The path of the roles that IAM Identity Center makes; nobody else can make a role below `/aws-reserved/`."""
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def console_host(partition: str, region: str) -> str:
    """Return the host of AWS's console."""
    return _CONSOLES.get(partition) or f"{region}.console.aws.amazon.com"


@dataclass(frozen=True)
class Arn:
    """An identity in an account."""

    partition: str
    account: str
    kind: Literal["user", "role", "session", "root"]
    name: str = ""
    """Of the user or the role, without its path."""
    session: str = ""
    path: str = ""
    """`/teams/web/`; STS does not report that of a session's role."""

    @property
    def identity_center(self) -> bool:
        """Whether it has the form of an Identity Center session. Only the role's path proves that it is one."""
        return self.kind == "session" and _IDENTITY_CENTER.fullmatch(self.name) is not None


def read(text: str) -> Arn | None:
    """Return what an ARN stands for; None when no user, role, session or root has it."""
    found = _SESSION.fullmatch(text)
    if found:
        return Arn(found["partition"], found["account"], "session", found["name"], found["session"])
    found = _IAM.fullmatch(text)
    if found is None:
        return None
    if found["root"]:
        return Arn(found["partition"], found["account"], "root")
    kind: Literal["user", "role"] = "user" if found["kind"] == "user" else "role"
    return Arn(found["partition"], found["account"], kind, found["name"], path=f"/{found['path']}")


def acts_as(caller: str, role: str) -> bool:
    """Whether a caller has a session of this role. A role's name is unique in its account, whatever its path."""
    session, wanted = read(caller), read(role)
    return (
        session is not None
        and wanted is not None
        and (session.kind, wanted.kind) == ("session", "role")
        and (session.partition, session.account, session.name) == (wanted.partition, wanted.account, wanted.name)
    )
