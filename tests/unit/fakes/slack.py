"""Slack's Web API and webhooks behind httpx.MockTransport, with failures on order. It keeps what it was sent."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from unit.fakes.github import streamed

BOT_TOKEN = "xoxb-123-hunter2hunter2"


class FakeSlack:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.posted: list[tuple[str, dict[str, Any]]] = []
        """Address and body of what webhooks were sent."""
        self.tokens: set[str] = set()
        self.faults: dict[str, list[httpx.Response | Exception]] = {}
        self.meanwhile: Callable[[], Any] | None = None
        """What happens elsewhere while Slack takes the next message."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        if request.url.host == "hooks.slack.com":
            self.posted.append((str(request.url), json.loads(request.content)))
            return streamed(httpx.Response(200, text="ok"))
        method = request.url.path.removeprefix("/api/")
        self.tokens.add(request.headers["authorization"])
        faults = self.faults.get(method)
        if faults:
            fault = faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return streamed(fault)
        body = json.loads(request.content)
        self.calls.append((method, body))
        if self.meanwhile is not None:
            happen, self.meanwhile = self.meanwhile, None
            happen()
        if method == "auth.test":
            return streamed(httpx.Response(200, json={"ok": True, "user": "ferryman"}))
        timestamp = f"1503435956.{len(self.calls):06}"
        return streamed(httpx.Response(200, json={"ok": True, "channel": body["channel"], "ts": timestamp}))
