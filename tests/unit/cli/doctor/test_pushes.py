"""Whether a push wakes the operator."""

import json
from typing import Any

import pytest

from ferryman_cli.doctor.checks import Blind, Seen
from ferryman_cli.doctor.pushes import pushes


def rule(names: list[Any] | None, state: str = "ENABLED") -> Seen:
    detail = {"action-type": ["PUSH"], **({"repository-name": names} if names is not None else {})}
    return {"Name": "the-rule", "State": state, "EventPattern": json.dumps({"detail": detail})}


@pytest.mark.parametrize(
    ("seen", "status", "words", "cure"),
    [
        (rule(["scr-api", "scr-web"]), "ok", "scr-api, scr-web", ""),
        (rule([{"prefix": "scr-"}]), "ok", "wake", ""),
        (rule([{"suffix": "-api"}, {"wildcard": "scr-w*"}]), "ok", "wake", ""),
        (rule(None), "ok", "wake", ""),
        (rule(["scr-api"]), "problem", "pushes to scr-web do not", "Deploy the stack"),
        (rule([{"prefix": "shop-"}]), "problem", "scr-api, scr-web", "Deploy the stack"),
        (rule(["scr-api", "scr-web"], "DISABLED"), "problem", "disabled", "aws events enable-rule --name the-rule"),
        (None, "problem", "does not exist", "Deploy the stack again"),
        (Blind("events:DescribeRule"), "can't look", "events:DescribeRule", "permission"),
    ],
)
def test_each_is_judged_with_its_cure(seen: Seen, status: str, words: str, cure: str) -> None:
    check = pushes(seen, ["scr-web", "scr-api"])
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check
