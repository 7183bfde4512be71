"""Who is declared as a person: what can't be read declares nobody."""

import json
from typing import Any

import pytest

from ferryman.access.people import People, parse

ROLE = "arn:aws:iam::123456789012:role/GraceOnly"
SESSION = "arn:aws:sts::123456789012:assumed-role/GraceOnly/any"
SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/jo@example.com"


def people(*entries: Any) -> People:
    return parse(json.dumps({"people": entries, "roles": {"ignored": []}}))


def test_a_role_is_one_persons() -> None:
    found = people({"name": "Grace", "role": ROLE}, {"name": "Jo", "arn": SSO})
    assert found.problem == ""
    assert found.owner_of(ROLE) == "Grace"
    assert found.owner_of("arn:aws:iam::123456789012:role/team/GraceOnly") == "Grace"
    assert found.owner_of("arn:aws:iam::210987654321:role/GraceOnly") is None
    assert found.owner_of("arn:aws-cn:iam::123456789012:role/GraceOnly") is None
    assert found.owner_of("arn:aws:iam::123456789012:user/GraceOnly") is None
    assert (found.named(SESSION), found.named(SSO), found.named(f"{SSO}x")) == ("Grace", "Jo", None)


def test_one_person_may_have_several_roles() -> None:
    found = people({"name": "Grace", "role": ROLE}, {"name": "grace ", "role": f"{ROLE}2"})
    assert (found.owner_of(ROLE), found.owner_of(f"{ROLE}2")) == ("Grace", "grace")


@pytest.mark.parametrize("text", [None, "{}", '{"people": []}', '{"roles": {}}'])
def test_nobody_is_declared(text: str | None) -> None:
    assert parse(text) == People()


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "null", '"x"', '{"people": {}}', '{"people": null}', "[" * 100_000],
    ids=lambda text: text[:12],
)
def test_what_is_no_configuration(text: str) -> None:
    found = parse(text)
    assert found.declared == ()
    assert "access configuration" in found.problem


@pytest.mark.parametrize(
    "entry",
    [
        "Grace",
        {},
        {"name": "Grace"},
        {"role": ROLE},
        {"name": "", "role": ROLE},
        {"name": 7, "role": ROLE},
        {"name": "Grace", "role": ROLE, "arn": SSO},
        {"name": "Grace", "role": ROLE, "extra": 1},
        {"name": "Grace", "role": "*"},
        {"name": "Grace", "role": "arn:aws:iam::123456789012:role/*"},
        {"name": "Grace", "role": SESSION},
        {"name": "Grace", "arn": SESSION},
        {"name": "Grace", "arn": ROLE},
        {"name": "Grace", "arn": "arn:aws:iam::123456789012:root"},
    ],
    ids=str,
)
def test_one_wrong_entry_voids_them_all(entry: Any) -> None:
    found = people({"name": "Ada", "role": f"{ROLE}2"}, entry)
    assert found.declared == ()
    assert found.problem.startswith("people.1 in the access configuration")


def test_a_role_of_two_people_is_nobodys() -> None:
    found = people(
        {"name": "Grace", "role": ROLE}, {"name": "Bob", "role": "arn:aws:iam::123456789012:role/x/GraceOnly"}
    )
    assert found.declared == ()
    assert "as 'Grace' and as 'Bob'" in found.problem
