"""Several migrations of one deployment: one after the other, each once, whatever is lost in between."""

from typing import Any

import pytest

from ferryman.errors import InvalidInput, NotItsTurn, NotVisibleYet, Throttled, Unavailable
from ferryman.records import StepStatus
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.ecs_world import NEXT, World
from unit.fakes.clock import FakeClock, FakeIds

ORDERS, STOCK = "orders", "stock"
NAMES = (ORDERS, STOCK)


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    again(world, NEXT)
    return world


def again(world: World, deployment: str, **more: Any) -> None:
    world.claim(deployment, **{**world.several(*NAMES), **more})


def ran(world: World) -> list[str]:
    """Which commands were run, in their order."""
    return [task["overrides"]["containerOverrides"][0]["command"][-1] for task in world.migration_tasks()]


def statuses(world: World) -> dict[str, str]:
    return {item.version: item.status for item in world.store.migrations("scr", "staging")}


def steps(world: World) -> dict[str, str]:
    return {key: str(step.status) for key, step in world.after_the_gate.items()}


def test_each_has_its_own_task_step_and_claim(world: World) -> None:
    for name in NAMES:
        assert world.finish_migration(name=name) == {"verdict": "Succeeded", "reason": "Completed"}
    assert ran(world) == [ORDERS, STOCK]
    assert steps(world) == {"migration/orders": "Succeeded", "migration/stock": "Succeeded"}
    assert statuses(world) == {"orders/abc1234": "Succeeded", "stock/abc1234": "Succeeded"}
    first, second = world.migration_tasks()
    assert first["startedBy"] != second["startedBy"]


def test_the_second_waits_until_the_first_has_passed(world: World) -> None:
    with pytest.raises(NotItsTurn, match="migration/orders comes first, and has not passed"):
        world.run_migration(STOCK)
    world.run_migration(ORDERS)
    with pytest.raises(NotItsTurn, match="migration/orders comes first, and has not passed"):
        world.run_migration(STOCK)
    world.ecs.stop(world.migration_tasks()[-1], exit_code=1)
    world.watch_migration(ORDERS)
    with pytest.raises(NotItsTurn, match="migration/orders comes first, and has not passed"):
        world.run_migration(STOCK)
    assert ran(world) == [ORDERS]


@pytest.mark.parametrize("name", ["", "audit"])
def test_a_machine_that_does_not_say_which_is_an_error_and_skips_none(world: World, name: str) -> None:
    with pytest.raises(InvalidInput, match="orders, stock"):
        world.run_migration(name)
    assert (world.after_the_gate, world.migration_tasks()) == ({}, [])


def test_the_second_fails_and_the_first_stays_and_a_retry_skips_it(world: World) -> None:
    world.finish_migration(name=ORDERS)
    assert world.finish_migration(1, STOCK) == {"verdict": "Failed", "reason": "NonZeroExit"}
    message = world.deployment.steps["migration/stock"].message
    assert "The migration stock `migrate stock` of abc1234 failed." in message
    assert "The migration orders succeeded and stays as it is." in message

    again(world, "01K00000000000000000000THI", automated=False, kind="retry")
    assert world.run_migration(ORDERS).model_dump() == {"verdict": "Skipped", "reason": "AlreadyMigrated"}
    assert world.finish_migration(1, STOCK) == {"verdict": "Failed", "reason": "NonZeroExit"}
    assert "The migration orders succeeded and stays" in world.deployment.steps["migration/stock"].message
    assert ran(world) == [ORDERS, STOCK, STOCK]


def test_automation_does_not_repeat_the_one_that_failed(world: World) -> None:
    world.finish_migration(name=ORDERS)
    world.finish_migration(1, STOCK)
    again(world, "01K00000000000000000000THI")
    assert world.run_migration(ORDERS).verdict == "Skipped"
    assert world.run_migration(STOCK).reason == "MigrationFailedBefore"
    assert "migration stock of abc1234" in world.deployment.steps["migration/stock"].message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not-listed-yet"])
def test_a_lost_answer_runs_nothing_twice_and_takes_no_task_of_the_other(world: World, name: str, listed: bool) -> None:
    if name == STOCK:
        world.finish_migration(name=ORDERS)
    world.ecs.lose_answer("run_task")
    with pytest.raises(Unavailable):
        world.run_migration(name)
    mine = world.migration_tasks()[-1]
    if not listed:
        world.ecs.unlisted.add(mine["taskArn"])
    assert world.run_migration(name).verdict == "Started"
    assert ran(world) == list(NAMES[: NAMES.index(name) + 1])
    assert world.deployment.steps[f"migration/{name}"].migration.task == mine["taskArn"]  # type: ignore[union-attr]


