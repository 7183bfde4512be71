"""`ferryman deploy`, `rollback`, `migrate`: what is sent, what has to be typed, what is followed."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from ferryman.records import Deployment, MigrationProgress, Phase, Request, step_keys
from unit import builders as make
from unit.api_world import JO, World
from unit.cli.function_url import Run, Server

PLACE = "/v1/platforms/scr/environments/production"
DEPLOY = ("deploy", "production", "-p", "scr", "--release", "abc1234")
NEW = "01K1"


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)


def answers(server: Server, what: str, **more: Any) -> None:
    server.canned[f"POST {PLACE}/{what}"] = {"changed": True, "message": f"{what} starts", **more}


def sent(server: Server) -> Any:
    """The bodies of all POSTs."""
    return [json.loads(body) for method, _, _, body in server.seen if method == "POST"]


@pytest.mark.parametrize(
    ("arguments", "what", "body"),
    [
        pytest.param(
            (*DEPLOY[:2], "--release", "abc1234", "--confirm", "DEPLOY", "--reason", "hotfix"), "deploy",
            {"release": "abc1234", "confirm": "DEPLOY", "reason": "hotfix"}, id="deploy",
        ),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--confirm", "production"), "rollback",
            {"reason": "x", "confirm": "production"}, id="rollback",
        ),
        pytest.param(
            ("rollback", "production", "--release", "abc1234", "--reason", "x", "--confirm", "production",
             "--accept-schema-mismatch", "--downgrade", "--revision", "0042"), "rollback",
            {"reason": "x", "confirm": "production", "to": "abc1234", "acceptSchemaMismatch": True, "downgrade": True,
             "revision": "0042"}, id="rollback-with-everything",
        ),
        pytest.param(
            ("rollback", "production", "--to", "abc1234", "--reason", "x", "--confirm", "production"), "rollback",
            {"reason": "x", "confirm": "production", "to": "abc1234"}, id="rollback-former-name",
        ),
        pytest.param(
            ("migrate", "production", "down", "--revision", "0042", "--confirm", "production", "--no-wait"), "migrate",
            {"command": "down", "revision": "0042", "reason": "", "confirm": "production"}, id="migrate-down",
        ),
        pytest.param(
            ("migrate", "production", "current", "--confirm", "production", "--no-wait"), "migrate",
            {"command": "current", "reason": "", "confirm": "production"}, id="migrate-current",
        ),
        pytest.param(
            ("migrate", "production", "stock", "current", "--confirm", "production", "--no-wait"), "migrate",
            {"command": "current", "migration": "stock", "reason": "", "confirm": "production"}, id="migrate-one",
        ),
        pytest.param(
            ("migrate", "production", "up", "up", "--confirm", "production", "--no-wait"), "migrate",
            {"command": "up", "migration": "up", "reason": "", "confirm": "production"}, id="migrate-one-called-up",
        ),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--confirm", "production", "--downgrade", "--revision",
             "orders=1", "--revision", "stock=a"), "rollback",
            {"reason": "x", "confirm": "production", "downgrade": True, "revisions": {"orders": "1", "stock": "a"}},
            id="rollback-of-several-databases",
        ),
    ],
)  # fmt: skip
def test_what_is_sent(run: Run, server: Server, arguments: tuple[str, ...], what: str, body: dict[str, Any]) -> None:
    answers(server, what)

    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (0, f"{what} starts\n"), result.stderr
    assert sent(server) == [body]


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        pytest.param(
            (*DEPLOY, "--reason", "it's urgent", "--watch"),
            "ferryman deploy production --release abc1234 --reason 'it'\"'\"'s urgent' --watch --confirm DEPLOY -p scr",
            id="deploy",
        ),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--downgrade", "--revision", "0042"),
            "ferryman rollback production --reason x --downgrade --revision 0042 --confirm production",
            id="rollback",
        ),
        pytest.param(
            ("migrate", "production", "up"), "ferryman migrate production up --confirm production", id="migrate"
        ),
        pytest.param(
            ("migrate", "production", "stock", "up"),
            "ferryman migrate production stock up --confirm production",
            id="migrate-one-of-them",
        ),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--downgrade", "--revision", "a=1", "--revision", "b=2"),
            "ferryman rollback production --reason x --downgrade --revision a=1 --revision b=2 --confirm production",
            id="rollback-of-several",
        ),
    ],
)
def test_without_a_terminal_it_tells_the_command_to_type(
    run: Run, server: Server, arguments: tuple[str, ...], again: str
) -> None:
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: this command needs a confirmation; nothing was sent. To confirm, run:\n  {again}\n"
    assert server.seen == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param((*DEPLOY, "--confirm", "deploy"), "must be DEPLOY", id="another-word"),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--confirm", "staging"),
            "must be production",
            id="another-env",
        ),
        pytest.param(("rollback", "production", "--confirm", "production"), "--reason", id="no-reason"),
        pytest.param(
            ("rollback", "production", "--reason", "x", "--revision", "1"), "requires --downgrade", id="revision-alone"
        ),
        pytest.param(("migrate", "production", "down"), "requires --revision", id="down-to-where"),
        pytest.param(
            ("migrate", "production", "up", "--revision", "1"), "works only with down", id="up-takes-no-revision"
        ),
        pytest.param(("migrate", "production", "sideways"), "one of up, down, current", id="no-such-direction"),
        pytest.param(("migrate", "production", "up", "stock"), "one of up, down, current", id="name-after-command"),
        pytest.param(("migrate", "production", "a", "b", "up"), "one of up, down, current", id="two-names"),
        pytest.param(("migrate", "production"), "COMMAND", id="no-command"),
        *(
            pytest.param(
                ("rollback", "production", "--reason", "x", "--downgrade", *revisions), "once per migration", id=name
            )
            for name, revisions in {
                "two-revisions": ("--revision", "1", "--revision", "2"),
                "two-of-one": ("--revision", "a=1", "--revision", "a=2"),
                "with-and-without-name": ("--revision", "a=1", "--revision", "2"),
            }.items()
        ),
        pytest.param((*DEPLOY, "--confirm", "DEPLOY", "--timeout", "soon"), "is not a duration", id="timeout"),
        pytest.param(("deploy", "production"), "--release", id="no-release"),
    ],
)
def test_bad_input_sends_nothing(run: Run, server: Server, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (2, True, ""), result.stderr
    assert sent(server) == []


def test_what_must_not_be_asked_twice_is_not_sent_twice(run: Run, server: Server) -> None:
    server.faults = [502]

    result = run(*DEPLOY, "--confirm", "DEPLOY")

    assert (result.exit_code, len(server.seen)) == (3, 1)


def deployment(**changes: Any) -> Deployment:
    return make.deployment(environment="production", **changes)


def answered(
    world: World, server: Server, what: str, wish: Request, *, later: Deployment | None, old: Deployment
) -> None:
    """Let the API record a wish, and a deployment answer it with the second look at the environment."""
    idle = make.state(active=None, environment="production")
    world.put(old, idle.but(requested=wish))
    answers(server, what, version=wish.version)
    looks: list[int] = []
    real = world.store.state

    def state(platform: str, environment: str) -> Any:
        found = real(platform, environment)
        if environment == "production":
            looks.append(1)
        if len(looks) == 4 and found.requested is not None:
            world.put(idle.but(rev=found.rev), *([later] if later else []))
        return found

    world.store.state = state  # type: ignore[method-assign]


WISH = Request(version="abc1234", kind="deploy", reason="", who=JO, at=make.AT)
OLD = deployment(id="01K0", phase=Phase.FAILED, message="Old.", ended_at=make.AT)


def test_watch_follows_the_deployment_that_answers_not_an_older_one_of_the_same_version(
    run: Run, world: World, server: Server
) -> None:
    new = deployment(id=NEW, phase=Phase.SUCCEEDED, message="All is well.", ended_at=make.AT)
    answered(world, server, "deploy", WISH, later=new, old=OLD)

    result = run(*DEPLOY, "--confirm", "DEPLOY", "--watch", "--interval", "0.2", "--timeout", "30s")

    assert (result.exit_code, result.stderr) == (0, "deploy starts\n")
    assert result.stdout.splitlines()[0] == "waiting for a deployment to start"
    assert result.stdout.endswith("Succeeded after 0s: All is well.\n")


def test_watch_ends_with_one_when_it_failed(run: Run, world: World, server: Server) -> None:
    new = deployment(id=NEW, phase=Phase.REJECTED, message="Ada rejected it.", ended_at=make.AT)
    answered(world, server, "deploy", WISH, later=new, old=OLD)

    result = run(*DEPLOY, "--confirm", "DEPLOY", "--watch", "--interval", "0.2", "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)["phase"]) == (1, "Rejected")


def test_watch_says_when_the_request_was_dropped(run: Run, world: World, server: Server) -> None:
    answered(world, server, "deploy", WISH, later=None, old=OLD)

    result = run(*DEPLOY, "--confirm", "DEPLOY", "--watch", "--interval", "0.2", "--timeout", "30s")

    assert (result.exit_code, "no deployment of abc1234 started: it was dropped" in result.stderr) == (1, True)


def test_watch_gives_up_in_time(run: Run, world: World, server: Server) -> None:
    world.put(OLD, make.state(active=None, environment="production", requested=WISH))
    answers(server, "deploy")

    result = run(*DEPLOY, "--confirm", "DEPLOY", "--watch", "--interval", "0.2", "--timeout", "1s")

    assert (result.exit_code, "no deployment has started" in result.stderr) == (1, True)


@pytest.mark.parametrize(("phase", "code"), [(Phase.SUCCEEDED, 0), (Phase.FAILED, 1)])
def test_migrate_waits_and_prints_the_log(run: Run, world: World, server: Server, phase: Phase, code: int) -> None:
    wish = WISH.but(kind="migrate", command="current")
    status = "Succeeded" if code == 0 else "Failed"
    ran = make.step(status, logs=["0042 (head)"], migration=MigrationProgress(exit_code=code))
    new = deployment(
        id=NEW, kind="migrate", command="current", phase=phase, message="Done.", ended_at=make.AT,
        plan=make.plan(migration=_planned()), steps={step_keys.MIGRATION: ran},
    )  # fmt: skip
    answered(world, server, "migrate", wish, later=new, old=OLD)

    result = run("migrate", "production", "current", "--confirm", "production", "--interval", "0.2")

    assert result.exit_code == code
    assert result.stdout.endswith("Done.\n\nread the database revision, last lines of the log:\n  0042 (head)\n"), (
        result.stdout
    )


def _planned() -> Any:
    from ferryman.records import PlannedMigration

    return PlannedMigration(
        component="api", container="api", digest=make.digest("a"), image="x", base_task_definition="x",
        command=["alembic", "current"], timeout_seconds=60, subnets=[], security_groups=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        pytest.param("production", 0, "rollback starts", id="right"),
        pytest.param("staging", 2, "must be production; nothing was sent", id="wrong"),
        pytest.param("", 2, "nothing was sent", id="nothing"),
    ],
)
def test_on_a_terminal_it_asks(world: World, server: Server, typed: str, code: int, words: str) -> None:
    answers(server, "rollback")
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "ferryman_cli", "rollback", "production", "-p", "scr", "--reason", "x"]
    environment = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"}
    child = subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    )  # fmt: skip
    os.close(terminal)
    os.write(master, f"{typed}\n".encode() if typed else b"\x04")
    said, _ = child.communicate(timeout=30)
    os.close(master)

    assert (child.returncode, words in said) == (code, True), said
    assert len(sent(server)) == (1 if code == 0 else 0)
    assert "You are about to roll back production to the previous release. Its database stays as it is" in said
