"""Whether Identity Center made a role: IAM says so, and only for roles below its reserved path."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.permission_sets import PermissionSets
from ferryman.errors import Unavailable
from unit.fakes.clock import FakeClock

ROLE = "AWSReservedSSO_Dev_0123456789abcdef"


class Iam:
    """IAM with one role, or one error."""

    def __init__(self, path: str = "/aws-reserved/sso.amazonaws.com/eu-west-1/", code: str = "") -> None:
        self.path, self.code, self.asked = path, code, 0

    def __call__(self, service: str) -> "Iam":
        assert service == "iam"
        return self

    def get_role(self, RoleName: str) -> Any:  # noqa: N803 - boto3's own name
        assert RoleName == ROLE
        self.asked += 1
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "?"}}, "GetRole")
        return {"Role": {"Path": self.path}}


def made(iam: Iam) -> PermissionSets:
    return PermissionSets(iam, FakeClock())  # type: ignore[arg-type]


def test_a_role_below_the_reserved_path_is_one_and_is_asked_about_once() -> None:
    iam = Iam()
    sets = made(iam)
    assert (sets.made(ROLE), sets.made(ROLE), iam.asked) == (True, True, 1)
    assert made(Iam("/aws-reserved/sso.amazonaws.com/")).made(ROLE)


@pytest.mark.parametrize(
    "iam",
    [
        Iam(code="AccessDenied"),
        Iam(code="NoSuchEntity"),
        Iam("/"),
        Iam("/x/aws-reserved/sso.amazonaws.com/"),
        Iam("/aws-reserved/sso.amazonaws.com.evil/"),
    ],
)
def test_any_other_role_is_none(iam: Iam) -> None:
    assert not made(iam).made(ROLE)


def test_while_iam_does_not_answer_nobody_knows() -> None:
    iam = Iam(code="Throttling")
    sets = made(iam)
    with pytest.raises(Unavailable, match="IAM does not say whether Identity Center made the role"):
        sets.made(ROLE)
    iam.code = ""
    assert sets.made(ROLE)