@pytest.mark.parametrize("crash", range(1, 9))
def test_a_crash_at_any_write_neither_skips_nor_repeats_one(
    world: World, crash: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine calls the step again that died; so each write of the whole row of steps is one that never came."""
    real, count = world.store.write, 0

    def write(*writes: Any) -> None:
        nonlocal count
        count += 1
        if count == crash:
            raise Throttled("killed")
        real(*writes)

    monkeypatch.setattr(world.store, "write", write)

    def surely(step: Any, name: str) -> Any:
        try:
            return step(name)
        except Throttled:
            return step(name)

    for name in NAMES:
        assert surely(world.run_migration, name).verdict == "Started"
        task = world.migration_tasks()[-1]
        world.ecs.stop(task, exit_code=0)
        surely(world.watch_migration, name)
        assert world.deployment.steps[f"migration/{name}"].status is StepStatus.SUCCEEDED
    assert count > crash - 1
    assert ran(world) == [ORDERS, STOCK]
    assert statuses(world) == {"orders/abc1234": "Succeeded", "stock/abc1234": "Succeeded"}


def test_never_beside_the_other_one_of_a_deployment_that_died(world: World) -> None:
    """Its execution was stopped in the console while the second migration ran."""
    world.finish_migration(name=ORDERS)
    world.run_migration(STOCK)
    again(world, "01K00000000000000000000THI", version="def1234")
    assert world.run_migration(ORDERS).verdict == "Failed"
    step = world.deployment.steps["migration/orders"]
    assert (step.status, step.reason) == (StepStatus.ERRORED, "AnotherMigrationRuns")
    assert "migration stock of abc1234" in step.message
    assert ran(world) == [ORDERS, STOCK]


def test_a_fresh_claim_of_the_other_one_is_waited_for(world: World) -> None:
    world.finish_migration(name=ORDERS)
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration(STOCK)
    again(world, "01K00000000000000000000THI", version="def1234")
    with pytest.raises(NotVisibleYet, match="migration stock of abc1234"):
        world.run_migration(ORDERS)
    assert ran(world) == [ORDERS]


def test_an_abort_between_the_two_runs_no_second_one(world: World) -> None:
    world.finish_migration(name=ORDERS)
    world.abort()
    assert world.run_migration(STOCK).verdict == "Aborted"
    assert (ran(world), "migration/stock" in world.deployment.steps) == ([ORDERS], False)


def test_the_event_of_a_task_answers_the_step_that_waits_for_it(world: World) -> None:
    world.finish_migration(name=ORDERS)
    world.run_migration(STOCK)
    token, task = world.watch_migration(STOCK), world.migration_tasks()[-1]
    world.ecs.stop(task, exit_code=0)
    detail = {"taskArn": task["taskArn"], "clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/scr", "group": task["group"]}
    world.relay(**{"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail})
    assert world.answer(token) == {"verdict": "Succeeded", "reason": "Completed"}
    assert steps(world) == {"migration/orders": "Succeeded", "migration/stock": "Succeeded"}


def test_a_downgrade_takes_back_only_what_it_is_about(world: World) -> None:
    for name in NAMES:
        world.finish_migration(name=name)
    down = world.several(STOCK, ORDERS)
    command = {"kind": "rollback", "command": "down", "version": "0001234", "automated": False}
    world.claim("01K00000000000000000000THI", **command, **down)
    world.store.update_deployment(world.ref, lambda it: it.but(revisions={ORDERS: "1", STOCK: "2"}))

    world.finish_migration(name=STOCK)

    third = "01K00000000000000000000THI"
    assert statuses(world) == {
        "orders/abc1234": "Succeeded", "stock/abc1234": "Reverted", f"stock/0001234@{third}": "Succeeded"
    }  # fmt: skip
    world.finish_migration(1, ORDERS)
    step = world.deployment.steps["migration/orders"]
    assert "The downgrade stock succeeded and stays as it is." in step.message
    assert "`ferryman migrate staging orders current -p scr`" in step.message
    assert statuses(world)["orders/abc1234"] == "Reverted", "it may have been taken back half way"


def test_up_by_hand_brings_back_only_its_own(world: World) -> None:
    for name in NAMES:
        world.finish_migration(name=name)
    for claim in world.store.migrations("scr", "staging"):
        world.store.write(Save(claim.but(status="Reverted")))
    third = "01K00000000000000000000THI"
    world.claim(third, kind="migrate", command="up", automated=False, **world.several(STOCK))
    world.finish_migration(name=STOCK)
    assert statuses(world) == {
        "orders/abc1234": "Reverted", "stock/abc1234": "Succeeded", f"stock/abc1234@{third}": "Succeeded"
    }  # fmt: skip
