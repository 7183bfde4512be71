"""Which callers a grant's ARN stands for."""

import pytest

from ferryman.access import Access
from ferryman.access.principals import as_caller, matches
from ferryman.errors import NotPermitted

USER = "arn:aws:iam::123456789012:user/ada"
ROLE = "arn:aws:iam::123456789012:role/Admin"
SESSION = "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com"


@pytest.mark.parametrize(
    ("principal", "caller"),
    [
        (USER, USER),
        (ROLE, SESSION),
        ("arn:aws:iam::123456789012:role/teams/web/Admin", SESSION),
        (SESSION, SESSION),
        ("arn:aws-cn:iam::123456789012:role/Admin", "arn:aws-cn:sts::123456789012:assumed-role/Admin/x"),
    ],
)
def test_a_caller_is_the_user_or_a_session_of_the_role(principal: str, caller: str) -> None:
    assert matches(principal, caller)


@pytest.mark.parametrize(
    ("principal", "caller"),
    [
        (USER, "arn:aws:iam::123456789012:user/ada2"),
        (USER, "arn:aws:iam::210987654321:user/ada"),
        (ROLE, "arn:aws:sts::210987654321:assumed-role/Admin/ada"),
        (ROLE, "arn:aws:sts::123456789012:assumed-role/Admin2/ada"),
        (ROLE, "arn:aws:sts::123456789012:assumed-role/Other/Admin"),
        (ROLE, "arn:aws-cn:sts::123456789012:assumed-role/Admin/ada"),
        (SESSION, "arn:aws:sts::123456789012:assumed-role/Admin/other"),
        ("arn:aws:iam::123456789012:role/.*", SESSION),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("arn:aws:sts::123456789012:federated-user/ada", USER),
        ("*", SESSION),
        ("", SESSION),
    ],
)
def test_nobody_else_is(principal: str, caller: str) -> None:
    assert not matches(principal, caller)


def test_a_refusal_names_the_caller_and_who_the_admins_are() -> None:
    Access((ROLE,)).require_admin(SESSION, "do this")
    with pytest.raises(NotPermitted, match=r"only an admin .* can do this, and arn:.*user/ada is not one.*AdminArns"):
        Access((ROLE,)).require_admin(USER, "do this")


@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        (USER, USER),
        (SESSION, SESSION),
        (ROLE, "arn:aws:sts::123456789012:assumed-role/Admin/any"),
        ("arn:aws-cn:iam::123456789012:role/a/b/Admin", "arn:aws-cn:sts::123456789012:assumed-role/Admin/any"),
        ("arn:aws:iam::123456789012:root", None),
        ("arn:aws:iam::123456789012:role/*", None),
        ("*", None),
        ("", None),
    ],
)
def test_a_role_is_asked_about_as_one_of_its_sessions(arn: str, caller: str | None) -> None:
    assert as_caller(arn) == caller
