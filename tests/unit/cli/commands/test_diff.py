"""`ferryman diff`: what would change, readable; exit codes; nothing that steers a terminal."""

import json
from typing import Any

import pytest

from unit import builders as make
from unit.api_world import World
from unit.cli.function_url import Run, Server

PLACE = "/v1/platforms/scr/environments/production"
IMAGE = "containerDefinitions.api.image"


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)


def different(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "platform": "scr", "environment": "production", "release": "abc1234", "names": ["v1.0.0"], "runs": "0001234",
        "direction": "deploy", "changes": True, "movingTags": ["production-latest", "production-current"],
        "components": [
            {"component": "api", "before": make.digest("0"), "after": make.digest("a"), "changed": True},
            {"component": "web", "before": make.digest("0"), "after": make.digest("0"), "changed": False},
            {"component": "gateway", "before": None, "after": None, "changed": False},
        ],
        "services": [
            {
                "service": "scr-api", "component": "api", "taskDefinition": "scr-api:7", "note": "",
                "fields": [
                    {"field": IMAGE, "before": "r@sha256:0", "after": "r@sha256:a"},
                    {"field": "containerDefinitions.api.environment.KEY.value", "before": None, "after": "(hidden)"},
                ],
            },
            {"service": "scr-web", "component": "web", "taskDefinition": "scr-web:3", "note": "", "fields": []},
            {"service": "scr-gw", "component": "gateway", "taskDefinition": None, "note": "left alone", "fields": []},
        ],
        "migrations": {
            "status": "Known", "ids": ["0042", "0043"], "unsafe": ["0043"], "message": "2 migrations would run",
        },
        "approvers": ["Ada Lovelace", "Grace Hopper"], "required": 1,
        "obstacles": [{"reason": "Frozen", "message": "frozen until Mon\x1b[2J 08:00"}], "unread": [],
    }  # fmt: skip
    return found | changes


def test_shows_images_fields_migrations_and_what_stands_in_the_way(run: Run, server: Server) -> None:
    server.canned[f"GET {PLACE}/diff"] = different()

    result = run("diff", "production", "v1.0.0")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "scr/production: 0001234 → abc1234 (v1.0.0), a newer release\n"
        "\n"
        "Images:\n"
        "COMPONENT   RUNNING               WOULD RUN\n"
        "api         sha256:000000000000   sha256:aaaaaaaaaaaa\n"
        "web         sha256:000000000000   unchanged\n"
        "gateway     -                     no image in the release; stays as it is\n"
        "\n"
        "Task definitions:\n"
        "  scr-api (scr-api:7)\n"
        "    containerDefinitions.api.image\n"
        "      - r@sha256:0\n"
        "      + r@sha256:a\n"
        "    containerDefinitions.api.environment.KEY.value\n"
        "      + (hidden)\n"
        "  scr-web (scr-web:3): unchanged\n"
        "  scr-gw: left alone\n"
        "\n"
        "Database: 2 migrations would run\n"
        "  0042\n"
        "  0043  not safe to roll back past\n"
        "\n"
        "Tags that would move: production-latest, production-current\n"
        "Approvals required: 1 of Ada Lovelace, Grace Hopper\n"
        "\n"
        "Blocked now by:\n"
        "REASON   MESSAGE\n"
        "Frozen   frozen until Mon[2J 08:00\n"
    )
    assert server.seen[-1][1].endswith("/diff?release=v1.0.0")


def test_several_containers_of_a_service_are_named(run: Run, server: Server) -> None:
    found = different()
    found["services"][0]["containers"] = ["api", "worker", "init"]
    found["services"][1]["containers"] = ["web"]
    server.canned[f"GET {PLACE}/diff"] = found

    result = run("diff", "production", "abc1234")

    assert "  scr-api (scr-api:7), containers api, worker and init\n" in result.stdout
    assert "  scr-web (scr-web:3): unchanged\n" in result.stdout


def test_says_when_nothing_changes_and_what_could_not_be_read(run: Run, server: Server) -> None:
    server.canned[f"GET {PLACE}/diff"] = different(
        changes=False, direction="same", obstacles=[], approvers=[], unread=["there is no service scr-gw"]
    )

    result = run("diff", "production", "abc1234")

    assert "\nNo image or task definition would change.\nNothing blocks this deployment.\n" in result.stdout
    assert result.stderr == "could not be read: there is no service scr-gw\n"


def test_going_back_names_the_command(run: Run, server: Server) -> None:
    server.canned[f"GET {PLACE}/diff"] = different(direction="rollback")

    assert (
        "`ferryman rollback production --release abc1234 --reason REASON -p scr`"
        in run("diff", "production", "abc1234").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "changes", "code"),
    [
        pytest.param((), True, 0, id="differences-are-no-failure"),
        pytest.param(("--exit-code",), True, 1, id="unless-one-asks"),
        pytest.param(("--exit-code",), False, 0, id="no-difference"),
    ],
)
def test_exit_codes(run: Run, server: Server, arguments: tuple[str, ...], changes: bool, code: int) -> None:
    server.canned[f"GET {PLACE}/diff"] = different(changes=changes)

    result = run("diff", "production", "abc1234", *arguments, "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)["changes"]) == (code, changes)


def test_shows_what_the_real_api_answers(run: Run, world: World) -> None:
    """The shape is the API's: what it leaves out or calls otherwise would end in a KeyError here."""
    world.put(make.release("0001234"), make.release("abc1234", ulid="01K1"), make.state(environment="production"))
    world.put(make.deployment(environment="production"))

    result = run("diff", "production", "abc1234")

    assert result.exit_code == 0, result.output
    assert "Images:" in result.stdout


def test_an_unknown_release(run: Run) -> None:
    result = run("diff", "production", "nope")

    assert (result.exit_code, "there is no release 'nope'" in result.stderr) == (2, True)


def test_jobs_stand_below_the_services(run: Run, server: Server) -> None:
    job = {"service": "job/report", "component": "api", "taskDefinition": "report:4", "note": "", "fields": []}
    server.canned[f"GET {PLACE}/diff"] = different(jobs=[job])
    assert "  scr-gw: left alone\n  job/report (report:4): unchanged\n" in run("diff", "production", "v1.0.0").stdout
