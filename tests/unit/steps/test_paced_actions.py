"""Turns at ECS: who waits and for how long, and that a throttle makes everybody wait."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import UpdateServiceInput
from ferryman.decisions.action_rates import FREE, HOLD, LONGEST_QUEUE, LONGEST_WAIT, REGISTER, UPDATE
from ferryman.errors import Paced, Throttled
from ferryman.records import StepStatus, step_keys
from ferryman.steps.paced_actions import after_throttle, take_turn
from ferryman.store import paces
from ferryman.store.table import Store
from unit import builders as make
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb

NAMES = [f"s-{number}" for number in range(40)]
WIDE = make.deployment(plan=make.plan(waves=[NAMES], services={name: make.planned(name) for name in NAMES}))


@pytest.fixture
def store() -> Store:
    return Store(FakeDynamoDb(), TABLE)


def event(slot: str | None = "", service: str = "s-0", direction: Any = "forward") -> UpdateServiceInput:
    return UpdateServiceInput(
        platform="scr", environment="staging", deployment="D", fence=1, service=service, direction=direction, slot=slot
    )


def waits(store: Store, clock: FakeClock, **how: Any) -> int:
    """Return for how many seconds a service has to wait."""
    try:
        take_turn(event(**how), WIDE, store, clock)
    except Paced as error:
        return error.seconds
    return 0


def test_a_burst_goes_ahead_and_then_one_follows_the_other(store: Store, clock: FakeClock) -> None:
    found = [waits(store, clock) for _ in range(REGISTER.burst + 4)]
    # A slot of the next second is as good as now.
    assert found == [0] * (REGISTER.burst + 1) + [2, 3, 4]
    clock.forward(minutes=1)
    assert [waits(store, clock) for _ in range(3)] == [0, 0, 0]


def test_the_way_back_takes_other_slots(store: Store, clock: FakeClock) -> None:
    for _ in range(REGISTER.burst + 10):
        waits(store, clock)
    assert [waits(store, clock, direction="back") for _ in range(UPDATE.burst)] == [0] * UPDATE.burst


def test_who_comes_back_with_a_slot_takes_no_other(store: Store, clock: FakeClock) -> None:
    for _ in range(REGISTER.burst + 10):
        waits(store, clock)
    with pytest.raises(Paced) as caught:
        take_turn(event(), WIDE, store, clock)
    before = store.pace(REGISTER.destination)
    assert waits(store, clock, slot=caught.value.slot) == caught.value.seconds
    clock.forward(seconds=caught.value.seconds)
    assert waits(store, clock, slot=caught.value.slot) == 0
    assert store.pace(REGISTER.destination) == before


@pytest.mark.parametrize("skew", [-2, 2])
def test_a_clock_that_is_wrong_shifts_a_slot_by_no_more(store: Store, clock: FakeClock, skew: int) -> None:
    for _ in range(REGISTER.burst + 10):
        waits(store, clock)
    wrong = FakeClock()
    wrong.forward(seconds=skew)
    right, other = waits(store, clock), waits(store, wrong)
    assert abs(right + 1 - skew - other) <= 1


def test_a_long_wait_is_cut_so_that_an_abort_is_noticed(store: Store, clock: FakeClock) -> None:
    for _ in range(400):
        waits(store, clock)
    with pytest.raises(Paced) as caught:
        take_turn(event(), WIDE, store, clock)
    assert caught.value.seconds == LONGEST_WAIT.total_seconds()
    assert int(caught.value.slot) > clock().timestamp() + caught.value.seconds


def test_where_no_slot_is_near_none_is_taken(store: Store, clock: FakeClock) -> None:
    paces.hold(store, REGISTER.destination, clock() + LONGEST_QUEUE + timedelta(minutes=1))
    before = store.pace(REGISTER.destination)
    with pytest.raises(Paced) as caught:
        take_turn(event(), WIDE, store, clock)
    assert (caught.value.slot, caught.value.seconds) == ("", LONGEST_WAIT.total_seconds())
    assert store.pace(REGISTER.destination) == before


def test_a_machine_that_cannot_wait_goes_ahead(store: Store, clock: FakeClock) -> None:
    assert [waits(store, clock, slot=None) for _ in range(50)] == [0] * 50
    after_throttle(throttle(), event(slot=None), store, clock)
    assert store.pace(REGISTER.destination) is None


def throttle(operation: str = "RegisterTaskDefinition") -> Throttled:
    error = Throttled("slow down")
    error.operation = operation
    return error


def test_after_a_throttle_everybody_waits_and_there_is_no_burst(store: Store, clock: FakeClock) -> None:
    with pytest.raises(Paced) as caught:
        after_throttle(throttle(), event(), store, clock)
    assert caught.value.seconds == HOLD.total_seconds()
    hold = round(HOLD.total_seconds())
    assert [waits(store, clock) for _ in range(3)] == [hold + 1, hold + 2, hold + 3]
    assert waits(store, clock, direction="back") == 0


def test_a_throttle_of_another_call_is_not_ours(store: Store, clock: FakeClock) -> None:
    after_throttle(throttle("DescribeServices"), event(), store, clock)
    assert store.pace(REGISTER.destination) is None


def test_a_slot_that_a_dead_lambda_took_is_lost_and_nothing_else(store: Store, clock: FakeClock) -> None:
    for _ in range(REGISTER.burst + 5):
        waits(store, clock)
    first = waits(store, clock)  # It dies here; the machine calls again without a slot.
    assert waits(store, clock) == first + 1


# ── in the step ──


@pytest.fixture
def world(dynamodb: Any, clock: FakeClock, new_id: FakeIds) -> World:
    return World(Store(dynamodb, TABLE), clock, new_id)


@pytest.mark.parametrize("operation", ["register_task_definition", "update_service"])
def test_a_throttled_update_waits_and_goes_on_where_it_was(world: World, operation: str) -> None:
    """Also in a deployment that is small, and takes no slots by itself."""
    world.ecs.throttle(operation)
    with pytest.raises(Paced) as caught:
        world.update(slot="")
    step = world.deployment.step(step_keys.rollout("api", "forward"))
    assert step is None or step.status is StepStatus.RUNNING
    world.clock.forward(seconds=caught.value.seconds)
    assert world.update(slot=caught.value.slot).verdict == "Started"
    assert world.ecs.calls[operation] == 2
    assert sum(definition["family"] == "api" for definition in world.ecs.definitions.values()) == 2


def test_a_small_deployment_takes_no_slots(world: World) -> None:
    assert len(world.deployment.require_plan().services) <= FREE
    assert world.update(slot="").verdict == "Started"
    assert world.store.pace(REGISTER.destination) is None


def test_who_waits_for_its_turn_notices_an_abort(world: World) -> None:
    world.ecs.throttle("register_task_definition")
    with pytest.raises(Paced) as caught:
        world.update(slot="")
    world.abort()
    assert world.update(slot=caught.value.slot).verdict == "Stopped"
