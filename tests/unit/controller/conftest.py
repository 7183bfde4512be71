"""What most tests of the reconcile loop begin with."""

import pytest

from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    """An operator with one platform, applied, whose services run."""
    world = World(store, clock, new_id)
    world.run_services()
    world.apply()
    return world
