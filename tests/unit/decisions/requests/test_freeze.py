"""Freezing and thawing an environment: recorded, announced, until a moment or until a person says so."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Freeze
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, KIM, World, idle
from unit.fakes.clock import FakeClock, FakeIds

WINDOWS = {"timeZone": "Europe/Berlin", "windows": [{"name": "all-week", "weekly": "Mon 00:00 - Sun 23:59"}]}


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    return world


def windows(world: World) -> None:
    applied = world.store.platform("scr")
    staging = {**applied.document["spec"]["environments"]["staging"], "freeze": WINDOWS}
    spec = {**applied.document["spec"], "environments": {"staging": staging}}
    world.put(applied.but(document={**applied.document, "spec": spec}))


class TestFreeze:
    def test_is_recorded_and_announced(self, world: World) -> None:
        status, body = world.ask("freeze", {"reason": " fair in Basel "})

        assert (status, body["changed"]) == (200, True)
        assert world.state.freeze == Freeze(reason="fair in Basel", who=JO, at=world.clock.at)
        assert (world.timeline(), world.outside.nudged) == ([("Frozen", JO)], [("scr", "staging")])
        sent = world.store.unsent()
        assert {message.channel for message in sent} == {"team", "ops-mail"}
        assert all("fair in Basel" in message.text and "ferryman thaw staging" in message.text for message in sent)

    def test_until_a_moment(self, world: World) -> None:
        """Given in any zone, kept in UTC."""
        status, body = world.ask("freeze", {"reason": "fair", "until": "2026-01-02T18:00:00+01:00"})

        assert (status, "frozen by jo until Fri 2026-01-02 17:00 UTC" in body["message"]) == (200, True), body
        assert world.state.freeze is not None
        assert world.state.freeze.dump()["until"] == "2026-01-02T17:00:00Z"
        assert all("until Fri 2026-01-02 17:00 UTC" in message.subject for message in world.store.unsent())

    def test_twice_freezes_once(self, world: World) -> None:
        world.ask("freeze", {"reason": "fair"})
        status, body = world.ask("freeze", {"reason": "fair"}, who=KIM)

        assert (status, body["changed"]) == (200, False)
        assert world.timeline() == [("Frozen", JO)]

    def test_another_one_takes_its_place_and_says_so(self, world: World) -> None:
        world.ask("freeze", {"reason": "fair"})
        _, body = world.ask("freeze", {"reason": "fair", "until": "2026-02-01T00:00:00Z"}, who=KIM)

        assert "instead of jo: fair" in body["message"]
        assert world.state.freeze is not None
        assert world.state.freeze.who == KIM

    def test_one_that_ended_is_not_mentioned(self, world: World) -> None:
        old = Freeze(reason="fair", who=KIM, at=make.AT - timedelta(days=2), until=make.AT - timedelta(days=1))
        world.put(idle(freeze=old))

        _, body = world.ask("freeze", {"reason": "fair"})

        assert (body["changed"], "instead" in body["message"]) == (True, False)

    def test_leaves_what_is_under_way(self, world: World) -> None:
        world.put(make.state(), make.deployment())

        _, body = world.ask("freeze", {"reason": "fair"})

        assert "continues if it is already admitted" in body["message"]
        assert world.outside.woken == []

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            pytest.param({"reason": "x", "until": "2026-01-02T03:04:05Z"}, 409, id="until-now"),
            pytest.param({"reason": "x", "until": "2025-01-01T00:00:00Z"}, 409, id="until-the-past"),
            pytest.param({"reason": "x", "until": "2026-02-01T00:00:00"}, 422, id="no-zone"),
            pytest.param({"reason": "x", "until": "tomorrow"}, 422, id="no-moment"),
            pytest.param({"reason": ""}, 422, id="no-reason"),
            pytest.param({}, 422, id="nothing"),
        ],
    )
    def test_is_refused(self, world: World, body: dict[str, Any], status: int) -> None:
        found, _ = world.ask("freeze", body)

        assert (found, world.state.freeze, world.store.unsent()) == (status, None, [])


class TestThaw:
    def test_lifts_and_nudges(self, world: World) -> None:
        world.ask("freeze", {"reason": "fair"})
        status, body = world.ask("thaw", who=KIM)

        assert (status, body["changed"], world.state.freeze) == (200, True, None)
        assert "no longer frozen by jo (fair)" in body["message"]
        assert world.timeline()[-1] == ("Thawed", KIM)

    def test_says_when_the_document_still_freezes(self, world: World) -> None:
        windows(world)
        world.put(idle(freeze=Freeze(reason="fair", who=JO, at=make.AT)))

        _, body = world.ask("thaw")

        assert (world.state.freeze, "the document's windows still apply: frozen" in body["message"]) == (None, True)

    @pytest.mark.parametrize("frozen", [False, True], ids=["open", "by-the-document"])
    def test_of_what_nobody_froze_changes_nothing(self, world: World, frozen: bool) -> None:
        if frozen:
            windows(world)

        status, body = world.ask("thaw")

        assert (status, body["changed"], world.timeline()) == (200, False, [])
        assert ("all-week" in body["message"]) == frozen
