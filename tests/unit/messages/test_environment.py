"""What people are told of an environment: a hold and a freeze, why, and how they end."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.messages import environment
from ferryman.messages.environment import for_hold
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
