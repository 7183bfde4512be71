"""The three ways to reach Slack: a bot's Web API, an incoming webhook, and the address that answers a pressed button.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. Tokens and addresses are credentials: they
appear in no error, log line or record.
"""

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ferryman.clients.retry_after import wait_in
from ferryman.clients.secrets import value_in
from ferryman.errors import Throttled
from ferryman.text import one_line

if TYPE_CHECKING:
    import httpx

_WORD = re.compile(r"[a-z][a-z0-9_]{1,60}")
_ANSWER_LIMIT = 1_000_000
_CONNECT_SECONDS, _CALL_SECONDS = 3.0, 8.0
"""Of a call of the Web API: connecting, and all of it."""
_WEBHOOK_SECONDS = 5.0
_RESPOND_SECONDS = 1.0
_LOG = logging.getLogger("ferryman")


class SlackError(Exception):
    """Slack did not accept a message, or did not answer. The text contains no URL, token or header."""


class SlackThrottled(SlackError, Throttled):
    """Slack asked to slow down, and has done nothing of what was asked."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.retry_after = wait_in(headers)
        wait = "" if self.retry_after is None else f"; retry after {self.retry_after:.0f} s"
        super().__init__(f"Slack answered {status}: too many messages{wait}")


class SlackRefused(SlackError):
    """Slack answered with an error."""

    def __init__(self, word: str) -> None:
        self.word = word
        """Slack's own: `channel_not_found`, `invalid_auth`."""
        super().__init__(f"Slack answered {word}")


@dataclass(frozen=True)
class Bot:
    """One bot in one workspace."""

    api_url: str
    token: str
    transport: "httpx.BaseTransport | None" = None

    def call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call a method of Slack's API; raise SlackError with Slack's own word when it does not do it."""
        headers = {"authorization": f"Bearer {self.token}"}
        status, answered, content = _post(
            f"{self.api_url}/{method}",
            body,
            seconds=_CALL_SECONDS,
            connect=_CONNECT_SECONDS,
            headers=headers,
            transport=self.transport,
        )
        if len(content) > _ANSWER_LIMIT:
            raise SlackError("Slack's answer is too large")
        return _read(status, answered, content)


def token_in(secret: str) -> str:
    """Take a bot's token out of a secret: the plain token, or JSON with `token` or `botToken`."""
    try:
        text = value_in(secret, "token", "botToken")
    except ValueError:
        raise SlackError("the secret is neither a token nor JSON with the field `token`") from None
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SlackError("the secret contains no token; store the bot's token (xoxb-…) as its value")
    return text


def _read(status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    _check_pace(status, headers)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if status != 200 or not isinstance(data, dict):
        raise SlackError(f"Slack answered {status}, but not with an API response: there may be a proxy or an outage")
    if data.get("ok") is not True:
        word = str(data.get("error"))
        if word in ("ratelimited", "rate_limited"):
            raise SlackThrottled(status, headers)
        raise SlackRefused(word if _WORD.fullmatch(word) else one_line(word, limit=60))
    return data


def _check_pace(status: int, headers: Mapping[str, str]) -> None:
    """Raise SlackThrottled when an answer asks to slow down; an outage may say for how long, too."""
    if status == 429 or (status == 503 and wait_in(headers) is not None):
        raise SlackThrottled(status, headers)


def post_webhook(
    url: str, body: dict[str, Any], transport: "httpx.BaseTransport | None" = None
) -> tuple[int, str]:  # fmt: skip
    """Post JSON to a webhook; return status and the beginning of the answer.

    Raise SlackThrottled when Slack asks to slow down, another SlackError when nothing answers.
    """
    status, headers, content = _post(url, body, seconds=_WEBHOOK_SECONDS, transport=transport)
    _check_pace(status, headers)
    return status, content.decode("utf-8", "replace")[:500]


def respond_to_action(url: str, body: dict[str, Any]) -> None:
    """Post to an address that `approvals.web.slack_payload` found to be Slack's own; never raises.

    The address is a credential for half an hour: it is not logged.
    """
    try:
        _post(url, body, seconds=_RESPOND_SECONDS)
    except SlackError as error:
        _LOG.warning("could not send a reply to a person in Slack: %s", error)


def _post(
    url: str,
    body: dict[str, Any],
    *,
    seconds: float,
    connect: float | None = None,
    headers: Mapping[str, str] | None = None,
    transport: "httpx.BaseTransport | None" = None,
) -> tuple[int, Mapping[str, str], bytes]:
    """Post JSON, without redirects and without proxies of the environment; return status, headers and content.

    `seconds` bounds the whole, `connect` connecting. Of an answer longer than `_ANSWER_LIMIT` a little more than that
    is returned. Raise SlackError when nothing answers.
    """
    import httpx

    from ferryman.deadline import DeadlineTransport

    # httpx logs the address of each request, and most of these addresses are credentials.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    transport = transport or DeadlineTransport(time.monotonic() + seconds)
    timeout = httpx.Timeout(seconds, connect=connect or seconds)
    sent = {
        **(headers or {}),
        "content-type": "application/json; charset=utf-8",
        # Unpacking could make gigabytes of the few bytes that are read.
        "accept-encoding": "identity",
    }
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False, transport=transport) as client,
            client.stream("POST", url, content=json.dumps(body).encode(), headers=sent) as answer,
        ):
            content = bytearray()
            for chunk in answer.iter_raw():
                content += chunk
                if len(content) > _ANSWER_LIMIT:
                    break
            return answer.status_code, answer.headers, bytes(content)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        # Not the error's text: it may quote the address or a header.
        raise SlackError(f"Slack could not be reached or did not answer in time ({type(error).__name__})") from None
