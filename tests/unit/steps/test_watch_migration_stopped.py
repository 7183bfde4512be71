"""What the end of a migration's task means: AWS's fault or the release's, a zero that was forced, who ended it."""

import copy
from typing import Any

import pytest

from ferryman.records import MigrationClaim, StepStatus
from ferryman.store.table import Store
from unit.ecs_world import NEXT, OLD, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecs import CLUSTER


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/m", "awslogs-stream-prefix": "ecs"}}


def define(world: World, *containers: dict[str, Any]) -> None:
    """The migration's task definition, with these containers; `app` is the one that the document names."""
    filled = [{"image": OLD, "essential": True, "logConfiguration": AWSLOGS, **item} for item in containers]
    world.ecs.new_definition("api-migrate", OLD, containerDefinitions=filled)


def started(world: World, *containers: dict[str, Any]) -> dict[str, Any]:
    """The migration's task, with the containers of its definition, all of them running."""
    if containers:
        define(world, *containers)
    assert world.run_migration().verdict == "Started"
    task = next(task for task in world.ecs.tasks.values() if str(task["startedBy"]).startswith("fm-"))
    if containers:
        task["containers"] = [{"name": item["name"], "lastStatus": "RUNNING"} for item in containers]
    task.update(lastStatus="RUNNING", startedAt=world.clock())
    return task


def stopped(task: dict[str, Any], stop_code: str, reason: str = "", **exits: int | None) -> None:
    """The task as it is described at the end; containers by name with their exit codes."""
    task.update(lastStatus="STOPPED", desiredStatus="STOPPED", stopCode=stop_code, stoppedReason=reason or stop_code)
    for container in task["containers"]:
        container["lastStatus"] = "STOPPED"
        code = exits.get(container["name"])
        if code is not None:
            container["exitCode"] = code


def one_stopped(task: dict[str, Any], name: str, code: int, *, ending: bool = True) -> None:
    """One container is done; the others still run."""
    container = next(item for item in task["containers"] if item["name"] == name)
    container.update(lastStatus="STOPPED", exitCode=code)
    if ending:
        task["desiredStatus"] = "STOPPED"


def event_of(task: dict[str, Any]) -> dict[str, Any]:
    detail = {
        "taskArn": task["taskArn"], "clusterArn": CLUSTER, "group": "family:api-migrate",
        "taskDefinitionArn": task["taskDefinitionArn"],
        "lastStatus": task["lastStatus"], "desiredStatus": task["desiredStatus"],
        "containers": [dict(item) for item in task["containers"]],
    }  # fmt: skip
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": [], "detail": detail}


def verdict(world: World) -> dict[str, Any] | None:
    return world.answer(world.watch_migration())


def claim(world: World) -> MigrationClaim:
    return world.store.migration_claims("scr", "staging", "abc1234")[-1]


APP, PROXY = {"name": "app"}, {"name": "proxy", "image": "envoy:1"}


# ── K5: what AWS did is not the release's fault ──


@pytest.mark.parametrize(
    ("stop_code", "reason"),
    [
        pytest.param("TaskFailedToStart", "Capacity is unavailable at this time.", id="fargate-capacity"),
        pytest.param("TaskFailedToStart", "RESOURCE:ENI", id="no-network-interface-left"),
        pytest.param("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets", id="secrets-time-out"),
        pytest.param("TaskFailedToStart", "CannotPullContainerError: i/o timeout", id="registry-time-out"),
        pytest.param("SpotInterruption", "Your Spot Task was interrupted.", id="spot-before-it-started"),
        pytest.param("TerminationNotice", "", id="host-retired-before-it-started"),
        pytest.param("InfrastructureHealth", "", id="host-unhealthy-before-it-started"),
    ],
)
def test_a_task_that_aws_did_not_start_is_errored_and_tried_again_by_itself(
    world: World, stop_code: str, reason: str
) -> None:
    task = started(world)
    del task["startedAt"]
    stopped(task, stop_code, reason)
    assert verdict(world) == {"verdict": "Failed", "reason": "TaskFailedToStart"}
    assert (world.migration.status, claim(world).status) == (StepStatus.ERRORED, "NotStarted")
    assert "the release is not at fault" in world.migration.message
    assert "Fix it" not in world.migration.message
    world.claim(NEXT)
    assert world.run_migration().verdict == "Started"


