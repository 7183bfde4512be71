"""A person's hold, and its end: recorded once, with who and why."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Hold
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, KIM, World, idle
from unit.controlled import BAD, HOLD, RUNNING
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(make.release(RUNNING, first_seen_at=make.AT - timedelta(hours=1)), make.release(BAD))
    return world


class TestHold:
    def test_is_recorded_with_who_when_and_why(self, world: World) -> None:
        status, body = world.ask("hold", {"reason": " load test "})

        assert (status, body["changed"]) == (200, True)
        assert world.state.hold == Hold(reason="load test", who=JO, at=world.clock.at)
        assert world.timeline() == [("Held", JO)]

    def test_twice_keeps_the_first(self, world: World) -> None:
        world.ask("hold", {"reason": "load test"})
        status, body = world.ask("hold", {"reason": "other"}, who=KIM)

        assert (status, body["changed"]) == (200, False)
        assert body["message"] == "staging was already put on hold by jo: load test"
        assert world.state.hold is not None
        assert world.state.hold.reason == "load test"
        assert world.timeline() == [("Held", JO)]

    @pytest.mark.parametrize(
        ("first", "second", "wins"),
        [
            pytest.param(1, None, True, id="without-an-end"),
            pytest.param(1, 2, True, id="a-later-end"),
            pytest.param(2, 2, False, id="the-same-end"),
            pytest.param(2, 1, False, id="an-earlier-end"),
            pytest.param(None, 2, False, id="no-end-before"),
        ],
    )
    def test_the_longer_one_counts(self, world: World, first: int | None, second: int | None, *, wins: bool) -> None:
        def lasting(days: int | None, reason: str) -> dict[str, Any]:
            until = (world.clock.at + timedelta(days=days)).isoformat() if days is not None else None
            return {"reason": reason, "until": until}

        world.ask("hold", lasting(first, "load test"))
        before = world.state.hold
        _, body = world.ask("hold", lasting(second, "incident"), who=KIM)

        hold = world.state.hold
        assert hold is not None
        assert body["changed"] is wins
        if wins:
            assert (hold.who, hold.reason) == (KIM, "incident (previously put on hold by jo: load test)")
            assert hold.until == (world.clock.at + timedelta(days=second) if second is not None else None)
            assert world.timeline() == [("Held", JO), ("Held", KIM)]
        else:
            assert hold == before

    def test_is_announced_once(self, world: World) -> None:
        world.ask("hold", {"reason": "load test"})
        world.ask("hold", {"reason": "load test"})

        sent = world.store.unsent()
        assert {message.channel for message in sent} == set(world.store.platform("scr").document["spec"]["channels"])
        assert len(sent) == 2
        assert all(
            "load test" in message.text and "(set by jo)" in message.text and JO not in message.text for message in sent
        )

    @pytest.mark.parametrize(
        "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 7}, {"reason": "x", "foo": 1}, []]
    )
    def test_needs_a_reason_and_nothing_else(self, world: World, body: Any) -> None:
        status, answer = world.call("POST", f"{ENV}/hold", body)

        assert (status, answer["error"]["code"]) == (422, "InvalidRequest")
        assert world.state.hold is None


class TestResume:
    def test_lifts_and_nudges(self, world: World) -> None:
        world.put(idle(hold=HOLD))

        status, body = world.ask("resume")

        assert (status, body["changed"], world.state.hold) == (200, True, None)
        assert (world.timeline(), world.outside.nudged) == ([("Resumed", JO)], [("scr", "staging")])

    def test_of_what_is_not_held_changes_nothing(self, world: World) -> None:
        status, body = world.ask("resume")

        assert (status, body["changed"], body["message"]) == (200, False, "staging was not on hold")
        assert world.timeline() == []

    def test_holds_even_when_nobody_can_be_nudged(self, world: World) -> None:
        world.put(idle(hold=HOLD))
        world.outside.down = True

        assert world.ask("resume")[0] == 200
        assert world.state.hold is None
