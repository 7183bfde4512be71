"""What needs an approval: the table, and what it says about each kind of deployment."""

from typing import Any

import pytest

from ferryman.decisions.approval_needed import ACTS, needs_approval, rule_of, would_need
from ferryman.records import Request
from unit import builders as make
from unit.approving import document

FREE = document(approval={"forRollback": False}).environment("production")
STRICT = document(approval={"forRollback": True}).environment("production")
NOBODY = document().environment("staging")


def wish(kind: Any, command: Any = None, **changes: Any) -> Request:
    return Request(version="abc1234", kind=kind, command=command, reason="", who="arn:jo", at=make.AT, **changes)


@pytest.mark.parametrize(
    ("kind", "command", "free", "strict"),
    [
        ("deploy", None, True, True),
        ("retry", None, True, True),
        ("redeploy", None, True, True),
        ("rollback", None, False, True),
        ("rollback", "down", True, True),
        ("migrate", "up", True, True),
        ("migrate", "down", True, True),
        ("migrate", None, True, True),  # means up
        ("migrate", "current", False, False),
    ],
)
def test_by_kind_and_command(kind: str, command: str | None, *, free: bool, strict: bool) -> None:
    assert needs_approval(FREE, wish(kind, command)) is free
    assert needs_approval(STRICT, wish(kind, command)) is strict
    assert needs_approval(NOBODY, wish(kind, command)) is False


def test_what_nobody_thought_of_needs_one() -> None:
    assert rule_of("something new", None) == "yes"
    assert rule_of("deploy", "down") == "yes"


def test_an_override_is_no_approval() -> None:
    overridden = wish("migrate", "down", revision="base", override="the shop is down")
    assert (would_need(FREE, overridden), needs_approval(FREE, overridden)) == (True, False)


def test_every_row_says_why() -> None:
    assert all(act.why.endswith(".") and (act.routes or act.kinds) for act in ACTS)
