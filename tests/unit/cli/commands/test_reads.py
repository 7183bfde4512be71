"""`ferryman status`, `releases`, `history`, `explain`, `events`: tables, JSON, YAML."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml

from ferryman.messages import timeline
from ferryman.records import EventType, Hold, Phase, ReleaseStatus
from unit import builders as make
from unit.api_world import JO, World, idle
from unit.cli.function_url import Run, ageless

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    world.put(
        make.release("0001234", first_seen_at=make.AT - HOUR),
        make.release("abc1234", status=ReleaseStatus.ASSEMBLING, ready_at=None),
        idle(hold=Hold(reason="load test", who=JO, at=make.AT)),
        make.deployment(version="0001234", phase=Phase.SUCCEEDED, message="All is well.", ended_at=make.AT),
    )


def test_status_of_everything(run: Run) -> None:
    headline, nothing = f"runs 0001234; held by {JO}: load test", "runs no release; abc1234 is waiting for ai-gateway"
    assert ageless(run("status").stdout) == (
        f"PLATFORM   ENVIRONMENT   READY     VERSION   {'STATUS'.ljust(len(headline))}   AGE\n"
        f"scr        staging       Unknown   0001234   {headline}   AGE\n"
        f"scr        production    Unknown   -         {nothing.ljust(len(headline))}   -\n"
    )


def test_status_of_one(run: Run) -> None:
    assert ageless(run("status", "scr", "staging").stdout) == (
        "Name:       scr/staging\n"
        "Ready:      Unknown\n"
        "Status:     runs 0001234; held by arn:aws:iam::123456789012:user/jo: load test\n"
        "Running:    0001234 for AGE (deployment 01K0000000000000000000PREV)\n"
        "Hold:       by user/jo AGE ago: load test\n"
        "\n"
        "Newer releases:\n"
        "VERSION   REASON       MESSAGE\n"
        "abc1234   Assembling   abc1234 is waiting for images: 2 of 3 pushed, missing ai-gateway "
        "(the first was pushed 0s ago). Push scr-ai-gateway:abc1234.\n"
    )


def test_status_as_data(run: Run) -> None:
    as_json = json.loads(run("status", "scr", "-o", "json").stdout)
    as_yaml = yaml.safe_load(run("status", "scr", "-o", "yaml").stdout)

    assert as_json == as_yaml
    assert as_json["environments"][0]["hold"]["reason"] == "load test"


def test_releases(run: Run) -> None:
    assert ageless(run("releases").stdout) == (
        "VERSION   STATUS       IMAGES   MISSING      VERIFIED   RUNS IN   AGE    NAMES\n"
        "abc1234   Assembling   2/3      ai-gateway   -          -         AGE   -\n"
        "0001234   Ready        2/3      ai-gateway   -          staging   AGE   -\n"
    )


def test_history(run: Run) -> None:
    assert ageless(run("history", "staging").stdout) == (
        "DEPLOYMENT                   VERSION   KIND     PHASE       TOOK   AGE    BY     MESSAGE\n"
        "01K00000000000000000000DEP   0001234   deploy   Succeeded   0s     AGE   push   All is well.\n"
    )


def test_explain(run: Run) -> None:
    lines = run("explain", "staging").stdout.splitlines()

    assert lines[1] == (
        f"Automation is on hold: {JO} put staging on hold 0s ago: load test. "
        "To lift the hold, run `ferryman resume staging`."
    )


def test_events(run: Run, world: World) -> None:
    line = timeline.environment_event(
        "scr", "staging", EventType.HELD, "evil\x1b[31m\nmessage", at=make.AT, new_id=world.new_id, who=JO
    )
    world.store.write(line)

    assert ageless(run("events", "staging").stdout) == (
        "LAST SEEN   TYPE   OBJECT    BY        MESSAGE\n"
        "AGE        Held   staging   user/jo   evil[31m message\n"
    )  # fmt: skip


def test_nothing_to_list_is_said_on_standard_error(run: Run) -> None:
    result = run("events", "staging", "-d", "latest")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events in staging yet.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("status", "nope"), "no platform is named 'nope'; known platforms: scr", id="platform"),
        pytest.param(
            ("status", "scr", "prod"), "platform scr has no environment 'prod'; known environments: staging", id="env"
        ),
        pytest.param(("explain", "prod"), "known environments: staging", id="explain"),
        pytest.param(("explain", "../x"), "has no environment '../x'", id="hostile-name"),
        pytest.param(("releases", "--limit", "0"), "--limit", id="limit"),
        pytest.param(("history",), "ENV", id="no-environment"),
        pytest.param(("status", "-o", "xml"), "xml", id="format"),
    ],
)
def test_bad_input(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (2, True, ""), result.stderr


def test_several_platforms_need_a_name(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(world.store.platform("scr").but(name="other", rev=0))

    result = run("explain", "staging")
    assert (result.exit_code, "there are 2 platforms: other, scr" in result.stderr) == (2, True)

    monkeypatch.setenv("FERRYMAN_PLATFORM", "scr")
    assert run("explain", "staging").exit_code == 0
    monkeypatch.delenv("FERRYMAN_PLATFORM")
    assert run("explain", "staging", "-p", "scr").exit_code == 0


def test_colours_only_on_a_terminal(run: Run) -> None:
    assert "\x1b[" not in run("status").stdout
