"""Disturbances: what becomes of an event, and how they compose."""

from ferryman_local.relay.disturb import Disturbance, Disturbances, Kind
from ferryman_local.relay.events import Event


def event(number: int) -> Event:
    return {"id": str(number)}


def numbers(outcomes: list) -> list[str]:
    return [outcome.event["id"] for outcome in outcomes]


def disturbed(*kinds: tuple[Kind, int | None, float]) -> Disturbances:
    all_of_them = Disturbances()
    for kind, times, seconds in kinds:
        all_of_them.add(Disturbance(kind, lambda _: True, times, seconds))
    return all_of_them


def test_without_any_an_event_passes() -> None:
    outcome = Disturbances().apply(event(1))

    assert outcome is not None
    assert (outcome.copies, outcome.delay) == (1, 0.0)


def test_drop_ends_after_its_times() -> None:
    disturbances = disturbed(("drop", 2, 0.0))

    assert [disturbances.apply(event(n)) is None for n in range(4)] == [True, True, False, False]


def test_only_what_matches_is_disturbed() -> None:
    disturbances = Disturbances()
    drop = disturbances.add(Disturbance("drop", lambda e: e["id"] == "2", None, 0.0))

    assert [disturbances.apply(event(n)) is None for n in (1, 2, 3, 2)] == [False, True, False, True]
    assert drop.hits == 2


def test_duplicate_and_delay_compose() -> None:
    outcome = disturbed(("duplicate", None, 0.0), ("delay", None, 0.5), ("duplicate", None, 0.0)).apply(event(1))

    assert outcome is not None
    assert (outcome.copies, outcome.delay) == (3, 0.5)


def test_reorder_gives_its_batch_up_reversed_and_ends() -> None:
    disturbances = disturbed(("reorder", None, 0.0))
    assert [disturbances.apply(event(n)) for n in (1, 2, 3)] == [None, None, None]

    assert numbers(disturbances.release()) == ["3", "2", "1"]
    assert disturbances.apply(event(4)) is not None


def test_hold_keeps_the_order_and_what_was_done_before_it() -> None:
    disturbances = disturbed(("duplicate", None, 0.0), ("hold", 2, 0.0))
    assert [disturbances.apply(event(n)) is None for n in (1, 2, 3)] == [True, True, False]

    freed = disturbances.release()

    assert numbers(freed) == ["1", "2"]
    assert [outcome.copies for outcome in freed] == [2, 2]


def test_one_can_be_released_alone_and_one_removed() -> None:
    disturbances = Disturbances()
    odd = disturbances.add(Disturbance("hold", lambda e: int(e["id"]) % 2 == 1, None, 0.0))
    even = disturbances.add(Disturbance("hold", lambda e: int(e["id"]) % 2 == 0, None, 0.0))
    for n in (1, 2, 3):
        disturbances.apply(event(n))

    assert numbers(disturbances.release(odd)) == ["1", "3"]
    even.remove()
    assert disturbances.apply(event(4)) is not None
    assert numbers(disturbances.clear()) == ["2"]
