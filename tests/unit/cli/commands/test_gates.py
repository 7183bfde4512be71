"""`ferryman freeze`, `thaw`, `waive`: what is sent, and how people may write moments and spans."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ferryman_cli import moments
from ferryman_cli.exits import Stop
from unit.api_world import World
from unit.cli.function_url import Run, Server

PLACE = "/v1/platforms/scr/environments/production"


@pytest.fixture(autouse=True)
def _platform(world: World, server: Server, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    world.applied(scr_document)
    for what in ("freeze", "thaw", "waive"):
        server.canned[f"POST {PLACE}/{what}"] = {"changed": True, "message": "so be it"}
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()


def sent(server: Server) -> Any:
    (body,) = [json.loads(body) for method, _, _, body in server.seen if method == "POST"]
    return body


@pytest.mark.parametrize(
    ("arguments", "until"),
    [
        pytest.param((), None, id="until-thaw"),
        pytest.param(("--until", "2040-12-24 18:00"), "2040-12-24T17:00:00+00:00", id="local-time"),
        pytest.param(("--until", "2040-07-24 18:00"), "2040-07-24T16:00:00+00:00", id="local-summer-time"),
        pytest.param(("--until", "2040-12-24T18:00:00Z"), "2040-12-24T18:00:00+00:00", id="utc"),
        pytest.param(("--until", "2040-12-24T18:00-05:00"), "2040-12-24T23:00:00+00:00", id="another-zone"),
    ],
)
def test_freeze_until(run: Run, server: Server, arguments: tuple[str, ...], until: str | None) -> None:
    result = run("freeze", "production", "--reason", "fair", *arguments)

    assert (result.exit_code, result.stdout) == (0, "so be it\n"), result.stderr
    assert sent(server) == {"reason": "fair", **({"until": until} if until else {})}


def test_freeze_for(run: Run, server: Server) -> None:
    before = datetime.now(UTC)
    assert run("freeze", "production", "--reason", "fair", "--for", "2h").exit_code == 0

    span = datetime.fromisoformat(sent(server)["until"]) - before
    assert 7195 < span.total_seconds() < 7215


def test_thaw_and_waive(run: Run, server: Server) -> None:
    assert run("thaw", "production").exit_code == 0
    assert sent(server) == {}
    server.seen.clear()

    assert run("waive", "production", "--release", "v1.0.0", "--reason", "unreachable").exit_code == 0
    assert sent(server) == {"release": "v1.0.0", "reason": "unreachable", "duration": "7d"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("freeze", "production"), "--reason", id="no-reason"),
        pytest.param(
            ("freeze", "production", "--reason", "x", "--until", "2020-01-01 00:00"), "is in the past", id="past"
        ),
        pytest.param(("freeze", "production", "--reason", "x", "--until", "Friday"), "is not a time", id="no-moment"),
        pytest.param(("freeze", "production", "--reason", "x", "--until", "9999-12-31T23:59-14:00"), "", id="far-away"),
        pytest.param(("freeze", "production", "--reason", "x", "--for", "2"), "is not a duration", id="no-unit"),
        pytest.param(
            ("freeze", "production", "--reason", "x", "--for", "2h", "--until", "2040-01-01"), "not both", id="both"
        ),
        pytest.param(("waive", "production", "--reason", "x"), "--release", id="waive-what"),
        pytest.param(("waive", "production", "--release", "a", "--reason", "x", "--for", "long"), "--for", id="span"),
    ],
)
def test_bad_input_sends_nothing(run: Run, server: Server, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (2, True, ""), result.stderr
    assert not any(method == "POST" for method, *_ in server.seen)


@pytest.mark.parametrize("text", ["", "0001-01-01T00:00+14:00", "2026-13-01", "x" * 500])
def test_hostile_moments(text: str) -> None:
    with pytest.raises(Stop):
        moments.moment(text, "--until")
