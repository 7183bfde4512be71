"""ARNs of callers and of what stands behind them."""

import pytest

from ferryman import arns

SSO = "AWSReservedSSO_Admin_0123456789abcdef"
ACCOUNT = "arn:aws:iam::123456789012"


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (f"{ACCOUNT}:user/ada", "user", "ada"),
        (f"{ACCOUNT}:user/teams/web/ada@example.com", "user", "ada@example.com"),
        (f"{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}", "role", SSO),
        (f"{ACCOUNT}:root", "root", ""),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/Admin/ada", "session", "Admin"),
    ],
)
def test_what_an_arn_stands_for(text: str, kind: str, name: str) -> None:
    arn = arns.read(text)
    assert arn is not None
    assert (arn.kind, arn.name) == (kind, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "arn:aws:iam::*:user/ada",
        f"{ACCOUNT}:user/*",
        f"{ACCOUNT}:role/*",
        f"{ACCOUNT}:user/ада",
        f"{ACCOUNT}:user/ada\n",
        f"{ACCOUNT}:group/admins",
        "arn:aws:sts::123456789012:assumed-role/Admin/*",
        "arn:aws:sts::123456789012:assumed-role/Admin",
        "arn:aws:sts::123456789012:federated-user/ada",
        "arn:aws:iam::12345678901:user/ada",
        "arn:aws:s3:::bucket",
    ],
)
def test_what_is_no_caller(text: str) -> None:
    assert arns.read(text) is None


@pytest.mark.parametrize(
    ("role", "session", "is_one"),
    [
        (SSO, "ada@example.com", True),
        ("AWSReservedSSO_Admin", "ada", False),
        ("AWSReservedSSO__0123456789abcdef", "ada", False),
        ("AWSReservedSSO_Admin_0123456789ABCDEF", "ada", False),
        ("Admin", "ada", False),
    ],
)
def test_the_form_of_identity_center(role: str, session: str, is_one: bool) -> None:
    arn = arns.read(f"arn:aws:sts::123456789012:assumed-role/{role}/{session}")
    assert arn is not None
    assert arn.identity_center is is_one


@pytest.mark.parametrize(
    ("caller", "role", "acts"),
    [
        ("arn:aws:sts::123456789012:assumed-role/One/x1", f"{ACCOUNT}:role/One", True),
        ("arn:aws:sts::123456789012:assumed-role/One/x1", f"{ACCOUNT}:role/path/One", True),
        ("arn:aws:sts::123456789012:assumed-role/One/x1", f"{ACCOUNT}:role/Two", False),
        ("arn:aws:sts::210987654321:assumed-role/One/x1", f"{ACCOUNT}:role/One", False),
        ("arn:aws-cn:sts::123456789012:assumed-role/One/x1", f"{ACCOUNT}:role/One", False),
        (f"{ACCOUNT}:user/One", f"{ACCOUNT}:role/One", False),
        (f"{ACCOUNT}:role/One", f"{ACCOUNT}:role/One", False),
    ],
)
def test_who_has_a_session_of_a_role(caller: str, role: str, acts: bool) -> None:
    assert arns.acts_as(caller, role) is acts
