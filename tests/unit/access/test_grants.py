"""The JSON of a platform's roles: what is not understood in full grants nothing at all."""

import json
from typing import Any

import pytest

from ferryman.access import Role
from ferryman.access.grants import Grant, Grants, Malformed, parse

DEV = "arn:aws:iam::123456789012:role/Developers"
SSO = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Dev_0123456789abcdef"


def value(**changes: Any) -> str:
    grant = {"role": "deployer", "environments": ["staging"], "principals": [DEV], **changes}
    return json.dumps({"grants": [{key: item for key, item in grant.items() if item is not None}]})


@pytest.mark.parametrize(
    "principal",
    [
        DEV,
        SSO,
        "arn:aws:iam::123456789012:user/teams/web/ada@example.com",
        "arn:aws-cn:iam::123456789012:role/Developers",
        "arn:aws-us-gov:iam::123456789012:role/a/b/Developers",
        "permission-set/Deployer-Production",
    ],
)
@pytest.mark.parametrize("role", ["viewer", "deployer", "approver"])
def test_a_grant_is_read(role: str, principal: str) -> None:
    found = parse(value(role=role, principals=[principal]))
    assert found == Grants((Grant(Role(role), ("staging",), (principal,)),))


def test_nobody_may_be_granted_anything() -> None:
    assert parse('{"grants": []}') == Grants()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'the one key "grants"'),
        ("{}", 'the one key "grants"'),
        ('{"grants": {}}', 'the one key "grants"'),
        ('{"grants": [], "open": true}', 'the one key "grants"'),
        ('{"grants": [], "grants": []}', "the key 'grants' is there twice"),
        ('{"grants": [[]]}', "grants[0] needs just the keys"),
        (value(until="2027"), "grants[0] needs just the keys"),
        (value(role=None), "grants[0] needs just the keys"),
        (value(role="owner"), "grants[0].role is 'owner'; it can be viewer, deployer, approver"),
        (value(role="Deployer"), "grants[0].role is 'Deployer'"),
        (value(role=["deployer"]), "grants[0].role is ['deployer']"),
        (value(role="admin"), "admins are in the parameter AdminArns"),
        (value(environments=[]), "grants[0].environments must be a list of one text or more"),
        (value(environments="staging"), "grants[0].environments must be a list"),
        (value(environments=[7]), "grants[0].environments must be a list"),
        (value(environments=["*", "staging"]), '"*" beside names'),
        (value(environments=["prod*"]), "not the name of an environment"),
        (value(environments=["staging\n"]), "not the name of an environment"),
        (value(principals=[]), "grants[0].principals must be a list of one text or more"),
        (value(principals=DEV), "grants[0].principals must be a list"),
        (value(principals=["*"]), "it has a wildcard"),
        (value(principals=["arn:aws:iam::123456789012:role/*"]), "it has a wildcard"),
        (value(principals=["permission-set/*"]), "it has a wildcard"),
        (value(principals=["arn:aws:iam::123456789012:role/Dev?"]), "it has a wildcard"),
        (value(principals=["arn:aws:iam::123456789012:root"]), "as the root of an account"),
        (value(principals=["arn:aws:sts::123456789012:assumed-role/Developers/ada"]), "it is one session"),
        (value(principals=["123456789012"]), "neither the ARN"),
        (value(principals=["arn:aws:iam::123456789012:role/"]), "neither the ARN"),
        (value(principals=["arn:aws:iam::123456789012:group/Developers"]), "neither the ARN"),
        (value(principals=["permission-set/"]), "neither the ARN"),
        (value(principals=[DEV + "\n"]), "neither the ARN"),
        (value(principals=[""]), "neither the ARN"),
        (value(principals=["arn:aws:iam::123456789012:role/" + "x" * 600]), "too long"),
    ],
)
def test_anything_else_is_malformed_and_says_where(text: str, words: str) -> None:
    with pytest.raises(Malformed) as error:
        parse(text)
    assert words in str(error.value)


def test_one_bad_grant_spoils_all_of_them() -> None:
    good, bad = json.loads(value())["grants"][0], json.loads(value(role="owner"))["grants"][0]
    with pytest.raises(Malformed, match=r"grants\[1\]"):
        parse(json.dumps({"grants": [good, bad]}))


def test_environments_that_are_not_there_yet_are_no_mistake() -> None:
    grant = parse(value(environments=["preview-7"])).grants[0]
    assert (grant.covers("preview-7"), grant.covers("staging")) == (True, False)
    assert parse(value(environments=["*"])).grants[0].covers("whatever")
