"""What a sweep queues, in which order, and what counts as overdue."""

from datetime import UTC, datetime, timedelta

import pytest

from ferryman.decisions import sweep_order
from ferryman.decisions.sweep_order import LOST_AFTER, Place
from ferryman.records import ScheduledLook

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
STAGING = ("scr", "staging")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def look(place: Place = STAGING, **fields: datetime | None) -> ScheduledLook:
    return ScheduledLook.model_validate({"platform": place[0], "environment": place[1], **fields})


def queued(*known: ScheduledLook, wanted: list[Place]) -> list[Place]:
    by_place = {(one.platform, one.environment): one for one in known}
    return [(one.platform, one.environment) for one in sweep_order.due(wanted, by_place, NOW)]


def test_every_environment_every_platform_and_all_together_have_a_place() -> None:
    found = sweep_order.places({"scr": ["staging", "production"], "empty": []})

    assert sorted(found) == [("", ""), ("empty", ""), ("scr", ""), ("scr", "production"), ("scr", "staging")]


def test_what_was_looked_at_longest_ago_comes_first_and_what_never_was_before_that() -> None:
    known = [look(("a", "x"), looked_at=ago(300)), look(("b", "x"), looked_at=ago(900))]

    assert queued(*known, wanted=[("a", "x"), ("b", "x"), ("c", "x")]) == [("c", "x"), ("b", "x"), ("a", "x")]


def test_of_what_is_new_platforms_come_before_their_environments() -> None:
    wanted = sweep_order.places({"a": ["x"], "b": ["y"]})

    assert queued(wanted=wanted) == [("a", ""), ("b", ""), ("a", "x"), ("b", "y"), ("", "")]


@pytest.mark.parametrize(
    ("since", "again"),
    [(timedelta(0), False), (LOST_AFTER - timedelta(seconds=1), False), (LOST_AFTER, True)],
    ids=["just now", "not lost yet", "lost"],
)
def test_what_is_on_its_way_is_queued_again_only_when_it_counts_as_lost(since: timedelta, again: bool) -> None:
    assert bool(queued(look(queued_at=NOW - since, due_since=NOW - since), wanted=[STAGING])) == again


def test_what_is_queued_again_has_been_due_since_the_first_time() -> None:
    known = look(queued_at=ago(1800), due_since=ago(3600))

    [again] = sweep_order.due([STAGING], {STAGING: known}, NOW)

    assert (again.queued_at, again.due_since) == (NOW, ago(3600))


def test_the_longest_that_a_look_is_due_is_overdue() -> None:
    known = {("a", "x"): look(due_since=ago(600)), ("b", "x"): look(due_since=ago(4000)), ("c", "x"): look()}

    assert sweep_order.overdue_seconds(known, known, NOW) == 4000


def test_a_removed_environment_and_one_that_is_new_are_not_overdue() -> None:
    assert sweep_order.overdue_seconds([("new", "x")], {("gone", "x"): look(due_since=ago(9999))}, NOW) == 0


@pytest.mark.parametrize(
    ("looked_at", "answered"), [(None, False), (ago(301), False), (ago(300), True), (ago(299), True)]
)
def test_a_message_is_answered_by_a_look_that_began_after_it(looked_at: datetime | None, answered: bool) -> None:
    assert sweep_order.is_answered(look(looked_at=looked_at), ago(300)) == answered


def test_a_message_without_a_record_is_not_answered() -> None:
    assert not sweep_order.is_answered(None, NOW)


def test_a_look_that_ended_is_due_no_more() -> None:
    ended = sweep_order.ended(look(queued_at=ago(300), due_since=ago(900)), queued_at=ago(300), began_at=ago(2))

    assert ended == look(looked_at=ago(2))


def test_a_message_that_was_queued_while_a_look_went_on_stays_on_its_way() -> None:
    ended = sweep_order.ended(look(queued_at=ago(1), due_since=ago(900)), queued_at=ago(900), began_at=ago(20))

    assert ended == look(looked_at=ago(20), queued_at=ago(1), due_since=ago(1))


def test_a_sweep_whose_clock_is_ahead_is_answered_too() -> None:
    ended = sweep_order.ended(look(queued_at=NOW, due_since=NOW), queued_at=NOW, began_at=ago(3))

    assert ended == look(looked_at=NOW)
    assert sweep_order.is_answered(ended, NOW)
