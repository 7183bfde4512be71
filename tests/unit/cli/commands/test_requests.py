"""`ferryman verify`, `abort`, `retry`, `redeploy`, `hold`, `resume`: exit codes and words."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Hold, Phase, Settled
from unit import builders as make
from unit.api_world import JO, World, idle
from unit.cli.function_url import Run, Server

HOLD = Hold(reason="x", who=JO, at=make.AT)
FAILED = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=make.AT)


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    world.put(make.release())


def test_hold_and_resume(run: Run, world: World) -> None:
    held = run("hold", "staging", "--reason", "load test")
    assert (held.exit_code, held.stdout) == (
        0,
        "staging is on hold; to lift the hold, run `ferryman resume staging -p scr`\n",
    )
    assert world.state.hold == Hold(reason="load test", who=JO, at=world.clock.at)

    resumed = run("resume", "staging")
    assert (resumed.exit_code, world.state.hold) == (0, None)


def test_a_hold_that_ends(run: Run, world: World) -> None:
    assert run("hold", "staging", "--reason", "load test", "--for", "2d").exit_code == 0
    hold = world.state.hold
    assert hold is not None
    assert hold.until is not None
    assert run("hold", "staging", "--reason", "x", "--for", "2d", "--until", "2099-01-01").exit_code == 2
    assert run("hold", "staging", "--reason", "x", "--until", "2001-01-01").exit_code == 2


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("command", ["hold", "freeze", "abort"])
def test_a_reason_that_says_nothing_is_refused_with_an_example(run: Run, command: str, reason: str) -> None:
    result = run(command, "staging", "--reason", reason)
    assert result.exit_code == 2
    assert "say why" in result.stderr


def test_verify(run: Run, world: World) -> None:
    well = run("verify", "staging")
    world.outside.problems = [("spec.environments.staging.cluster", "is gone")]
    ill = run("verify", "staging")

    assert (well.exit_code, well.stdout) == (0, "scr/staging verified: ECS matches the platform document\n")
    assert (ill.exit_code, ill.stdout) == (
        1,
        "PATH                                PROBLEM\nspec.environments.staging.cluster   is gone\n",
    )


def test_abort(run: Run, world: World) -> None:
    world.put(make.state(), make.deployment())

    result = run("abort", "staging", "--reason", "wrong one", "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)["changed"]) == (0, True)


def test_retry_and_redeploy(run: Run, world: World) -> None:
    world.put(idle(settled={"abc1234": FAILED}), make.release("0001234", first_seen_at=make.AT - timedelta(hours=1)))

    assert run("retry", "staging", "--reason", "again").stdout == "retry of abc1234 in staging starts within seconds\n"
    assert run("redeploy", "staging").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "state", "code", "words"),
    [
        pytest.param(("abort", "staging", "--reason", "x"), {}, 4, "nothing to abort", id="nothing-to-abort"),
        pytest.param(("retry", "staging"), {}, 4, "nothing to retry", id="nothing-to-retry"),
        pytest.param(
            ("retry", "staging"), {"hold": HOLD}, 4, "ferryman resume staging", id="held"
        ),
        pytest.param(("retry", "staging", "--release", "nope"), {}, 2, "there is no release 'nope'", id="no-release"),
        pytest.param(("retry", "staging", "--version", "nope"), {}, 2, "there is no release 'nope'", id="former-name"),
        pytest.param(
            ("retry", "staging", "--version", "a", "--release", "b"), {}, 2, "use only --release", id="both-names"
        ),
        pytest.param(("hold", "staging"), {}, 2, "--reason", id="no-reason"),
        pytest.param(("hold", "staging", "--reason", " "), {}, 2, "reason", id="empty-reason"),
        pytest.param(("hold", "prod", "--reason", "x"), {}, 2, "known environments: staging", id="no-environment"),
    ],
)  # fmt: skip
def test_refusals(
    run: Run, world: World, arguments: tuple[str, ...], state: dict[str, Any], code: int, words: str
) -> None:
    world.put(idle(**state))

    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (code, True, ""), result.stderr


def test_what_must_not_be_asked_twice_is_not_sent_twice(run: Run, world: World, server: Server) -> None:
    world.put(idle(settled={"abc1234": FAILED}))
    server.faults = ["drop"]

    result = run("retry", "staging", "-p", "scr")

    assert (result.exit_code, "no response from the operator's API" in result.stderr) == (3, True)
    assert len(server.seen) == 1
    assert world.state.requested is not None


def test_what_may_be_asked_twice_is(run: Run, world: World, server: Server) -> None:
    server.faults = ["drop", 502, 429]

    result = run("hold", "staging", "-p", "scr", "--reason", "x")

    assert (result.exit_code, len(server.seen)) == (0, 4)
    assert result.stdout == "staging was already put on hold by jo: x\n"


def test_verify_tells_what_changes_besides(run: Run, world: World) -> None:
    at = "spec.environments.staging.migration"
    world.outside.notes = [(at, "besides 'api', also 'wait' changes, since it uses the same repository")]

    result = run("verify", "staging")

    assert result.exit_code == 0
    assert f"{at}   besides 'api', also 'wait' changes" in result.stdout
