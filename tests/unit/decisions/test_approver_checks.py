"""What `apply` refuses of approvers."""

from dataclasses import replace
from typing import Any

import pytest

from ferryman.access.people import Declared, People
from ferryman.decisions.approver_checks import Surroundings, has_roles, problems_of
from unit.approving import APPROVERS, PARAMETERS, document

ROLE = "arn:aws:iam::123456789012:role/GraceOnly"
SSO = "AWSReservedSSO_Ops_0123456789abcdef"
SESSION = f"arn:aws:sts::123456789012:assumed-role/{SSO}/grace@example.com"
AT = "spec.environments.production.approval.approvers"


def about(**changes: Any) -> Surroundings:
    people = People((Declared("Grace", ROLE),))
    made = Surroundings("aws", "123456789012", people, lambda name: name == SSO)
    resolve = lambda value: PARAMETERS.get(value.removeprefix("ssm:"), None if value[:4] == "ssm:" else value)  # noqa: E731
    return replace(made, resolve=resolve, **changes)


def found(*people: dict[str, str], **changes: Any) -> list[tuple[str, str]]:
    policy = {"approvers": [{"name": "Ada", "email": "ada@x.io"}, *people]}
    return problems_of(document(policy), about(**changes))


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::123456789012:user/team/grace", SESSION, ROLE, "ssm:/ferryman/scr/ada-arn"]
)
def test_who_is_one_person(arn: str) -> None:
    assert found({"name": "Grace", "arn": arn}) == []


def test_the_approvers_of_other_tests_are_fine() -> None:
    assert problems_of(document({"approvers": APPROVERS}), about()) == []


@pytest.mark.parametrize(
    ("arn", "told"),
    [
        ("arn:aws:iam::123456789012:root", "is the account's root user, which is never one person"),
        ("arn:aws:sts::123456789012:assumed-role/Admin/grace", "Whoever assumes a role chooses the session's name"),
        (SESSION.replace("Ops", "Dev"), "is not a session of IAM Identity Center: IAM knows no role"),
        (ROLE.replace("Only", "Too"), 'Have an admin add {"name": "Grace", "role": "'),
        ("arn:aws:iam::210987654321:user/grace", "is of another account than the operator's (123456789012)"),
        (SESSION.replace("123456789012", "210987654321"), "is of another account"),
        ("arn:aws-cn:iam::123456789012:user/grace", "is of another account"),
        ("arn:aws:iam::123456789012:user/*", "is not the ARN of a caller"),
        ("arn:aws:iam::123456789012:group/x", "is not the ARN of a caller"),
        ("grace", "is not the ARN of a caller"),
    ],
)
def test_who_is_not(arn: str, told: str) -> None:
    ((path, message),) = found({"name": "Grace", "arn": arn})
    assert (path, told in message) == (f"{AT}.1.arn", True), message


def test_a_role_is_its_owners_only() -> None:
    ((path, message),) = found({"name": "Bob", "arn": ROLE})
    assert (path, "is declared as the role of 'Grace'" in message) == (f"{AT}.1.arn", True)


def test_why_nobody_is_declared_is_told() -> None:
    ((_, message),) = found({"name": "Grace", "arn": ROLE}, people=People(problem="it is not JSON"))
    assert "(it is not JSON)" in message


@pytest.mark.parametrize(
    ("person", "path", "told"),
    [
        ({"name": "Аda", "slack": "U12"}, f"{AT}.1.name", "'Аda' mixes scripts"),
        ({"name": "Bob", "email": "Bob <bob@x.io>"}, f"{AT}.1.email", "is not one bare mail address"),
        ({"name": "Bob", "email": "bob@x.io,eve@x.io"}, f"{AT}.1.email", "is not one bare mail address"),
        ({"name": "Bob", "email": "ada+1@x.io"}, AT, "'Ada' and 'Bob' have the same email"),
        ({"name": "Bob", "arn": SESSION.replace("grace@example.com", "ada@x.io")}, AT, "have the same email"),
        ({"name": "Adа", "slack": "U12"}, f"{AT}.1.name", "mixes scripts"),
    ],
)
def test_names_addresses_and_duplicates(person: dict[str, str], path: str, told: str) -> None:
    problems = dict(found(person))
    assert told in problems[path]


def test_two_names_that_look_the_same() -> None:
    ((path, message),) = found({"name": "Bill", "slack": "U12"}, {"name": "BiII", "slack": "U13"})
    assert (path, "'BiII' looks the same as 'Bill'" in message) == (f"{AT}.2.name", True)
    ((path, message),) = found({"name": "rnike", "slack": "U12"}, people=People((Declared("mike", ROLE),)))
    assert (path, "looks the same as 'mike'" in message) == (f"{AT}.1.name", True)


def test_what_can_be_told_at_a_glance() -> None:
    glance = Surroundings("aws", "123456789012", People())
    policy = {"approvers": [{"name": "Grace", "arn": SESSION}, {"name": "Ada", "arn": "ssm:/nowhere", "slack": "U12"}]}
    assert problems_of(document(policy), glance) == []
    assert has_roles(document(policy)) is False
    policy["approvers"].append({"name": "Bob", "arn": ROLE})
    assert has_roles(document(policy)) is True
    assert [path for path, _ in problems_of(document(policy), glance)] == [f"{AT}.2.arn"]
