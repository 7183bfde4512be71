"""Why a rollout failed, in words: from the tasks, their logs and the service's events."""

from typing import Any

import pytest

from ferryman.store.table import Store
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.update()
    return world


def test_other_deployments_tasks_and_older_events_explain_nothing(world: World) -> None:
    world.claim("01K00000000000000000000TWO")
    world.ecs.new_service("api", world.old["api"])
    world.ecs.say("api", "an old story")
    old = world.ecs.add_task("api", "sha256:old")
    world.ecs.stop(old, exit_code=137)
    world.clock.forward(seconds=60)
    world.update()
    replaced = world.ecs.add_task("api", "sha256:old", taskDefinitionArn=world.old["api"])
    world.ecs.stop(replaced, exit_code=138)
    world.ecs.trip_breaker("api")
    world.watch()
    assert "137" not in world.step().message
    assert "138" not in world.step().message
    assert "old story" not in world.step().message


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param(
            {"stop_code": "TaskFailedToStart", "exit_code": None, "reason": "CannotPullContainerError: not found"},
            ("never started", "CannotPullContainerError"),
            id="cannot-pull",
        ),
        pytest.param(
            {"stop_code": "ServiceSchedulerInitiated", "exit_code": 143, "reason": "Task failed ELB health checks"},
            ("code 143", "ELB health checks"),
            id="unhealthy",
        ),
    ],
)
def test_explanations(world: World, task: dict[str, Any], expected: tuple[str, ...]) -> None:
    world.ecs.stop(world.ecs.add_task("api", "sha256:new"), **task)
    world.ecs.deployment("api")["failedTasks"] = 2
    world.watch()
    assert world.step().reason == "FailFast"
    for part in expected:
        assert part in world.step().message


def test_the_task_that_fell_by_itself_explains_not_the_one_that_was_stopped(world: World) -> None:
    crashed, stopped = (world.ecs.add_task("api", "sha256:new") for _ in range(2))
    world.ecs.stop(crashed, exit_code=2)
    world.clock.forward(seconds=30)
    world.ecs.stop(stopped, exit_code=143, stop_code="ServiceSchedulerInitiated", reason="Scaling activity")
    world.ecs.trip_breaker("api")
    world.watch()
    assert "code 2" in world.step().message
