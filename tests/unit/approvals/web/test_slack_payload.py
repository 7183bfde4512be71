"""Slack's signature and payload: what Slack sends is read, everything else is refused and nothing raises."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from ferryman.approvals.web import http, slack_payload
from ferryman.approvals.web.http import BadRequest, Request
from ferryman.approvals.web.slack_payload import Signing

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
OURS = Signing(platform="scr", team="T024BE7LD", secret=SECRET)
OTHER = Signing(platform="other", team="T0OTHER", secret="not-the-same")


def request(body: bytes = b"payload=x", *, signed: bytes | None = None, **headers: str) -> Request:
    timestamp = headers.get("timestamp", str(int(NOW.timestamp())))
    base = f"v0:{timestamp}:".encode() + (body if signed is None else signed)
    signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
    given = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": headers.get("signature", signature)}
    return http.parse({"headers": given, "body": body.decode("latin-1"), "rawPath": "/slack"})


def verified(found: Request, body: bytes = b"payload=x", now: datetime = NOW) -> list[Signing]:
    return slack_payload.signers(found, body, [OTHER, OURS]) if slack_payload.plausible(found, now) else []


def test_the_example_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    found = request(
        body,
        timestamp="1531420618",
        signature="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    )

    assert verified(found, body, datetime.fromtimestamp(1531420618 + 20, UTC)) == [OURS]


def test_only_the_app_that_signed_is_named() -> None:
    assert verified(request()) == [OURS]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(request(signed=b"payload=y"), id="another-body"),
        pytest.param(request(timestamp=str(int(NOW.timestamp()) - 301)), id="stale"),
        pytest.param(request(timestamp=str(int(NOW.timestamp()) + 301)), id="from-the-future"),
        pytest.param(request(timestamp="soon"), id="not-a-number"),
        pytest.param(request(timestamp="\u0661\u0662\u0663"), id="digits-of-another-script"),
        pytest.param(request(timestamp="9" * 5000), id="endless-number"),
        pytest.param(request(timestamp="-1"), id="negative"),
        pytest.param(request(timestamp=""), id="no-timestamp"),
        pytest.param(request(signature=""), id="no-signature"),
        pytest.param(request(signature="v0=ü" + "0" * 63), id="not-ascii"),
        pytest.param(request(signature="v0=" + "0" * 64), id="wrong"),
        pytest.param(request(signature="v1=" + "0" * 64), id="another-version"),
        pytest.param(http.parse({}), id="nothing"),
    ],
)
def test_what_is_not_from_slack(found: Request) -> None:
    assert verified(found) == []


def test_the_window_is_five_minutes() -> None:
    assert verified(request(timestamp=str(int(NOW.timestamp()) - 300))) == [OURS]


def payload(**changes: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T024BE7LD", "domain": "scr"},
        "user": {"id": "U0ADA", "username": "ada", "team_id": "T024BE7LD"},
        "response_url": "https://hooks.slack.com/actions/T024BE7LD/1/abc",
        "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": " because "}}}},
        "actions": [{"action_id": "approve", "type": "button", "value": "01K3ASKING"}],
    } | changes


def sent(data: Any) -> bytes:
    return urlencode({"payload": json.dumps(data)}).encode()


def test_a_press() -> None:
    found = slack_payload.press(sent(payload()))

    assert found is not None
    assert (found.user, found.verdict, found.approval, found.reason) == ("U0ADA", "approve", "01K3ASKING", "because")
    assert found.teams == {"T024BE7LD"}
    assert found.answer_to == "https://hooks.slack.com/actions/T024BE7LD/1/abc"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"type": "view_submission"}, id="another-kind"),
        pytest.param(payload(actions=[{"action_id": "open", "value": "x"}]), id="another-button"),
        pytest.param(payload(actions=[]), id="no-action"),
        pytest.param(payload(actions={"0": 1}), id="actions-no-list"),
        pytest.param([], id="a-list"),
        pytest.param(None, id="null"),
    ],
)
def test_what_is_none_of_our_buttons(data: Any) -> None:
    assert slack_payload.press(sent(data)) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"payload=", id="no-payload"),
        pytest.param(b"payload=%7B", id="half"),
        pytest.param(b"payload=" + b"%5B" * 20_000, id="nested"),
        pytest.param(b"payload=%ff", id="not-utf8"),
        pytest.param(b"payload=1&payload=2", id="twice"),
        pytest.param(sent(payload(user=None)), id="nobody"),
        pytest.param(sent(payload(team=None)), id="no-team"),
        pytest.param(sent(payload(user={"id": "\ud800"})), id="surrogate"),
        pytest.param(sent(payload(actions=[{"action_id": "approve", "value": 7}])), id="no-id"),
        pytest.param(sent(payload(actions=[{"action_id": "approve", "value": "../x"}])), id="odd-id"),
    ],
)
def test_what_can_not_be_read(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        slack_payload.press(body)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/actions/1",
        "https://hooks.slack.com.example/actions/1",
        "https://hooks.slack.com@example.com/",
        "https://user@hooks.slack.com/",
        "https://hooks.slack.com:8443/",
        "https://hooks.slack.com:x/",
        "https://[hooks.slack.com/",
        "https://169.254.169.254/",
        "",
        None,
        7,
    ],
)
def test_answers_go_to_slack_only(url: Any) -> None:
    found = slack_payload.press(sent(payload(response_url=url)))

    assert found is not None
    assert found.answer_to is None


def test_a_reason_of_hostile_text_can_be_stored() -> None:
    values = {"values": {"reason": {"reason": {"value": "a\ud800\x00b\u202e"}}}}
    found = slack_payload.press(sent(payload(state=values)))

    assert found is not None
    assert found.reason == "ab"
