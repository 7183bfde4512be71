"""What all posts to Slack have in common: bounds, and addresses that are credentials and stay out of every log."""

import json
import logging

import httpx
import pytest

from ferryman.clients.slack import Bot, SlackError, post_webhook, respond_to_action
from unit.fakes.github import streamed

WEBHOOK = "https://hooks.slack.com/services/hunter2"
MORE_THAN_ANYBODY_READS = b"x" * 1_000_001


def answering(answer: httpx.Response) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: streamed(answer))


def test_the_body_is_json_and_nothing_comes_back_packed() -> None:
    seen: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return streamed(httpx.Response(200, text="ok"))

    assert post_webhook(WEBHOOK, {"text": "é"}, httpx.MockTransport(network)) == (200, "ok")
    (request,) = seen
    assert json.loads(request.content) == {"text": "é"}
    assert request.headers["content-type"].startswith("application/json")
    assert request.headers["accept-encoding"] == "identity"


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    transport = answering(httpx.Response(500, content=MORE_THAN_ANYBODY_READS))
    assert post_webhook(WEBHOOK, {}, transport) == (500, "x" * 500)
    with pytest.raises(SlackError, match="answer is too large"):
        Bot("https://slack.com/api", "xoxb-hunter2", transport).call("chat.postMessage", {})


def test_an_answer_to_a_press_never_raises_and_tells_no_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    respond_to_action("http://127.0.0.1:1/actions/hunter2", {"text": "x"})
    assert "ConnectError" in caplog.text
    assert "hunter2" not in caplog.text
