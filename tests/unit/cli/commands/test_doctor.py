"""`ferryman doctor`: what it prints, and what scripts learn from its exit codes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from ferryman_cli.commands import doctor as command
from ferryman_cli.doctor.checks import Blind, Check, blind, ok, problem, warning
from ferryman_cli.main import app

FINE = [ok("clock", "agrees with AWS"), warning("mail", "sandbox", "Ask"), blind("lists", Blind("ssm:GetParameters"))]


def run(monkeypatch: pytest.MonkeyPatch, checks: list[Check], *arguments: str) -> Any:
    asked: list[dict[str, Any]] = []

    def examine(**how: Any) -> Iterator[Check]:
        asked.append(how)
        yield from checks

    monkeypatch.setattr(command, "examine", examine)
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert len(asked) == 1
    return result


def test_each_check_is_a_line_with_the_next_step_below(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, [*FINE, problem("stack", "is\nbroken \x1b[31m", "Mend it")])
    assert result.stdout.splitlines() == [
        "ok         clock: agrees with AWS",
        "warning    mail: sandbox",
        "             → Ask",
        "can't look lists: can't look, needs ssm:GetParameters",
        "             → Run it with an identity that has this permission, or take this line as unknown",
        "problem    stack: is broken [31m",
        "             → Mend it",
        "1 ok, 1 warning, 1 problem, 1 can't look",
    ]


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        (FINE, 0),
        ([*FINE, problem("mail", "x", "y")], 1),
        ([*FINE, problem("mail", "x", "y"), problem("stack", "x", "y")], 3),
        ([problem("credentials", "x", "y")], 3),
        ([problem("region", "x", "y")], 3),
        ([problem("operator", "x", "y")], 3),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, checks: list[Check], code: int) -> None:
    assert run(monkeypatch, checks).exit_code == code


def test_json_has_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, FINE, "--preflight", "-o", "json")
    assert json.loads(result.stdout) == {
        "ok": True,
        "preflight": True,
        "checks": [
            {"name": "clock", "status": "ok", "message": "agrees with AWS", "nextStep": ""},
            {"name": "mail", "status": "warning", "message": "sandbox", "nextStep": "Ask"},
            {
                "name": "lists",
                "status": "can't look",
                "message": "can't look, needs ssm:GetParameters",
                "nextStep": FINE[2].next_step,
            },
        ],
    }
