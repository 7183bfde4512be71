"""Is a rollout done? Watching against a fake ECS; why it failed, in words."""

from typing import Any

import pytest

from ferryman.errors import ClaimLost, Throttled
from ferryman.records import PlannedImage, StepStatus, step_keys
from ferryman.steps import watch_rollout
from ferryman.store.table import Store
from unit.ecs_world import CHILD, OLD, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecs import refusal


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.update()
    return world


def waits(world: World) -> int:
    return len(world.store.waits(world.ecs.services["api"]["serviceArn"]))


def test_a_running_rollout_waits_and_shows_progress(world: World) -> None:
    world.ecs.deployment("api").update(runningCount=1, failedTasks=1)
    token = world.watch()
    progress = world.step().rollout
    assert progress is not None
    assert (progress.desired, progress.running, progress.failed) == (1, 1, 1)
    assert world.answer(token) is None
    assert waits(world) == 1


def test_unchanged_progress_is_not_written(world: World) -> None:
    world.watch()
    rev = world.deployment.rev
    world.watch()
    assert world.deployment.rev == rev


def test_success_answers_records_and_forgets(world: World) -> None:
    world.ecs.complete("api", CHILD)
    token = world.watch()
    assert world.answer(token) == {"service": "api", "verdict": "Succeeded", "reason": "Completed"}
    assert (world.step().status, world.step().ended_at) == (StepStatus.SUCCEEDED, world.clock())
    assert waits(world) == 0
    assert world.timeline() == ["StepStarted", "StepEnded"]


def test_watching_again_repeats_the_verdict_and_writes_nothing(world: World) -> None:
    world.ecs.complete("api")
    first = world.watch()
    rev = world.deployment.rev
    world.ecs.calls.clear()
    assert world.answer(world.watch()) == world.answer(first)
    assert world.deployment.rev == rev
    assert world.ecs.calls.total() == 0
    assert waits(world) == 0


def test_the_token_is_known_before_anything_is_read(world: World) -> None:
    world.ecs.throttle("describe_services")
    with pytest.raises(Throttled):
        world.watch()
    assert waits(world) == 1


def test_a_late_answer_is_no_error(world: World) -> None:
    world.ecs.complete("api")
    world.states.fail = [refusal("SendTaskSuccess", "TaskTimedOut")]
    world.watch()
    assert world.step().status is StepStatus.SUCCEEDED
    assert waits(world) == 0


def test_a_verdict_whose_answer_failed_is_given_to_the_next_token(world: World) -> None:
    world.ecs.complete("api")
    world.states.fail = [refusal("SendTaskSuccess", "ThrottlingException")]
    with pytest.raises(Throttled):
        world.watch()
    assert world.step().status is StepStatus.SUCCEEDED
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]


def test_a_newer_token_gets_the_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state timed out while we judged: a newer watcher's token took the place of ours."""
    world.watch()
    real = watch_rollout.check

    def slow(*args: Any, **edges: Any) -> Any:
        real(*args, **edges)
        monkeypatch.undo()
        world.states.open.clear()
        tokens.append(world.watch())
        world.ecs.complete("api")
        return real(*args, **edges)

    tokens: list[str] = []
    monkeypatch.setattr(watch_rollout, "check", slow)
    older = world.watch()
    assert world.answer(older) is None
    assert world.answer(tokens[0]) == {"service": "api", "verdict": "Succeeded", "reason": "Completed"}


def test_not_listed_for_some_seconds(world: World) -> None:
    made = world.ecs.services["api"]["deployments"].pop(0)
    assert world.answer(world.watch()) is None
    world.ecs.services["api"]["deployments"].insert(0, made)
    world.ecs.complete("api")
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]


def test_a_throttled_update_does_not_eat_the_time_to_be_listed(world: World) -> None:
    world.claim("01K00000000000000000000TWO")
    world.ecs.new_service("api", world.old["api"])
    world.ecs.throttle("update_service")
    with pytest.raises(Throttled):
        world.update()
    world.clock.forward(seconds=120)
    world.update()
    world.ecs.services["api"]["deployments"].pop(0)
    assert world.answer(world.watch()) is None


def test_autoscaling_in_the_middle(world: World) -> None:
    world.ecs.services["api"]["desiredCount"] = 4
    world.ecs.deployment("api")["runningCount"] = 2
    assert world.answer(world.watch()) is None
    world.ecs.complete("api")
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]
    assert world.step().rollout.desired == 4  # type: ignore[union-attr]


