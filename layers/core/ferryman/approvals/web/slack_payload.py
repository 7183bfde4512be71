"""Verify and read what Slack sends when somebody presses a button: the workspace, the person, the decision. Pure.

Rules: https://docs.slack.dev/authentication/verifying-requests-from-slack (HMAC-SHA256 of `v0:`, timestamp, `:` and the
raw body; 5 minutes). slack_sdk's verifier raises on hostile input; here such input is simply not verified.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ferryman.approvals.web import http
from ferryman.approvals.web.http import BadRequest, Request, fields
from ferryman.platform.hosts import SLACK_HOOKS, Hosts
from ferryman.text import clean

WINDOW_SECONDS = 300
REASON_BLOCK = "reason"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_ID = re.compile(r"[0-9A-Z]{1,40}")
_REFUSALS = {
    401: "not signed by Slack",
    403: "not sent over the domain of the approval pages: see SlackUrl in the stack's outputs",
    413: "request too large",
}


@dataclass(frozen=True)
class Signing:
    """A Slack app that may send button presses: its platform and workspace, and the secret that signs them."""

    platform: str
    team: str
    secret: str


@dataclass(frozen=True)
class Press:
    """A button that somebody pressed."""

    teams: frozenset[str]
    """Ids of the workspace, and of the organisation it belongs to."""
    user: str
    verdict: Literal["approve", "reject"]
    approval: str
    reason: str
    answer_to: str | None
    """The URL for an answer that only the person sees."""


def plausible(request: Request, now: datetime) -> bool:
    """Tell whether a request has a well-formed signature and is recent. Needs no secret and reads nothing."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(_signature(request))):
        return False
    return abs(now.timestamp() - int(timestamp)) <= WINDOW_SECONDS


def too_large(request: Request) -> bool:
    """Tell whether the body is larger than any that Slack sends. Decodes nothing that is."""
    try:
        request.body()
    except BadRequest as error:
        return error.status == 413
    return False


def refused(status: int) -> dict[str, Any]:
    """Return the answer to a request that is not taken: 401, 403 or 413."""
    return http.answer(status, json.dumps({"error": _REFUSALS[status]}), kind=http.JSON)


def signers(request: Request, body: bytes, known: Iterable[Signing]) -> list[Signing]:
    """Return the known apps whose secret signed this body. Call `plausible` first."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    base = b"v0:" + timestamp.encode() + b":" + body
    found = []
    for one in known:
        expected = "v0=" + hmac.new(one.secret.encode(), base, hashlib.sha256).hexdigest()
        if hmac.compare_digest(expected.encode(), _signature(request).encode()):
            found.append(one)
    return found


def press(body: bytes) -> Press | None:
    """Read a signed body; None when it is not a decision. Raise BadRequest when it cannot be read."""
    try:
        payload = json.loads(fields(body).get("payload", ""))
    except (ValueError, RecursionError):
        raise BadRequest(400, "The payload is not JSON.") from None
    actions = _at(payload, "actions")
    if _at(payload, "type") != "block_actions" or not isinstance(actions, list):
        return None
    action = next((item for item in actions if _at(item, "action_id") in ("approve", "reject")), None)
    if action is None:
        return None
    approval, user = _text(_at(action, "value")), _text(_at(payload, "user", "id"))
    teams = frozenset(filter(None, (_text(_at(payload, "team", "id")), _text(_at(payload, "enterprise", "id")))))
    if not (_ID.fullmatch(approval) and _ID.fullmatch(user) and teams and all(map(_ID.fullmatch, teams))):
        raise BadRequest(400, "The payload does not say who pressed which button.")
    return Press(
        teams=teams,
        user=user,
        verdict="approve" if _at(action, "action_id") == "approve" else "reject",
        approval=approval,
        reason=_reason(payload),
        answer_to=_answer_to(_text(_at(payload, "response_url"))),
    )


def _signature(request: Request) -> str:
    return request.headers.get("x-slack-signature", "")


def _reason(payload: Any) -> str:
    """Return the text in the message's reason field."""
    inputs = _at(payload, "state", "values", REASON_BLOCK)
    values = inputs.values() if isinstance(inputs, dict) else ()
    return next((clean(text, limit=500).strip() for item in values if (text := _text(_at(item, "value")))), "")


def _answer_to(url: str) -> str | None:
    """Return the address only if it is one of Slack's: a request must not make us call any other host."""
    return url if Hosts().allows(url, SLACK_HOOKS) else None


def _at(data: Any, *path: str) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
