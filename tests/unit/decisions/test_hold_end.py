"""A hold with an end is lifted by reconcile, not by the clock alone; people are reminded of one every day."""

from datetime import timedelta

import pytest

from ferryman.decisions.actions import LiftHold, RemindHold, RequeueAfter, Start
from ferryman.decisions.decide import decide
from ferryman.decisions.hold_end import due, looked_at_again
from ferryman.records import EnvironmentState, Hold
from unit import builders as make
from unit.decisions.situations import NOW, active, acts, changed, idle

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def held(**changes: object) -> EnvironmentState:
    return idle(1, hold=Hold(reason="audit", who="ada", at=NOW - MINUTE).but(**changes)).state


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(held(), None, id="no-end"),
        pytest.param(held(until=NOW + MINUTE), None, id="not-yet"),
        pytest.param(held(until=NOW), LiftHold(), id="over"),
        pytest.param(held(at=NOW - DAY), RemindHold(), id="a-day-old"),
        pytest.param(held(at=NOW - DAY + MINUTE), None, id="almost-a-day-old"),
        pytest.param(held(at=NOW - 3 * DAY, reminded_at=NOW - DAY + MINUTE), None, id="reminded"),
        pytest.param(held(at=NOW - 3 * DAY, reminded_at=NOW - DAY), RemindHold(), id="another-day"),
        pytest.param(held(at=NOW - 3 * DAY, until=NOW), LiftHold(), id="no-reminder-of-what-ends"),
        pytest.param(idle(1).state, None, id="no-hold"),
    ],
)
def test_what_is_due(state: EnvironmentState, expected: object) -> None:
    assert due(state, NOW) == expected


def test_what_is_over_still_holds_until_it_is_lifted() -> None:
    """Everybody reads the state: as long as it says that there is a hold, nothing starts."""
    over = idle(1, 2, hold=Hold(reason="audit", who="ada", at=NOW - MINUTE, until=NOW - MINUTE))
    assert decide(over, NOW) == [LiftHold()]
    assert isinstance(acts(changed(over, hold=None))[0], Start)


def test_its_end_is_looked_at_in_time() -> None:
    assert acts(idle(1, 2, hold=held(until=NOW + MINUTE).hold)) == [RequeueAfter(60)]
    assert looked_at_again(held(), NOW) is None


def test_a_running_deployment_keeps_no_hold_alive() -> None:
    assert decide(active(make.deployment(), hold=held(until=NOW).hold), NOW) == [LiftHold()]
