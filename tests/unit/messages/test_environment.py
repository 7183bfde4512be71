"""What people are told of an environment: a hold and a freeze, why, and how they end."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.freeze_windows import Frozen
from ferryman.messages import environment
from ferryman.messages.environment import for_hold, for_hold_reminder, for_resume, for_thaw
from ferryman.messages.outbox import SUBJECT_LIMIT
from ferryman.records import (
    Freeze,
    Hold,
)
from unit import builders as make
from unit.messages.rows import AT, only


@pytest.mark.parametrize("until", [None, make.AT + timedelta(days=1)])
def test_a_freeze(until: Any) -> None:
    freeze = Freeze(reason="fair\nin Basel", who="jo", at=make.AT, until=until)
    rows = environment.for_freeze("scr", "production", freeze, ["team", "team", "ops"], make.AT)
    assert [row.record.channel for row in rows] == ["team", "ops"]  # type: ignore[union-attr]
    message: Any = rows[0].record
    assert "fair in Basel" in message.text
    assert "To end it now, run `ferryman thaw production -p scr`" in message.text
    assert ("Sat 2026-01-03 03:04 UTC" in message.subject) == (until is not None)
    assert len(message.subject) <= SUBJECT_LIMIT


def test_hold() -> None:
    message = only(for_hold("scr", "staging", Hold(reason="the rollback failed", who="anna", at=AT), ["team"], AT))
    assert "the rollback failed (set by anna)" in message.text
    assert "`ferryman resume staging -p scr`" in message.text
    assert "until a person resumes it" in message.subject


def test_a_hold_that_ends_says_when() -> None:
    hold = Hold(reason="load test", who="anna", at=AT, until=AT + timedelta(days=1))
    message = only(for_hold("scr", "staging", hold, ["team"], AT))
    assert message.subject.endswith(f"on hold until {hold.until:%a %Y-%m-%d %H:%M} UTC")
    assert f"The hold ends by itself at {hold.until:%a %Y-%m-%d %H:%M} UTC. To lift it now, run" in message.text


def test_a_reminder_of_a_hold_is_another_message_every_day() -> None:
    hold = Hold(reason="load test", who="anna", at=AT)
    rows = [only(for_hold_reminder("scr", "staging", hold, ["team"], AT + timedelta(days=day))) for day in (1, 2)]
    assert "has been on hold for" in rows[0].subject
    assert "load test (set by anna)" in rows[0].text
    first = only(for_hold("scr", "staging", hold, ["team"], AT))
    assert len({first.event, *(row.event for row in rows)}) == 3


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("jo", "jo lifted the hold of anna: load test"),
        (None, "The hold ended by itself. It was set by anna: load test"),
    ],
)
def test_a_resume_is_told_as_a_hold_is(who: str | None, told: str) -> None:
    hold = Hold(reason="load test", who="anna", at=AT)
    message = only(for_resume("scr", "staging", hold, who, ["team"], AT))
    assert message.subject == "[Resumed] scr/staging: automation continues"
    assert told in message.text


def test_a_thaw_is_told_as_a_freeze_is() -> None:
    freeze = Freeze(reason="fair", who="jo", at=make.AT)
    message = only(for_thaw("scr", "production", freeze, "anna", None, ["team"], AT))
    assert message.subject == "[Thawed] scr/production: deployments can start again"
    assert "anna ended the freeze of scr/production. Releases that are waiting start now." in message.text
    still = Frozen("FreezeWindow", "frozen until Monday: freeze window weekend", None)
    message = only(for_thaw("scr", "production", freeze, "anna", still, ["team"], AT))
    assert message.subject.endswith("still frozen by the document")
    assert "frozen until Monday" in message.text
