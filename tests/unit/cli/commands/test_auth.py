"""`ferryman auth whoami` and `can-i`: what they print, and what scripts learn from their exit codes."""

import json
from typing import Any

import pytest

from ferryman.access import Role
from ferryman.access.grants import EVERY, Grant, Grants
from ferryman.api import serve_api
from unit.api_world import ADMIN, ENV, JO, KIM, World, idle
from unit.cli.function_url import Run


@pytest.fixture(autouse=True)
def _roles(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    world.put(idle())
    world.grants = Grants((Grant(Role.VIEWER, (EVERY,), (JO,)), Grant(Role.DEPLOYER, ("staging",), (JO,))))


def test_whoami(run: Run) -> None:
    result = run("auth", "whoami")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"You:    {JO}",
        "PLATFORM   ENVIRONMENT   ROLES",
        "scr        staging       viewer, deployer",
        "scr        production    viewer",
    ]
    assert json.loads(run("auth", "whoami", "-o", "json").stdout)["arn"] == JO


def test_whoami_without_a_role_names_the_admins(run: Run, world: World) -> None:
    world.grants = Grants()
    result = run("auth", "whoami")
    assert (
        result.exit_code,
        f"You have no role on any platform. Ask an admin of Ferryman: {ADMIN}" in result.stderr,
    ) == (
        0,
        True,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("deploy", "staging"), 0, f"yes: {JO} may deploy on scr/staging"),
        (("deploy", "production"), 4, "no: `deploy` on scr/production needs the role deployer"),
        (("deploy", "production", "--as", KIM), 4, KIM),
        (("create-platform",), 4, "needs the role admin"),
    ],
)
def test_can_i_exits_as_the_command_would(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run("auth", "can-i", *arguments)
    assert (result.exit_code, words in result.stdout) == (code, True), result.stderr
    answer = run("auth", "can-i", *arguments, "-o", "json")
    assert (answer.exit_code, json.loads(answer.stdout)["allowed"]) == (code, code == 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("own", "staging"), "there is no verb 'own'; verbs: view, "),
        (("deploy",), "needs the name of an environment"),
        (("deploy", "stagin"), "known environments: staging, production"),
        (("deploy", "staging", "--as", "*"), "is not the ARN of an IAM user"),
    ],
)
def test_bad_input(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run("auth", "can-i", *arguments)
    assert (result.exit_code, words in result.stderr, result.stdout) == (2, True, ""), result.stderr


def test_who_sees_no_platform_is_told_whom_to_ask(run: Run, world: World) -> None:
    world.grants = Grants()
    result = run("auth", "can-i", "deploy", "staging")
    assert (result.exit_code, f"{JO} has no role on any platform" in result.stderr) == (4, True)
    result = run("auth", "can-i", "deploy", "staging", "-p", "scr")
    assert (result.exit_code, "needs the role deployer" in result.stdout) == (4, True)
    result = run("status", "scr")
    assert (result.exit_code, "needs the role viewer" in result.stderr) == (4, True)


def test_a_refused_command_exits_with_4_and_says_who_can_give_the_role(run: Run, world: World) -> None:
    result = run("hold", "production", "--reason", "x")
    assert result.exit_code == 4
    assert "`hold` on scr/production needs the role deployer" in result.stderr
    assert ADMIN in result.stderr
    assert world.timeline("scr#production") == [("RequestRefused", JO)]


@pytest.mark.parametrize("arguments", [("whoami",), ("can-i", "deploy", "staging", "-p", "scr")])
def test_an_operator_that_knows_no_roles_says_nothing_and_we_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    older = tuple(row for row in serve_api.ROUTES if not row[1].startswith("v1/auth"))
    monkeypatch.setattr(serve_api, "ROUTES", older)
    result = run("auth", *arguments)
    assert result.exit_code == 3
    assert result.stderr == (
        "error: this operator is older than roles: whoever AWS lets call it may do everything. Update the operator\n"
    )


def test_what_an_older_command_asks_for_is_answered_by_role(world: World) -> None:
    """It knows no `auth`, and prints what the operator says."""
    assert world.call("POST", f"{ENV}/resume", {})[0] == 200
    status, body = world.call("POST", f"{ENV.replace('staging', 'production')}/resume", {})
    assert (status, body["error"]["code"]) == (403, "NotPermitted")
