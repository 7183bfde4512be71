"""Ask IAM where a role stands, to tell Identity Center's roles from others of the same name."""

from ferryman.arns import IDENTITY_CENTER_PATH
from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import IAMClient

_NOT_THERE = frozenset({"NoSuchEntity", "AccessDenied", "AccessDeniedException"})
"""The operator may read roles of Identity Center only, so for another role IAM denies the call."""


def made_by_identity_center(iam: IAMClient, role: str) -> bool:
    """Whether the role of this name was made by IAM Identity Center, which alone can use its path.

    A role's name is unique in its account, so there is no second role of that name. Raise Throttled or Unavailable when
    IAM does not tell.
    """
    try:
        with translated():
            found = iam.get_role(RoleName=role)["Role"]
    except Refusal as error:
        if code_of(error) in _NOT_THERE:
            return False
        raise
    return found["Path"].startswith(IDENTITY_CENTER_PATH)
