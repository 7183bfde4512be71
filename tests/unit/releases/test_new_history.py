"""The name of a deleted environment is used again: nothing that the former one did counts for the new one."""

import pytest

from ferryman.decisions.migration_attempts import Begin, decide_attempt
from ferryman.records import Hold, MigrationClaim, Phase, Running, Settled, Verified
from ferryman.records.writes import Remove, Save
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World, document

ENV = ("scr", "staging")


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def former(world: World, **changes: object) -> None:
    """Leave what an environment leaves that was in use and whose platform was deleted."""
    at = world.clock()
    proof = Verified(deployment="01K00000000000000000000DEP", digests={}, at=at)
    claim = MigrationClaim(
        platform="scr", environment="staging", version="abc1234", attempt=2, deployment="01K00000000000000000000DEP",
        status="Succeeded", task_definition="t", client_token="c", at=at,
    )  # fmt: skip
    state = make.state(
        active=None,
        hold=Hold(reason="a bad day", who="jo", at=at),
        settled={"abc1234": Settled(phase=Phase.ROLLED_BACK, reason="SmokeTestFailed", at=at)},
        current=Running(version="abc1234", deployment="01K00000000000000000000DEP", digests={}, at=at),
        **changes,
    )
    deployment = make.deployment(phase=Phase.SUCCEEDED, created_at=at, ended_at=at)
    release = make.release(verified={"staging": proof, "other": proof})
    world.store.write(Save(state), Save(deployment), Save(release), Save(claim))
    world.clock.forward(hours=1)


def test_the_state_begins_anew_and_its_fence_goes_on(world: World) -> None:
    former(world)
    world.apply()
    state = world.state
    assert (state.hold, state.settled, state.current, state.last_succeeded) == (None, {}, None, None)
    assert state.fence == make.FENCE
    assert state.began_at is not None
    assert make.AT < state.began_at <= (state.adopted_at or make.AT)


def test_its_deployments_stay_and_are_no_longer_its_history(world: World) -> None:
    former(world)
    world.apply()
    assert world.store.deployment(*ENV, "01K00000000000000000000DEP").version == "abc1234"
    assert world.store.deployments(*ENV, since=world.state.began_at) == []
    assert world.store.attempts_at(*ENV, limit=5, since=world.state.began_at) == ([], True)
    assert [one.id for one in world.store.deployments(*ENV)] == ["01K00000000000000000000DEP"]


def test_what_was_verified_there_is_verified_no_more(world: World) -> None:
    former(world)
    world.apply()
    release = world.store.release("scr", "abc1234")
    assert release is not None
    assert list(release.verified) == ["other"]


def test_each_release_migrates_again(world: World) -> None:
    former(world)
    world.apply()
    claims = world.store.migration_claims(*ENV, "abc1234")
    assert [claim.status for claim in claims] == ["Former"]
    assert decide_attempt(make.deployment(), make.migration(), claims) == Begin(3)


def test_an_apply_that_died_is_repeated_whole(world: World) -> None:
    former(world)
    world.apply()
    applied, first = world.store.platform("scr"), world.state.began_at
    world.store.write(Remove(applied))
    world.clock.forward(minutes=1)
    world.apply()
    assert first is not None
    assert (world.state.began_at or first) > first


def test_an_environment_that_stays_in_the_document_keeps_its_history(world: World) -> None:
    world.apply()
    world.store.write(Save(world.state.but(fence=4, hold=Hold(reason="r", who="jo", at=world.clock()))))
    data = document().dump()
    data["spec"]["environments"]["staging"]["soak"] = "1h"
    world.apply()
    assert (world.state.began_at, world.state.hold is not None) == (None, True)
