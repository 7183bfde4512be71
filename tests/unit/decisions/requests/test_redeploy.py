"""A person asks for what runs to be deployed once more."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Running
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, World, idle
from unit.controlled import ACTIVE, BAD, HOLD, RUNNING
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(make.release(RUNNING, first_seen_at=make.AT - timedelta(hours=1)), make.release(BAD))
    return world


class TestRedeploy:
    def test_asks_for_what_runs(self, world: World) -> None:
        world.put(idle())

        status, body = world.ask("redeploy", {"reason": "new base"})

        assert (status, body["version"]) == (200, RUNNING)
        assert world.state.requested is not None
        assert world.state.requested.kind == "redeploy"
        assert world.timeline() == [("RedeployRequested", JO)]

    def test_leaves_a_hold_in_place(self, world: World) -> None:
        world.put(idle(hold=HOLD))

        assert world.ask("redeploy")[0] == 200
        assert world.state.hold == HOLD

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            pytest.param({"current": None}, "push a release first", id="nothing-runs"),
            pytest.param(
                {"current": Running(version=None, deployment=None, digests={}, at=make.AT)},
                "ferryman deploy staging --release VERSION",
                id="adopted-without-a-version",
            ),
            pytest.param({"active": ACTIVE and ACTIVE.but(version=RUNNING)}, "ferryman watch", id="under-way"),
        ],
    )
    def test_is_refused(self, world: World, state: dict[str, Any], words: str) -> None:
        world.put(idle(**state))

        status, answer = world.ask("redeploy")

        assert (status, words in answer["error"]["message"]) == (409, True)