def test_a_breaker_rollback_that_looks_stable_fails(world: World) -> None:
    task = world.ecs.add_task("api", "sha256:new")
    world.ecs.stop(task, exit_code=3)
    definition = world.definition()["taskDefinitionArn"]
    world.logs.write("/ecs/api", f"ecs/app/{task['taskArn'].rsplit('/', 1)[-1]}", "starting", "KeyError: 'PORT'", "")
    world.clock.forward(seconds=20)
    world.ecs.say("api", "(service api) (deployment ecs-svc/2) deployment failed: tasks failed to start.")
    world.ecs.trip_breaker("api")
    service = world.ecs.services["api"]
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"  # what `services-stable` would believe
    token = world.watch()
    step = world.step()
    assert world.answer(token) == {"service": "api", "verdict": "Failed", "reason": "BreakerRolledBack"}
    assert step.status is StepStatus.FAILED
    for part in (
        "code 3",
        "KeyError: 'PORT'",
        "tasks failed to start",
        "ferryman retry staging",
        "Essential container",
    ):
        assert part in step.message
    assert step.logs == ["starting", "KeyError: 'PORT'"]
    assert definition == step.rollout.task_definition  # type: ignore[union-attr]


def test_a_rollout_that_hangs_meets_its_deadline(world: World) -> None:
    world.ecs.add_task("api", "sha256:new", lastStatus="PENDING")
    world.clock.forward(seconds=599)
    assert world.answer(world.watch()) is None
    world.clock.forward(seconds=1)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "PENDING" in world.step().message


def test_a_verdict_survives_an_explanation_that_fails(world: World) -> None:
    world.ecs.trip_breaker("api")
    for _ in range(2):
        world.ecs.refuse("list_tasks", "AccessDeniedException")
    assert world.answer(world.watch())["verdict"] == "Failed"  # type: ignore[index]
    assert "AccessDeniedException" in world.step().message


def test_a_wrong_image_fails_and_sidecars_do_not_count(world: World) -> None:
    world.ecs.complete("api", "sha256:evil")
    assert world.answer(world.watch())["reason"] == "WrongImage"  # type: ignore[index]
    assert "sha256:evil" in world.step().message
    assert "guard" not in world.step().message


@pytest.mark.parametrize("runs", ["sha256:arm", "sha256:amd"])
def test_where_the_platform_is_not_known_each_image_of_the_index_is_the_release(world: World, runs: str) -> None:
    world.replan("api", platform_digest="sha256:amd", platform_digests=["sha256:amd", "sha256:arm"])
    world.ecs.complete("api", runs)
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]
    assert "does not tell its platform" in world.step().message


def test_abort_is_judged_on_every_wake(world: World) -> None:
    world.watch()
    world.abort()
    assert world.answer(world.watch()) == {"service": "api", "verdict": "Aborted", "reason": "AbortRequested"}
    assert "ann" in world.step().message


