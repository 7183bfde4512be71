"""Slots of one destination: each is taken once, whoever asks, and none while the destination asked to be left alone."""

from datetime import timedelta

import pytest

from ferryman.store import paces
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock
from unit.fakes.dynamodb import TABLE, FakeDynamoDb

SECOND = timedelta(seconds=1)
LATER = timedelta(minutes=1)


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> Store:
    client = request.getfixturevalue("dynamodb") if request.param == "moto" else FakeDynamoDb()
    return Store(client, TABLE)


def test_slots_follow_each_other_up_to_a_limit(store: Store, clock: FakeClock) -> None:
    start = clock()
    slots = [paces.reserve(store, "x", SECOND, clock=clock, until=start + 2 * SECOND) for _ in range(5)]
    assert slots == [start, start + SECOND, start + 2 * SECOND, None, None]
    assert paces.reserve(store, "y", SECOND, clock=clock, until=start) == start
    clock.forward(minutes=1)
    assert paces.reserve(store, "x", SECOND, clock=clock, until=clock()) == clock()


def test_without_an_interval_nothing_is_taken(store: Store, clock: FakeClock) -> None:
    assert [paces.reserve(store, "x", timedelta(), clock=clock, until=clock()) for _ in range(3)] == [clock()] * 3
    assert store.pace("x") is None


def test_a_hold_moves_slots_back_and_makes_earlier_ones_void(store: Store, clock: FakeClock) -> None:
    slot = paces.reserve(store, "x", SECOND, clock=clock, until=clock() + LATER)
    until = clock() + 30 * SECOND
    paces.hold(store, "x", until)
    paces.hold(store, "x", until - 10 * SECOND)
    assert slot is not None
    assert paces.is_held(store, "x", slot)
    assert paces.reserve(store, "x", SECOND, clock=clock, until=clock() + LATER) == until
    assert not paces.is_held(store, "x", until)
    assert paces.reserve(store, "x", timedelta(), clock=clock, until=until) is None


def test_who_is_slower_gets_the_next_slot(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.store.table.time.sleep", lambda seconds: None)
    real, taken = store.pace, []

    def read(destination: str) -> object:
        found = real(destination)
        if not taken:
            taken.append(True)
            taken[:] = [paces.reserve(store, destination, SECOND, clock=clock, until=clock() + LATER)]
        return found

    monkeypatch.setattr(store, "pace", read)
    assert paces.reserve(store, "x", SECOND, clock=clock, until=clock() + LATER) == clock() + SECOND
    assert taken == [clock()]
