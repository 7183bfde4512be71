"""`ferryman status`, `releases`, `history`, `explain`, `events`: tables, JSON, YAML."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml

from ferryman.messages import timeline
from ferryman.records import EventType, Hold, IgnoredTag, IgnoredTags, Phase, ReleaseStatus, Settled, Verified
from ferryman.records.writes import Save
from unit import builders as make
from unit.api_world import JO, World, idle
from unit.cli.function_url import Run, Server, ageless

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
    headline, nothing = "runs 0001234; held by jo: load test", "runs no release; abc1234 is waiting for ai-gateway"
    assert ageless(run("status").stdout) == (
        f"PLATFORM   ENVIRONMENT   READY     HEALTH    SYNC      VERSION   {'STATUS'.ljust(len(nothing))}   AGE\n"
        f"scr        staging       Unknown   Unknown   Waiting   0001234   {headline.ljust(len(nothing))}   AGE\n"
        f"scr        production    Unknown   Unknown   Waiting   -         {nothing}   -\n"
    )


def test_status_of_one(run: Run) -> None:
    assert ageless(run("status", "scr", "staging").stdout) == (
        "Name:       scr/staging\n"
        "Ready:      Unknown\n"
        "Health:     Unknown\n"
        "            NotSeen: Nobody has looked at its services yet.\n"
        "Sync:       Waiting\n"
        "            Assembling: abc1234 is waiting for images: 2 of 3 pushed, missing ai-gateway (the first was "
        "pushed 0s ago). Push scr-ai-gateway:abc1234.\n"
        "Status:     runs 0001234; held by jo: load test\n"
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


class TestIgnored:
    @pytest.fixture(autouse=True)
    def _ignored(self, world: World) -> None:
        tags = [
            IgnoredTag(tag=tag, digest=make.digest("f"), at=make.AT + at * HOUR)
            for tag, at in (("sha-3f9c2ab", 2), ("old", -9))
        ]
        world.put(IgnoredTags(platform="scr", component="api", repository="scr-api", tags=tags))

    def test_releases_ignored(self, run: Run) -> None:
        lines = ageless(run("releases", "--ignored").stdout).splitlines()

        assert [line.split(maxsplit=4)[:3] for line in lines] == [
            ["TAG", "COMPONENTS", "REASON"],
            ["sha-3f9c2ab", "api", "NoMatch"],
            ["old", "api", "NoMatch"],
        ]
        assert lines[1].endswith(
            "sha-3f9c2ab does not match tagPattern (?P<version>[0-9a-f]{7,40}). Push the images as 3f9c2ab, or change "
            "tagPattern so that it matches sha-3f9c2ab."
        )

    def test_as_data(self, run: Run) -> None:
        found = json.loads(run("releases", "--ignored", "-n", "1", "-o", "json").stdout)

        assert [(item["tag"], item["components"], item["pattern"]) for item in found["ignored"]] == [
            ("sha-3f9c2ab", ["api"], "(?P<version>[0-9a-f]{7,40})")
        ]
        assert "ignored" not in json.loads(run("releases", "-o", "json").stdout)

    def test_none(self, run: Run, world: World) -> None:
        world.put(world.store.ignored_tags("scr")[0].but(tags=[]))

        assert run("releases", "--ignored").stderr == "No ignored tags.\n"

    def test_an_operator_that_is_older(self, run: Run, server: Server) -> None:
        server.canned["GET /v1/platforms/scr/releases"] = {"releases": []}

        assert run("releases", "--ignored").exit_code == 2

    def test_explain(self, run: Run) -> None:
        told = run("explain", "staging").stdout

        assert "Tag sha-3f9c2ab (api) was pushed and ignored " in told
        assert "Tag old" not in told, "it is older than what runs"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("sha-3f9c2ab", "Tag sha-3f9c2ab (api) was pushed and ignored "),
            ("git-3f9c2ab", "git-3f9c2ab does not match tagPattern (?P<version>[0-9a-f]{7,40}). Push the images as "),
            ("0001234", "staging runs 0001234."),
            ("abc1234", "abc1234 is waiting for images: 2 of 3 pushed"),
        ],
    )
    def test_explain_one(self, run: Run, text: str, told: str) -> None:
        result = run("explain", "staging", text)

        assert result.stdout.startswith(told)
        assert len(result.stdout.splitlines()) == 1

    def test_status_of_one(self, run: Run) -> None:
        told = run("status", "scr", "staging").stdout

        assert "Newer tags that are no releases:\nTAG           COMPONENTS   REASON    AGE" in told
        assert "sha-3f9c2ab   api          NoMatch" in told

    def test_an_older_operator_shows_none(self, run: Run, server: Server) -> None:
        view = json.loads(run("status", "scr", "staging", "-o", "json").stdout)
        assert [item["tag"] for item in view.pop("ignored")] == ["sha-3f9c2ab"]
        server.canned["GET /v1/platforms/scr/environments/staging"] = view

        assert "no releases" not in run("status", "scr", "staging").stdout

    @pytest.mark.parametrize("command", ["explain staging", "explain staging sha-1", "releases --ignored", "status"])
    def test_reads_write_nothing(self, run: Run, world: World, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
        monkeypatch.setattr(world.store, "write", None)
        monkeypatch.setattr(world.store._dynamodb, "transact_write_items", None)

        assert run(*command.split()).exit_code == 0

    @pytest.mark.parametrize(
        "command",
        [
            "deploy production --release sha-3f9c2ab --confirm DEPLOY",
            "diff production sha-3f9c2ab",
            "retry production --release sha-3f9c2ab --reason again",
        ],
    )
    def test_a_request_says_why_there_is_no_such_release(self, run: Run, command: str) -> None:
        result = run(*command.split())

        assert result.exit_code == 2
        assert "there is no release 'sha-3f9c2ab': sha-3f9c2ab does not match tagPattern" in result.stderr
        assert "Push the images as 3f9c2ab" in result.stderr


def test_releases_tell_where_one_failed_and_what_no_smoke_test_looked_at(run: Run, world: World) -> None:
    proof = Verified(deployment="D", digests={}, at=make.AT, checks=0)
    failed = Settled(phase=Phase.ROLLED_BACK, reason="SmokeTestFailed", at=make.AT)
    release = world.store.release("scr", "0001234")
    assert release is not None
    world.store.write(Save(release.but(verified={"staging": proof, "production": proof.but(checks=3)})))
    world.store.update_state("scr", "staging", lambda state: state.but(settled={"abc1234": failed}))
    text = run("releases").stdout
    assert "staging (no smoke tests), production " in text
    assert "staging (RolledBack)" in text


def test_history(run: Run) -> None:
    assert ageless(run("history", "staging").stdout) == (
        "DEPLOYMENT                   VERSION   KIND     PHASE       TOOK   AGE    BY\n"
        "01K00000000000000000000DEP   0001234   deploy   Succeeded   0s     AGE   push\n"
    )


def test_explain(run: Run) -> None:
    lines = run("explain", "staging").stdout.splitlines()

    assert lines[1] == (
        "Automation is on hold: jo put staging on hold 0s ago: load test. "
        "To lift the hold, run `ferryman resume staging -p scr`."
    )


def test_events(run: Run, world: World) -> None:
    line = timeline.environment_event(
        "scr", "staging", EventType.HELD, "evil\x1b[31m\nmessage", at=make.AT, new_id=world.new_id, who=JO
    )
    world.store.write(line)

    assert ageless(run("events", "staging").stdout) == (
        "LAST SEEN   TYPE   OBJECT    BY        MESSAGE\n"
        "AGE        Held   staging   user/jo   evil message\n"
    )  # fmt: skip


def test_nothing_to_list_is_said_on_standard_error(run: Run) -> None:
    result = run("events", "staging", "-d", "latest")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events in staging yet.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("status", "nope"), "platform scr has no environment 'nope'; known", id="neither"),
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
