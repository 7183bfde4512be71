"""Asking notify about the channels: its answer, its failure, and never twice."""

import io
import json
from typing import Any

import pytest

from ferryman.clients import channel_probe
from ferryman.errors import Unavailable


class Lambda:
    def __init__(self, answer: Any, *, failed: bool = False) -> None:
        self.answer, self.failed = answer, failed
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        payload = io.BytesIO(json.dumps(self.answer).encode())
        return {"Payload": payload, **({"FunctionError": "Unhandled"} if self.failed else {})}


def test_returns_what_notify_found() -> None:
    found = [{"name": "team", "kind": "slack", "works": True, "message": "hello"}]
    client: Any = Lambda({"sent": 0, "probed": found})
    assert channel_probe.ask(client, "notify", "scr", send=True) == found
    (call,) = client.calls
    assert json.loads(call["Payload"]) == {"probe": {"platform": "scr", "send": True}}
    assert call["FunctionName"] == "notify"


def test_a_failure_of_notify_is_told() -> None:
    client: Any = Lambda({"errorType": "KeyError", "errorMessage": "x"}, failed=True)
    with pytest.raises(Unavailable, match="notify failed with KeyError: x"):
        channel_probe.ask(client, "notify", "scr", send=False)
