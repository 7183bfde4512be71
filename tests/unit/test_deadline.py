"""One deadline for a whole call, against a server on loopback that sends a byte now and then."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from ferryman.clients import slack
from ferryman.clients.github.client import REAL_NETWORK, Api
from ferryman.clients.http_client import NoAnswer, fetch
from ferryman.clients.slack import Bot, SlackError, post_webhook, respond_to_action
from ferryman.errors import Unavailable
from unit.fakes.dripping import DRIPS, PATIENCE, SECONDS, Dripping, assert_closed, serving


@pytest.fixture(params=[pytest.param(drip, id=name) for name, drip in DRIPS.items()])
def server(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    yield from serving(request.param)


@pytest.fixture
def slow_headers() -> Iterator[Dripping]:
    yield from serving(DRIPS["headers"])


def test_a_check_whose_answer_arrives_byte_by_byte_ends_at_its_deadline(server: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(NoAnswer, match=r"did not (answer|end) in time"):
        fetch(f"{server.url}/health", {}, True, SECONDS, allow_loopback=True)
    assert_closed(server, threads)


def test_a_server_that_drips_its_tls_handshake_is_given_up(slow_headers: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(NoAnswer):
        fetch(f"https://127.0.0.1:{slow_headers.port}/health", {}, True, SECONDS, allow_loopback=True)
    assert_closed(slow_headers, threads)


@pytest.mark.parametrize(
    "call",
    [
        lambda url: post_webhook(f"{url}/hook", {"text": "x"}),
        lambda url: Bot(url, "xoxb-hunter2").call("chat.postMessage", {"text": "x"}),
    ],
    ids=["webhook", "bot"],
)
def test_slack_whose_answer_arrives_byte_by_byte_is_given_up(
    server: Dripping, call: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = threading.active_count()
    monkeypatch.setattr(slack, "_WEBHOOK_SECONDS", SECONDS)
    monkeypatch.setattr(slack, "_CALL_SECONDS", SECONDS)
    with pytest.raises(SlackError, match=r"did not answer in time \(ReadTimeout\)"):
        call(server.url)
    assert_closed(server, threads)


def test_an_answer_to_a_press_is_given_up_in_silence(
    slow_headers: Dripping, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    respond_to_action(f"{slow_headers.url}/actions/hunter2", {"text": "x"})
    assert "ReadTimeout" in caplog.text
    assert "hunter2" not in caplog.text
    assert slow_headers.hung_up.wait(PATIENCE + 10)


def test_github_whose_answer_arrives_byte_by_byte_ends_with_its_budget(server: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(Unavailable):
        Api(server.url, lambda renew: "t", REAL_NETWORK, budget=SECONDS).get("/repos/x/y")
    assert_closed(server, threads)
