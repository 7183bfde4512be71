"""docs/reference/records.md against the code: the keys of every record that is stored, and when it expires."""

import inspect
import re
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from contract.machine import ROOT
from ferryman.messages import outbox, timeline
from ferryman.records import EventType, Pace, Record, ScheduledLook, Wait, WrongWords
from ferryman.records.writes import Add, Once, Save, Write
from ferryman.store import keys, paces, scheduled_looks, task_tokens
from ferryman.store.logs import add_log

PAGE = (ROOT / "docs/reference/records.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| `[A-Z]\w+` \|", line)
]
KEYS = {row[0]: row[1:] for row in ROWS}
AT = datetime(2026, 11, 30, tzinfo=UTC)


def stored(write: type[Save | Add | Once]) -> list[type[Record]]:
    found = inspect.get_annotations(write, eval_str=True)["record"]
    return list(get_args(found) or [found])


def sample(record: type[Record]) -> Record:
    """Return a record whose fields hold their own names in angle brackets; unchecked, for its key only."""
    values: dict[str, Any] = {name: f"<{name}>" for name in record.model_fields} | {"sent_at": AT, "gave_up": False}
    return record.model_construct(**{name: values[name] for name in record.model_fields} | _numbers(record))


def _numbers(record: type[Record]) -> dict[str, int]:
    return {name: 7 for name, field in record.model_fields.items() if field.annotation is int}


@pytest.mark.parametrize("record", [*stored(Save), *stored(Add), *stored(Once)], ids=lambda record: record.__name__)
def test_the_page_has_the_keys_of_every_record(record: type[Record]) -> None:
    key = keys.of(sample(record))

    number = next(iter(_numbers(record).keys() - {"rev"}), "")
    assert KEYS[record.__name__][:2] == [key["pk"], key["sk"].replace("0007", f"<{number}>")]


def test_the_page_has_no_other_records() -> None:
    assert sorted(KEYS) == sorted(record.__name__ for record in [*stored(Save), *stored(Add), *stored(Once)])


@pytest.mark.parametrize(
    "record",
    [one for one in stored(Save) if one not in (Pace, ScheduledLook, WrongWords)],
    ids=lambda record: record.__name__,
)
def test_what_changes_in_place_carries_its_revision_and_never_expires(record: type[Record]) -> None:
    assert ("rev" in record.model_fields, KEYS[record.__name__][2:]) == (True, ["in place", "never"])


def test_an_event_expires_as_the_page_says() -> None:
    event = timeline.environment_event("scr", "staging", EventType.HELD, "", at=AT, new_id=lambda: "1", who="ada")

    assert KEYS["TimelineEvent"][3] == _after(event)


def test_a_message_expires_as_the_page_says() -> None:
    [message] = outbox.rows(
        ["team"], owner="1", event="ended", platform="scr", environment=None, subject="", blocks=[], detail={}, at=AT
    )  # fmt: skip

    assert KEYS["OutboxMessage"][3] == _after(message)


def test_a_pace_expires_as_the_page_says() -> None:
    written: list[Write] = []

    class Table:
        def write(self, *writes: Write) -> None:
            written.extend(writes)

        def pace(self, destination: str) -> None:
            return None

        def attempts(self) -> list[int]:
            return [0]

    paces.hold(Table(), "slack#x", AT)  # type: ignore[arg-type]
    [saved] = written
    assert isinstance(saved, Save)

    assert "rev" in Pace.model_fields
    assert KEYS["Pace"][2:] == ["in place", _after(saved)]


def test_a_scheduled_look_expires_as_the_page_says() -> None:
    written: list[Write] = []

    class Table:
        def write(self, *writes: Write) -> None:
            written.extend(writes)

    scheduled_looks.save(Table(), [ScheduledLook(platform="scr", environment="staging", queued_at=AT)])  # type: ignore[arg-type]
    [saved] = written
    assert isinstance(saved, Save)
    assert "rev" in ScheduledLook.model_fields
    assert KEYS["ScheduledLook"][2:] == ["in place", _after(saved)]


def test_the_lines_of_a_log_expire_as_the_page_says() -> None:
    assert KEYS["StepLog"][3] == _after(add_log("1", "migration", ["one"], AT))


def test_a_wait_expires_as_the_page_says() -> None:
    written: list[Write] = []

    class Table:
        def write(self, *writes: Write) -> None:
            written.extend(writes)

    wait = Wait(
        resource="arn", platform="scr", environment="staging", deployment="1", fence=1, step="x", token="t", at=AT
    )  # fmt: skip
    task_tokens.remember(Table(), wait)  # type: ignore[arg-type]

    assert [KEYS["Wait"][3]] == [_after(write) for write in written if isinstance(write, Add)]


def _after(write: Add) -> str:
    assert write.expires_at is not None
    span = timedelta(seconds=write.expires_at - AT.timestamp())
    return f"after {span.days} days"