@pytest.mark.parametrize(
    ("stop_code", "reason", "exit_code"),
    [
        pytest.param("SpotInterruption", "Your Spot Task was interrupted.", 137, id="fargate-spot"),
        pytest.param("SpotInterruption", "Your Spot Task was interrupted.", 143, id="fargate-spot-obeyed"),
        pytest.param("TerminationNotice", "ECS is performing maintenance on the underlying infrastructure", 143,
                     id="fargate-retirement"),
        pytest.param("InfrastructureHealth", "", 137, id="infrastructure-health"),
        pytest.param("EssentialContainerExited", "Host EC2 (instance i-0abc) terminated.", None, id="ec2-host-gone"),
        pytest.param("EssentialContainerExited", "Essential container in task exited", None, id="no-exit-code-told"),
    ],
)  # fmt: skip
def test_a_migration_that_aws_killed_while_it_ran_waits_for_a_person(
    world: World, stop_code: str, reason: str, exit_code: int | None
) -> None:
    stopped(started(world), stop_code, reason, app=exit_code)
    assert verdict(world) == {"verdict": "Failed", "reason": "TaskInterrupted"}
    assert (world.migration.status, claim(world).status) == (StepStatus.FAILED, "Failed")
    for part in ("may have got half way", "look at the database", "ferryman retry staging"):
        assert part in world.migration.message
    world.claim(NEXT)
    assert world.run_migration().reason == "MigrationFailedBefore"


@pytest.mark.parametrize(
    "reason",
    [
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
        "CannotPullContainerError: manifest unknown",
        'CannotStartContainerError: exec: "alembicc": executable file not found in $PATH',
    ],
)
def test_an_image_that_can_never_run_is_the_releases_fault(world: World, reason: str) -> None:
    task = started(world)
    del task["startedAt"]
    stopped(task, "TaskFailedToStart", reason)
    assert verdict(world) == {"verdict": "Failed", "reason": "ImageCannotRun"}
    assert world.migration.status is StepStatus.FAILED
    assert "Fix it and push" in world.migration.message


def test_a_person_who_stops_it_before_it_started_is_heard(world: World) -> None:
    task = started(world)
    del task["startedAt"]
    stopped(task, "UserInitiated", "Task stopped by user")
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}
    assert world.migration.status is StepStatus.FAILED


def test_an_init_container_of_the_release_that_fails_is_its_fault(world: World) -> None:
    init = {"name": "init", "essential": False}
    task = started(world, {**APP, "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]}, init)
    del task["startedAt"]
    task["containers"][0]["lastStatus"] = "PENDING"
    stopped(task, "TaskFailedToStart", "Task failed to start", init=1)
    assert verdict(world) == {"verdict": "Failed", "reason": "TaskFailedToStart"}
    assert (world.migration.status, claim(world).status) == (StepStatus.FAILED, "Failed")
    assert "Container init exited with code 1" in world.migration.message


def test_an_init_container_of_others_that_fails_ran_no_migration(world: World) -> None:
    task = started(world, APP, {"name": "wait", "image": "busybox", "essential": False})
    del task["startedAt"]
    task["containers"][0]["lastStatus"] = "PENDING"
    stopped(task, "TaskFailedToStart", "Task failed to start", wait=1)
    assert verdict(world) == {"verdict": "Failed", "reason": "TaskFailedToStart"}
    assert (world.migration.status, claim(world).status) == (StepStatus.ERRORED, "NotStarted")
    assert "Container wait exited with code 1" in world.migration.message


# ── K12: a zero that was forced ──


def test_a_zero_after_an_essential_proxy_died_is_no_success(world: World) -> None:
    stopped(started(world, APP, PROXY), "EssentialContainerExited", app=0, proxy=1)
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}
    assert claim(world).status == "Failed"
    for part in ("not known which container stopped first", "app exited with code 0", "proxy exited with code 1"):
        assert part in world.migration.message
    world.claim(NEXT)
    assert world.run_migration().reason == "MigrationFailedBefore"


def test_a_proxy_that_is_stopped_after_the_migration_takes_no_success_away(world: World) -> None:
    stopped(started(world, APP, PROXY), "EssentialContainerExited", app=0, proxy=143)
    assert verdict(world) == {"verdict": "Succeeded", "reason": "Completed"}


@pytest.mark.parametrize("seen_by", ["poll", "event"])
@pytest.mark.parametrize(("first", "expected"), [("app", "Succeeded"), ("proxy", "Failed")])
def test_two_zeros_are_told_apart_by_who_was_seen_to_stop_first(
    world: World, seen_by: str, first: str, expected: str
) -> None:
    task = started(world, APP, PROXY)
    token = world.watch_migration()
    earlier = copy.deepcopy(task)
    one_stopped(earlier, first, 0)
    if seen_by == "poll":
        task.update(earlier)
        token = world.watch_migration()
        assert world.answer(token) is None
    # When the event is handled, ECS answers the end already.
    stopped(task, "EssentialContainerExited", app=0, proxy=0)
    world.relay(**event_of(earlier if seen_by == "event" else task))
    assert world.answer(token)["verdict"] == expected  # type: ignore[index]


def test_two_zeros_that_nobody_saw_are_no_success(world: World) -> None:
    stopped(started(world, APP, PROXY), "EssentialContainerExited", app=0, proxy=0)
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}