def test_a_rollback_that_fails(world: World) -> None:
    world.watch()
    world.clock.forward(minutes=2)
    world.update("api", "back")
    world.ecs.deployment("api")["failedTasks"] = 5
    assert world.answer(world.watch("api", "back")) is None  # failFast is for the way forward
    world.clock.forward(minutes=11)
    assert world.answer(world.watch("api", "back"))["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "ferryman resume staging" in world.step("api", "back").message


def test_a_lost_claim_records_nothing(world: World) -> None:
    world.ecs.complete("api")
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.watch()
    assert world.deployment.steps[step_keys.rollout("api", "forward")].status is StepStatus.RUNNING
    assert world.states.answers == {}


# ── K5: what AWS did is not the release's fault ──

SPOT = {"stop_code": "SpotInterruption", "exit_code": 143, "reason": "Your Spot Task was interrupted."}
NO_ENI = {
    "stop_code": "TaskFailedToStart", "exit_code": None,
    "reason": "Timeout waiting for network interface provisioning to complete.",
}  # fmt: skip
NO_SECRET = {"stop_code": "TaskFailedToStart", "exit_code": None, "reason": "ResourceInitializationError: time-out"}
CRASH = {"exit_code": 1}


def failed_tasks(world: World, *tasks: dict[str, Any]) -> None:
    for how in tasks:
        world.ecs.stop(world.ecs.add_task("api", "sha256:new"), **how)
    world.ecs.deployment("api")["failedTasks"] = len(tasks)


@pytest.mark.parametrize("how", [SPOT, NO_ENI, NO_SECRET], ids=["spot", "network-interface", "secrets"])
def test_fail_fast_does_not_count_what_aws_failed(world: World, how: dict[str, Any]) -> None:
    failed_tasks(world, how, how, CRASH)
    assert world.answer(world.watch()) is None
    failed_tasks(world, CRASH)
    world.ecs.deployment("api")["failedTasks"] = 4
    assert world.answer(world.watch())["reason"] == "FailFast"  # type: ignore[index]


def test_fail_fast_does_not_count_tasks_that_found_no_place(world: World) -> None:
    world.ecs.deployment("api")["failedTasks"] = 3
    world.ecs.say("api", "(service api) was unable to place a task. Reason: Capacity is unavailable at this time.")
    assert world.answer(world.watch()) is None


@pytest.mark.parametrize("roll_back", [True, False])
def test_a_breaker_that_only_aws_tripped_is_errored(world: World, roll_back: bool) -> None:
    failed_tasks(world, NO_ENI, SPOT)
    world.ecs.trip_breaker("api", roll_back=roll_back)
    assert world.answer(world.watch())["verdict"] == "Errored"  # type: ignore[index]
    assert world.step().status is StepStatus.ERRORED
    assert "AWS was at fault, not the release" in world.step().message
    assert "Fix it" not in world.step().message


def test_a_breaker_that_aws_and_the_release_tripped_is_the_releases(world: World) -> None:
    failed_tasks(world, NO_ENI, CRASH)
    world.ecs.trip_breaker("api")
    assert world.answer(world.watch())["verdict"] == "Failed"  # type: ignore[index]
    assert "code 1" in world.step().message


def test_a_deadline_that_only_aws_spent_is_errored(world: World) -> None:
    failed_tasks(world, NO_SECRET)
    world.clock.forward(seconds=600)
    assert world.answer(world.watch()) == {"service": "api", "verdict": "Errored", "reason": "DeadlineExceeded"}


# ── K6: the victim is not blamed ──


@pytest.fixture
def beside_a_proxy(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    """`api` with an essential proxy."""
    world = World(store, clock, new_id)
    definition = world.ecs.definitions[world.old["api"]]
    proxy = {
        "name": "proxy", "image": "envoy:1", "essential": True,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/proxy", "awslogs-stream-prefix": "ecs"},
        },
    }  # fmt: skip
    definition["containerDefinitions"] = [*definition["containerDefinitions"], proxy]
    world.update()
    return world


def crashed(world: World, app: int, proxy: int) -> dict[str, Any]:
    task = world.ecs.add_task("api", "sha256:new")
    world.ecs.stop(task, exit_code=app)
    task["containers"][-1]["exitCode"] = proxy
    return task


def test_the_sidecar_that_fell_first_is_blamed_and_its_log_quoted(beside_a_proxy: World) -> None:
    world = beside_a_proxy
    task_id = crashed(world, app=143, proxy=0)["taskArn"].rsplit("/", 1)[-1]
    world.logs.write("/ecs/api", f"ecs/app/{task_id}", "serving")
    world.logs.write("/ecs/proxy", f"ecs/proxy/{task_id}", "certificate expired")
    world.ecs.trip_breaker("api")
    world.watch()
    for part in ("proxy stopped first: it exited with code 0", "app exited with code 143", "certificate expired"):
        assert part in world.step().message
    assert world.step().logs == ["certificate expired"]


def test_which_of_two_crashed_first_is_not_guessed(beside_a_proxy: World) -> None:
    crashed(beside_a_proxy, app=1, proxy=1)
    beside_a_proxy.ecs.trip_breaker("api")
    beside_a_proxy.watch()
    assert "not known which container stopped first: app exited with code 1, proxy exited with code 1" in (
        beside_a_proxy.step().message
    )


def test_which_of_two_crashed_first_is_told_by_an_event(beside_a_proxy: World) -> None:
    world = beside_a_proxy
    world.watch()
    task = crashed(world, app=1, proxy=1)
    detail = {
        "taskArn": task["taskArn"], "clusterArn": task["clusterArn"], "group": task["group"],
        "taskDefinitionArn": task["taskDefinitionArn"], "lastStatus": "RUNNING", "desiredStatus": "STOPPED",
        "containers": [
            {"name": "app", "lastStatus": "RUNNING"}, {"name": "proxy", "lastStatus": "STOPPED", "exitCode": 1},
        ],
    }  # fmt: skip
    world.relay(**{"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail})
    world.ecs.trip_breaker("api")
    world.watch()
    assert "proxy stopped first: it exited with code 1" in world.step().message


# ── several containers ──


def several(world: World) -> None:
    """Worker and init container share the image of `app`, and `edge` is of another component."""
    base = world.ecs.new_definition("api", OLD, {"init": OLD, "worker": OLD, "edge": "registry.example/web:1"})
    edge = PlannedImage(
        component="web", containers=["edge"], image="registry.example/web@sha256:edge", digest="sha256:edge"
    )
    world.replan("api", base_task_definition=base, containers=["app", "init", "worker"], additional=[edge])
    world.update()


def test_each_container_is_checked_and_named(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = World(store, clock, new_id)
    several(world)
    world.ecs.complete("api", CHILD, edge="sha256:edge")
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]
    assert world.step().message == "api runs the release in app, init, worker and edge (1/1)"


@pytest.mark.parametrize("wrong", ["app", "init", "worker", "edge"])
def test_one_container_with_another_image_is_a_wrong_image(
    store: Store, clock: FakeClock, new_id: FakeIds, wrong: str
) -> None:
    world = World(store, clock, new_id)
    several(world)
    world.ecs.complete("api", CHILD, **{"edge": "sha256:edge", wrong: "sha256:left"})
    assert world.answer(world.watch())["reason"] == "WrongImage"  # type: ignore[index]
    assert f"container {wrong} runs sha256:left" in world.step().message


def test_an_additional_component_must_run_its_own_image(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = World(store, clock, new_id)
    several(world)
    world.ecs.complete("api", CHILD)
    assert world.answer(world.watch())["reason"] == "WrongImage"  # type: ignore[index]
