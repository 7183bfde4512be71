"""The edge to IAM that proves where a session of IAM Identity Center comes from. Called by `serve_api`.

STS names the role of a session without its path, and anybody who may create roles can give one a name like those of
Identity Center, outside of its path. So the operator asks IAM for the role, and may ask only for roles below the path
that AWS reserves for Identity Center: for any other role, IAM refuses.
"""

from dataclasses import dataclass
from datetime import timedelta

from botocore.exceptions import ClientError

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.remembered import Remembered
from ferryman.errors import TransientError, Unavailable
from ferryman.ids import Clock

_PATH = "/aws-reserved/sso.amazonaws.com/"
_REMEMBERED = timedelta(seconds=60)
"""How long an answer counts."""


@dataclass
class PermissionSets:
    """The roles that Identity Center made in this account. One per sandbox: it remembers answers."""

    client: MakeClient
    clock: Clock

    def __post_init__(self) -> None:
        self._known: Remembered[bool] = Remembered(self.clock)

    def made(self, role: str) -> bool:
        """Whether Identity Center made the role of this name; raise Unavailable when IAM does not answer."""
        return self._known.get(role, self._asked, lambda _: _REMEMBERED)

    def _asked(self, role: str) -> bool:
        try:
            with translated():
                path = self.client("iam").get_role(RoleName=role)["Role"]["Path"]
        except TransientError as error:
            raise Unavailable(f"IAM does not say whether Identity Center made the role {role} ({error})") from error
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchEntity", "AccessDenied", "AccessDeniedException"):
                return False
            raise
        return path.startswith(_PATH)
