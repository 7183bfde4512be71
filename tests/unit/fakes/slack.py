"""Slack's Web API behind httpx.MockTransport, with failures on order. It keeps every call."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from unit.fakes.github import streamed

BOT_TOKEN = "xoxb-123-hunter2hunter2"


class FakeSlack:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens: set[str] = set()
        self.faults: dict[str, list[httpx.Response | Exception]] = {}
        self.meanwhile: Callable[[], Any] | None = None
        """What happens elsewhere while Slack takes the next message."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.removeprefix("/api/")
        assert request.method == "POST"
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
        timestamp = f"1503435956.{len(self.calls):06}"
        return streamed(httpx.Response(200, json={"ok": True, "channel": body["channel"], "ts": timestamp}))