def test_who_stopped_first_does_not_excuse_a_person_who_stopped_the_task(world: World) -> None:
    task = started(world, APP, PROXY)
    one_stopped(task, "app", 0)
    assert verdict(world) is None
    stopped(task, "UserInitiated", "Task stopped by user", app=0, proxy=0)
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}


def test_an_event_of_another_task_tells_nothing(world: World) -> None:
    task = started(world, APP, PROXY)
    token = world.watch_migration()
    one_stopped(task, "app", 0)
    other = event_of(task)
    other["detail"]["containers"][0]["exitCode"] = "0"  # not what ECS sends
    stopped(task, "EssentialContainerExited", app=0, proxy=0)
    other["detail"]["taskArn"] = f"{task['taskArn']}0"
    world.relay(**other)
    assert world.answer(token) is None
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}


@pytest.mark.parametrize(("code", "expected"), [(0, "Succeeded"), (1, "Failed")])
def test_the_exit_of_a_container_that_is_not_essential_is_the_verdict_at_once(
    world: World, code: int, expected: str
) -> None:
    task = started(world, {**APP, "essential": False}, PROXY)
    one_stopped(task, "app", code, ending=False)
    assert verdict(world)["verdict"] == expected  # type: ignore[index]
    assert task["desiredStatus"] == "STOPPED", "its proxy would run for ever"


def test_a_crash_between_stopping_the_rest_and_recording_the_success_keeps_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = started(world, {**APP, "essential": False}, PROXY)
    one_stopped(task, "app", 0, ending=False)
    real = world.ecs.stop_task

    def stop(**request: Any) -> Any:
        real(**request)
        raise RuntimeError("killed")

    monkeypatch.setattr(world.ecs, "stop_task", stop)
    with pytest.raises(RuntimeError):
        world.watch_migration()
    monkeypatch.undo()
    stopped(task, "UserInitiated", "Ferryman: the migration is done", proxy=143)
    assert verdict(world) == {"verdict": "Succeeded", "reason": "Completed"}


def test_a_zero_of_a_container_that_is_not_essential_is_none_when_its_task_was_ended(world: World) -> None:
    stopped(started(world, {**APP, "essential": False}, PROXY), "EssentialContainerExited", app=0, proxy=1)
    assert verdict(world) == {"verdict": "Failed", "reason": "Stopped"}


# ── K6 and K7: who is to blame, and what its log says ──


def test_the_sidecar_that_died_first_is_blamed_with_its_log_and_the_migration_is_its_victim(world: World) -> None:
    task = started(world, APP, PROXY)
    task_id = task["taskArn"].rsplit("/", 1)[-1]
    world.logs.write("/ecs/m", f"ecs/app/{task_id}", "half way")
    world.logs.write("/ecs/m", f"ecs/proxy/{task_id}", "no certificate")
    stopped(task, "EssentialContainerExited", "Essential container in task exited", app=143, proxy=1)
    assert verdict(world) == {"verdict": "Failed", "reason": "NonZeroExit"}
    for part in (
        "Container proxy stopped first: it exited with code 1",
        "Container app exited with code 143, ended by SIGTERM",
        "The log of proxy ends with “no certificate”",
        "$252Fecs$252Fm/log-events/ecs$252Fproxy$252F",
    ):
        assert part in world.migration.message
    assert world.migration.logs == ["no certificate"]


def test_a_log_that_firelens_sends_elsewhere_is_not_called_empty(world: World) -> None:
    firelens = {"logDriver": "awsfirelens", "options": {"Name": "datadog"}}
    stopped(started(world, {**APP, "logConfiguration": firelens}), "EssentialContainerExited", app=1)
    verdict(world)
    assert "Its log was not read: FireLens sends it to datadog." in world.migration.message
    assert "empty" not in world.migration.message
