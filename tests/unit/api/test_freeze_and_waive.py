"""A freeze through the API is written on what is there when it is written."""

from typing import Any

import pytest

from ferryman.store.table import Store
from unit.api_world import JO, World, idle
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    return world


def test_somebody_writes_between_reading_and_writing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(idle())
    read = world.store.state

    def read_then_write(*args: Any) -> Any:
        monkeypatch.undo()
        before = read(*args)
        world.put(before.but(tagged="x"))
        return before

    monkeypatch.setattr(world.store, "state", read_then_write)

    assert world.ask("freeze", {"reason": "fair"})[1]["changed"] is True
    assert world.state.tagged == "x"
    assert world.timeline() == [("Frozen", JO)]
