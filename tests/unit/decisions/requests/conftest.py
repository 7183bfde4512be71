"""A platform with four releases, for what people ask of it."""

from typing import Any

import pytest

from ferryman.store.table import Store
from unit.api_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.starting import A, B, C, D, release


@pytest.fixture
def document(scr_document: dict[str, Any]) -> dict[str, Any]:
    return scr_document


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(document)
    world.put(*(release(version) for version in (A, B, C, D)))
    return world
