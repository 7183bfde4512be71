"""What a person starts by hand is recorded with who it was, also when it is refused."""

from typing import Any

import pytest

from ferryman.errors import Conflict
from ferryman.records import (
    Actor,
)
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.api_world import JO, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.starting import (
    A,
    B,
    C,
    D,
    ask,
    release,
    running,
    state,
)


@pytest.fixture
def document(scr_document: dict[str, Any]) -> dict[str, Any]:
    return scr_document


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(document)
    world.put(*(release(version) for version in (A, B, C, D)))
    return world


def test_a_refusal_that_cannot_be_recorded_is_still_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(running())

    def conflict(*writes: Any) -> None:
        raise Conflict("somebody else wrote first")

    monkeypatch.setattr(world.store, "write", conflict)

    assert "--confirm DEPLOY" in ask(world, "deploy", release=D, confirm="x")[1]["error"]["message"]


def test_the_actor_of_the_deployment_is_the_person(world: World) -> None:
    """What the wish says is what reconcile claims with: the ARN, as AWS told it."""
    world.put(running())
    ask(world, "rollback", reason="x")
    wish = state(world).requested
    assert wish is not None
    assert Actor(who=wish.who) == Actor(who=JO, automated=False)
    assert Save(state(world)).record == state(world)
