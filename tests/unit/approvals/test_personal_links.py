"""Asking for a personal link: idempotent, rate-limited, and telling nothing about who is an approver."""

from typing import Any

import pytest

from ferryman.approvals.personal_links import MOST, ask_for_link
from unit.approving import ADA, GRACE, ID, World

GRACE_MAIL = "grace@scr-platform.example"


@pytest.fixture
def world() -> World:
    return World().asked()


def ask(world: World, mail: str = GRACE_MAIL, id: str = ID) -> None:
    answer: Any = ask_for_link(world.store, id, mail, world.clock, world.new_id, source="203.0.113.7, Browser")  # type: ignore[func-returns-value]
    assert answer is None


def links(world: World) -> list[tuple[str, str]]:
    return sorted(item for item in world.queued() if item[0].startswith("link-"))


@pytest.mark.parametrize("mail", [GRACE_MAIL, " Grace@SCR-platform.example "])
def test_an_approver_gets_a_mail(world: World, mail: str) -> None:
    ask(world, mail)
    assert links(world) == [("link-1", f"approver/{GRACE}")]
    line = world.store.timeline(ID)[-1]
    assert str(line.type) == "ApprovalLinkSent"
    assert line.detail == {"name": GRACE, "source": "203.0.113.7, Browser"}


@pytest.mark.parametrize(
    "mail", ["", " ", "nobody@scr-platform.example", GRACE, "grace@scr-platform.example, x@y", "x" * 100_000]
)
def test_anybody_else_gets_nothing_and_learns_nothing(world: World, mail: str) -> None:
    before = world.table.writes
    ask(world, mail)
    assert world.table.writes == before


def test_as_many_round_trips_whoever_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("get_item", "query", "transact_write_items"):
        real = getattr(world.table, name)
        monkeypatch.setattr(
            world.table, name, lambda real=real, name=name, **what: (calls.append(name), real(**what))[1]
        )
    found = []
    for mail in ("nobody@scr-platform.example", GRACE_MAIL, GRACE_MAIL):
        calls.clear()
        ask(world, mail)
        found.append(list(calls))
    assert found[0] == found[2] == ["get_item"] * 2
    assert found[1] == ["get_item", "transact_write_items"]


def test_asking_twice_counts_once_and_again_after_a_pause(world: World) -> None:
    for _ in range(3):
        ask(world)
    assert len(links(world)) == 1
    world.clock.forward(minutes=4, seconds=59)
    ask(world)
    assert len(links(world)) == 1
    world.clock.forward(seconds=1)
    ask(world)
    assert [event for event, _ in links(world)] == ["link-1", "link-2"]


def test_each_approver_has_their_own_limit(world: World) -> None:
    ask(world)
    ask(world, "ada@scr-platform.example")
    assert links(world) == [("link-1", f"approver/{ADA}"), ("link-1", f"approver/{GRACE}")]


def test_there_is_an_end_to_it(world: World) -> None:
    for _ in range(MOST + 5):
        ask(world)
        world.clock.forward(minutes=5)
    assert len(links(world)) == MOST


def test_two_at_once_send_one(world: World) -> None:
    world.table.meanwhile = [lambda: ask(world)]
    ask(world)
    assert len(links(world)) == 1
    assert world.approval.links_sent == {GRACE: 1}


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda world: world.decide(), id="decided"),
        pytest.param(lambda world: world.end(), id="superseded"),
        pytest.param(lambda world: world.clock.forward(hours=24), id="expired"),
    ],
)
def test_none_once_it_is_over(world: World, act: Any) -> None:
    act(world)
    ask(world)
    assert not links(world)


def test_of_an_unknown_approval_is_answered_alike(world: World) -> None:
    ask(world, id="unknown")
    assert not links(world)


def test_a_crash_leaves_nothing_behind(world: World) -> None:
    def crash() -> None:
        raise RuntimeError("out of memory")

    world.table.meanwhile = [crash]
    with pytest.raises(RuntimeError):
        ask(world)
    assert not world.approval.links_asked
    ask(world)
    assert len(links(world)) == 1
