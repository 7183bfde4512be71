"""The part of Slack that Ferryman uses: an incoming webhook, a bot's messages, and people who press buttons.

Source: Slack's references of chat.postMessage, chat.update, incoming webhooks, block_actions and request signing.
"""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from ferryman_local.standins.server import Answer, StandIn


@dataclass
class Message:
    """A message in a channel, in its current state."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    versions: list[dict[str, Any]] = field(default_factory=list)
    """Earlier versions of the message, oldest first."""

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """Buttons by action id."""
        return {item["action_id"]: item for item in _parts(self.blocks) if item.get("type") == "button"}

    @property
    def shown(self) -> str:
        """The whole text of the message."""
        return "\n".join([self.text, *(item["text"] for item in _parts(self.blocks) if _is_text(item))])


class Slack(StandIn):
    """One workspace."""

    team = "T0FERRYMAN"

    def __init__(self) -> None:
        super().__init__()
        self.bot_token = f"xoxb-{uuid4().hex}"
        self.signing_secret = uuid4().hex
        self._webhook = f"/services/{self.team}/B0HOOK/{uuid4().hex[:24]}"
        self.messages: list[Message] = []
        """Messages of the bot."""
        self.posted: list[dict[str, Any]] = []
        """Messages that were sent to the webhook."""
        self._numbers = itertools.count(1)

    @property
    def webhook(self) -> str:
        """The incoming webhook's URL."""
        return self.url + self._webhook

    @property
    def api_url(self) -> str:
        """The URL of the Web API."""
        return f"{self.url}/api"

    def respond(
        self, method: str, path: str, _query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        """Handle one request."""
        if path.startswith("/services/"):
            if path != self._webhook or method != "POST":
                return Answer(404, "no_service")
            if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
                return Answer(400, "no_text")
            self.posted.append(body)
            return Answer(200, "ok")
        if path.startswith("/response/"):
            return Answer(200, "ok")
        if not path.startswith("/api/"):
            return Answer(404, "not found")
        if headers.get("authorization") != f"Bearer {self.bot_token}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        data = body if isinstance(body, dict) else {}
        blocks = data.get("blocks") or []
        blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
        match path.removeprefix("/api/"):
            case "chat.postMessage":
                return self._post(data, blocks)
            case "chat.update":
                return self._update(data, blocks)
            case "auth.test":
                return Answer(200, {"ok": True, "user": "ferryman", "team_id": self.team})
        return Answer(200, {"ok": False, "error": "unknown_method"})

    def _post(self, data: dict[str, Any], blocks: list[dict[str, Any]]) -> Answer:
        if not data.get("channel"):
            return Answer(200, {"ok": False, "error": "channel_not_found"})
        ts = f"{int(time.time())}.{next(self._numbers):06d}"
        self.messages.append(Message(data["channel"], ts, str(data.get("text", "")), blocks))
        return Answer(200, {"ok": True, "channel": data["channel"], "ts": ts})

    def _update(self, data: dict[str, Any], blocks: list[dict[str, Any]]) -> Answer:
        found = next((m for m in self.messages if (m.channel, m.ts) == (data.get("channel"), data.get("ts"))), None)
        if found is None:
            return Answer(200, {"ok": False, "error": "message_not_found"})
        found.versions.append({"text": found.text, "blocks": found.blocks})
        found.text, found.blocks = str(data.get("text", "")), blocks
        return Answer(200, {"ok": True, "channel": found.channel, "ts": found.ts})

    # ── what people in the workspace do ──

    def press(
        self,
        interactivity_url: str,
        message: Message,
        action_id: str,
        *,
        user: str,
        team: str | None = None,
        secret: str | None = None,
        at: int | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Press a button: send Slack's signed request to the app, and return its response."""
        button = message.buttons[action_id]
        action: dict[str, Any] = {
            key: button[key] for key in ("action_id", "block_id", "value", "text") if key in button
        }
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "team_id": team or self.team},
            "team": {"id": team or self.team, "domain": "scr"},
            "api_app_id": "A0FERRYMAN",
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "channel": {"id": message.channel, "name": "deployments"},
            "message": {"ts": message.ts, "text": message.text, "blocks": message.blocks},
            "trigger_id": uuid4().hex,
            "response_url": f"{self.url}/response/{uuid4().hex}",
            "actions": [{"type": "button", "action_ts": message.ts, "block_id": "b1", **action}],
            **more,
        }
        return self.send(interactivity_url, payload, secret=secret, at=at)

    def send(
        self, url: str, payload: Mapping[str, Any], *, secret: str | None = None, at: int | None = None
    ) -> httpx.Response:
        """Send an interaction, signed with the app's secret or a different one."""
        body, stamp = urlencode({"payload": json.dumps(payload)}), str(at or int(time.time()))
        signed = hmac.new((secret or self.signing_secret).encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signed.hexdigest()}",
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False)


def _is_text(item: Mapping[str, Any]) -> bool:
    return item.get("type") in ("plain_text", "mrkdwn") and isinstance(item.get("text"), str)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part)
