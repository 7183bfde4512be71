"""Looks are queued ten at a time, and whoever asks learns which of them SQS took."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.nudge import Looks
from ferryman.controller.events import Key
from ferryman.errors import Throttled

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
PLACES = [("scr", ""), ("scr", "staging"), ("", "")]


class Sqs:
    def __init__(self, *failed: str, error: str = "") -> None:
        self.failed, self.error = failed, error
        self.requests: list[dict[str, Any]] = []

    def send_message_batch(self, **request: Any) -> Any:
        self.requests.append(request)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, "SendMessageBatch")
        return {"Failed": [{"Id": name, "Code": "InternalError", "SenderFault": False} for name in self.failed]}


def looks(sqs: Sqs) -> Looks:
    return Looks(sqs, lambda: "https://sqs.example/looks")  # type: ignore[arg-type]


def test_each_look_is_a_message_that_reconcile_reads() -> None:
    sqs = Sqs()

    assert looks(sqs).queue(PLACES, AT) == PLACES

    [request] = sqs.requests
    assert request["QueueUrl"] == "https://sqs.example/looks"
    read = [Key.model_validate_json(entry["MessageBody"]) for entry in request["Entries"]]
    assert [(key.platform, key.environment, key.queued_at) for key in read] == [(*place, AT) for place in PLACES]
    assert len({entry["Id"] for entry in request["Entries"]}) == 3


def test_what_sqs_did_not_take_is_left_out() -> None:
    assert looks(Sqs("1")).queue(PLACES, AT) == [PLACES[0], PLACES[2]]


def test_a_throttled_batch_is_told_as_such() -> None:
    with pytest.raises(Throttled):
        looks(Sqs(error="ThrottlingException")).queue(PLACES, AT)


def test_the_address_of_the_queue_is_asked_for_when_something_is_queued() -> None:
    """While a stack is updated, a function may have its new code before its new settings: nudges go on."""

    def missing() -> str:
        raise KeyError("LOOKS_URL")

    queue = Looks(Sqs(), missing)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        queue.queue(PLACES, AT)


def test_a_nudge_is_no_look() -> None:
    key = Key.model_validate_json(json.dumps({"platform": "scr", "environment": "staging"}))

    assert key.queued_at is None
