"""`ferryman audit`: a table that fits a terminal, all of it as JSON, and spans or moments for --since."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.messages import timeline
from ferryman.records import EventType, Phase
from unit import builders as make
from unit.api_world import JO, World
from unit.cli.function_url import Run, Server


@pytest.fixture(autouse=True)
def _acts(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    deployment = make.deployment(environment="production", phase=Phase.SUCCEEDED, execution_arn="arn:x")
    world.put(deployment)
    later = make.AT + timedelta(hours=1)
    world.store.write(
        timeline.environment_event(
            "scr", "staging", EventType.HELD, "put on hold: x", at=make.AT, new_id=world.new_id, who=JO,
            detail={"how": "cli", "source": "203.0.113.7, ferryman/1"},
        ),
        timeline.event(
            deployment, EventType.DECISION_REFUSED, "evil\x1b[2J link", at=later, new_id=world.new_id, who="unknown",
            detail={"how": "mail", "source": "198.51.100.9, \x1b]0;x\x07curl"},
        ),
    )  # fmt: skip


def test_newest_first_in_utc(run: Run) -> None:
    assert run("audit").stdout == (
        "WHEN (UTC)            ENVIRONMENT   ACTION            VERSION   WHO       HOW    FROM                      "
        "MESSAGE\n"
        "2026-01-02 04:04:05   production    DecisionRefused   abc1234   unknown   mail   198.51.100.9, ]0;xcurl    "
        "evil link\n"
        "2026-01-02 03:04:05   staging       Held              -         user/jo   cli    203.0.113.7, ferryman/1   "
        "put on hold: x\n"
    )


def test_of_one_environment_with_digests(run: Run) -> None:
    lines = run("audit", "production", "--digests").stdout.splitlines()

    assert len(lines) == 4
    assert lines[2:] == [f"   {name}  {make.digest('a')}" for name in ("api", "web")]


def test_as_data_there_is_everything(run: Run) -> None:
    (act,) = json.loads(run("audit", "production", "-o", "json").stdout)["acts"]

    assert (act["digests"]["api"], act["deployment"]) == (make.digest("a"), "01K00000000000000000000DEP")


@pytest.mark.parametrize(
    ("since", "sent"),
    [
        pytest.param("2026-01-02T03:30:00Z", "since=2026-01-02T03%3A30%3A00%2B00%3A00", id="moment"),
        pytest.param("2d", "since=20", id="span"),
    ],
)
def test_since(run: Run, server: Server, since: str, sent: str) -> None:
    result = run("audit", "--since", since, "-p", "scr")

    assert result.exit_code == 0
    assert sent in server.seen[-1][1]


def test_says_when_there_is_more(run: Run) -> None:
    result = run("audit", "--limit", "1")

    assert "DecisionRefused" in result.stdout
    assert result.stderr == "There are more entries. Show more with --limit, or a shorter period with --since.\n"


def test_nothing_is_said_on_standard_error(run: Run) -> None:
    result = run("audit", "--since", "1s")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No entries in this period.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("audit", "prod"), "known environments: staging, production", id="environment"),
        pytest.param(("audit", "--since", "yesterday"), "is not a time", id="since"),
        pytest.param(("audit", "--since", "5x5d"), "is not a duration", id="span"),
    ],
)
def test_bad_input(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (2, True, ""), result.stderr
