"""The one row that a message is queued as."""

from datetime import timedelta
from typing import Any

from ferryman.records import (
    OutboxMessage,
)
from unit import builders as make

AT = make.AT + timedelta(seconds=192)


def only(rows: list[Any]) -> OutboxMessage:
    assert len(rows) == 1
    record = rows[0].record
    assert isinstance(record, OutboxMessage)
    return record
