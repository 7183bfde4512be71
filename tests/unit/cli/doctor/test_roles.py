"""Whether the roles of pass-role-arns are there, for ECS tasks."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from ferryman_cli.doctor import roles
from ferryman_cli.doctor.checks import Blind, Seen

ARN = "arn:aws:iam::123456789012:role/scr-task"


def role(service: Any = "ecs-tasks.amazonaws.com", arn: str = ARN, *, quoted: bool = False) -> Seen:
    policy: Any = {"Statement": [{"Principal": {"AWS": "x"}}, {"Principal": {"Service": service}}]}
    return {"Role": {"Arn": arn, "AssumeRolePolicyDocument": quote(json.dumps(policy)) if quoted else policy}}


@pytest.mark.parametrize(
    ("seen", "status", "words", "cure"),
    [
        (role(), "ok", "names 1 role; each exists", ""),
        (role(["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"], quoted=True), "ok", "names 1 role; each exists", ""),
        (role("lambda.amazonaws.com"), "problem", f"ECS tasks may not have {ARN}", "trust policy"),
        (None, "warning", f"not there: {ARN}", "pass-role-arns"),
        (role(arn="arn:aws:iam::123456789012:role/path/scr-task"), "warning", f"not there: {ARN}", "pass-role-arns"),
        (Blind("iam:GetRole"), "can't look", "iam:GetRole", "permission"),
    ],
)
def test_each_is_judged_with_its_cure(seen: Seen, status: str, words: str, cure: str) -> None:
    (check,) = roles.roles({ARN: seen}, named=1)
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check


def test_a_pattern_names_no_single_role() -> None:
    assert roles.name_of("arn:aws:iam::1:role/path/scr-task") == "scr-task"
    assert roles.name_of("arn:aws:iam::1:role/ferryman/scr/staging/*") is None
    assert roles.name_of("arn:aws:none:::none") is None


def test_what_was_not_asked_for_is_not_called_fine() -> None:
    (check,) = roles.roles({ARN: role()}, named=600)
    assert (check.verdict, check.message) == (
        "ok", "pass-role-arns names 600 roles; the first 1 exist, and ECS tasks can have them"
    )  # fmt: skip
    (nothing,) = roles.roles({}, named=0)
    assert (nothing.verdict, "no single role" in nothing.message) == ("ok", True)
