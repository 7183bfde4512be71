"""The migration: at most one success per environment and release, whatever is lost."""

from typing import Any

import pytest

from ferryman.decisions.migration_attempts import CERTAIN_AFTER
from ferryman.errors import ClaimLost, NotItsTurn, NotVisibleYet, Throttled, Unavailable
from ferryman.records import MigrationClaim, Phase, StepStatus
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.ecs_world import COMMAND, NEW, NEXT, OLD, World
from unit.fakes.clock import FakeClock, FakeIds

# ── run ──


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def test_it_runs_the_release_by_digest(world: World) -> None:
    assert world.run_migration().verdict == "Started"
    [task], [claimed] = world.migration_tasks(), world.migration_claims()
    definition = world.ecs.definitions[task["taskDefinitionArn"]]
    assert [item["image"] for item in definition["containerDefinitions"]] == ["guardduty:1", NEW]
    assert task["overrides"] == {"containerOverrides": [{"name": "app", "command": COMMAND}]}
    assert (claimed.status, claimed.task) == ("Running", task["taskArn"])
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]
    assert world.timeline() == ["StepStarted"]
    assert len(task["startedBy"]) <= 36


def test_twice_runs_once(world: World) -> None:
    assert world.run_migration() == world.run_migration()
    assert len(world.migration_tasks()) == 1
    assert world.ecs.calls["run_task"] == 1


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not-listed-yet"])
def test_a_lost_answer_runs_nothing_twice(world: World, listed: bool) -> None:
    world.ecs.lose_answer("run_task")
    with pytest.raises(Unavailable):
        world.run_migration()
    [task] = world.migration_tasks()
    if not listed:
        world.ecs.unlisted.add(task["taskArn"])
    assert world.run_migration().verdict == "Started"
    assert [task["taskArn"] for task in world.migration_tasks()] == [task["taskArn"]]
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]


@pytest.mark.parametrize("operation", ["describe_task_definition", "register_task_definition", "run_task"])
def test_throttling_passes(world: World, operation: str) -> None:
    world.ecs.throttle(operation, 2)
    for _ in range(2):
        with pytest.raises(Throttled):
            world.run_migration()
    assert world.run_migration().verdict == "Started"
    assert (len(world.migration_tasks()), world.migration_statuses()) == (1, ["Running"])


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("register_task_definition", "Too many concurrent attempts to create a new revision of the specified family."),
        ("run_task", "Capacity is unavailable at this time. Please try again later or in a different AZ."),
        ("run_task", "ECS was unable to assume the role that was provided for this task."),
        ("run_task", "Tasks provisioning capacity limit exceeded."),
    ],
)
def test_a_refusal_that_passes_by_itself_is_tried_again_in_the_step(world: World, operation: str, said: str) -> None:
    world.ecs.refuse(operation, "ClientException", said)
    with pytest.raises(Throttled):
        world.run_migration()
    assert world.run_migration().verdict == "Started"
    assert world.ecs.calls["run_task"] <= 2
    assert world.migration_statuses() == ["Running"]


@pytest.mark.parametrize("crash", [1, 2])
def test_a_crash_at_any_write_runs_nothing_twice(world: World, crash: int) -> None:
    with world.killed_at_write(crash):
        world.run_migration()
    assert world.run_migration().verdict == "Started"
    assert (len(world.migration_tasks()), world.migration_statuses()) == (1, ["Running"])


def test_who_lost_the_claim_runs_nothing(world: World) -> None:
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.run_migration()
    assert (world.migration_tasks(), world.migration_claims()) == ([], [])


def test_who_lost_the_claim_after_claiming_the_attempt_runs_nothing(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.run_migration()
    assert world.migration_tasks() == []


def test_who_lost_the_claim_leaves_the_attempt_of_another_as_it_is(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.claim(NEXT)
    world.clock.forward(minutes=3)
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.run_migration()
    assert (world.migration_tasks(), world.migration_statuses()) == ([], ["Claimed"])


@pytest.mark.parametrize("why", ["failures", "refused", "nothing"])
def test_a_task_that_ecs_does_not_start_may_be_tried_by_automation(world: World, why: str) -> None:
    if why == "failures":
        world.ecs.run_failures = [{"arn": "x", "reason": "RESOURCE:MEMORY", "detail": "none left"}]
    elif why == "refused":
        world.ecs.refuse("run_task", "AccessDeniedException")
    else:
        world.ecs.run_failures = [{}]
    assert world.run_migration().verdict == "Failed"
    assert (world.migration.status, world.migration_statuses()) == (StepStatus.ERRORED, ["NotStarted"])
    assert "no service was changed" in world.migration.message
    world.ecs.run_failures = []
    world.claim(NEXT)
    assert world.run_migration().verdict == "Started"
    assert world.migration_statuses() == ["NotStarted", "Running"]


def test_no_migration_in_the_plan(world: World) -> None:
    world.claim(NEXT, migration=None)
    assert world.run_migration().model_dump() == {"verdict": "Skipped", "reason": "NoMigration"}
    assert world.migration.status is StepStatus.SKIPPED


def test_abort_before_it_runs(world: World) -> None:
    world.abort()
    assert world.run_migration().verdict == "Aborted"
    assert (world.after_the_gate, world.migration_tasks()) == ({}, [])


def test_abort_after_a_throttled_call_runs_nothing(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.abort()
    assert world.run_migration().verdict == "Aborted"
    assert world.migration_tasks() == []


# ── run, after somebody else ──


def test_one_success_is_enough(world: World) -> None:
    world.finish_migration(0)
    world.claim(NEXT)
    assert world.run_migration().model_dump() == {"verdict": "Skipped", "reason": "AlreadyMigrated"}
    assert len(world.migration_tasks()) == 1


def test_automation_does_not_repeat_a_failure(world: World) -> None:
    world.finish_migration(1)
    world.claim(NEXT)
    assert world.run_migration().model_dump() == {"verdict": "Failed", "reason": "MigrationFailedBefore"}
    assert "ferryman retry staging" in world.migration.message
    assert len(world.migration_tasks()) == 1


def test_a_person_may(world: World) -> None:
    world.finish_migration(1)
    world.claim(NEXT, automated=False, kind="retry")
    assert world.run_migration().verdict == "Started"
    assert (len(world.migration_tasks()), world.migration_statuses()) == (2, ["Failed", "Running"])


def test_the_task_of_a_deployment_that_died_is_followed(world: World) -> None:
    """A person aborted the execution in the console while the migration ran."""
    world.run_migration()
    [task] = world.migration_tasks()
    world.claim(NEXT)
    assert world.run_migration().verdict == "Started"
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]
    world.ecs.stop(task, exit_code=0)
    assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]
    assert (len(world.migration_tasks()), world.migration_statuses()) == (1, ["Succeeded"])


def older(world: World, **changes: Any) -> MigrationClaim:
    """The open claim of an older release, as a deployment that died left it."""
    claim = MigrationClaim(
        platform="scr",
        environment="staging",
        version="0001234",
        attempt=1,
        deployment="01K000000000000000000OLDER",
        status="Running",
        task_definition="td",
        client_token="fm-01K000000000000000000OLDER-1",
        at=world.clock(),
    ).but(**changes)
    world.store.write(Save(claim))
    return claim


def test_never_beside_the_migration_of_another_release(world: World) -> None:
    world.run_migration()
    [task] = world.migration_tasks()
    [mine] = world.migration_claims()
    world.store.write(Save(mine.but(version="0001234", rev=0)), Save(mine.but(status="Failed")))
    world.claim(NEXT, automated=False, kind="retry")

    assert world.run_migration().verdict == "Failed"
    assert (world.migration.status, world.migration.reason) == (StepStatus.ERRORED, "AnotherMigrationRuns")
    assert task["taskArn"] in world.migration.message
    assert len(world.migration_tasks()) == 1


def test_a_finished_migration_of_another_release_is_no_obstacle(world: World) -> None:
    older(world, at=world.clock() - CERTAIN_AFTER)
    assert world.run_migration().verdict == "Started"


def test_a_fresh_claim_of_another_release_is_waited_for(world: World) -> None:
    older(world, status="Claimed")
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    assert world.migration_tasks() == []
    world.clock.forward(seconds=CERTAIN_AFTER.total_seconds())
    assert world.run_migration().verdict == "Started"


def test_a_claim_whose_task_certainly_never_ran_is_passed(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.claim(NEXT)
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    world.clock.forward(minutes=3)
    assert world.run_migration().verdict == "Started"
    assert (len(world.migration_tasks()), world.migration_statuses()) == (1, ["NotStarted", "Running"])


@pytest.mark.parametrize("person", [False, True])
def test_what_nobody_can_tell_any_more_is_never_run_again(world: World, person: bool) -> None:
    world.ecs.lose_answer("run_task")
    with pytest.raises(Unavailable):
        world.run_migration()
    world.ecs.tasks = {arn: task for arn, task in world.ecs.tasks.items() if task not in world.migration_tasks()}
    world.clock.forward(hours=2)
    for deployment in (NEXT, "01K00000000000000000000ANO"):
        world.claim(deployment, automated=not person)
        assert world.run_migration().model_dump() == {"verdict": "Failed", "reason": "OutcomeUnknown"}
        assert world.migration.status is StepStatus.ERRORED
    assert world.migration_statuses() == ["Unknown"]
    assert world.migration_tasks() == []


def test_its_own_old_claim_is_not_run_again_once_the_token_may_be_forgotten(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.clock.forward(minutes=50)
    assert world.run_migration().reason == "OutcomeUnknown"
    assert world.migration_tasks() == []


def test_a_token_that_conflicts_decides_nothing(world: World) -> None:
    world.ecs.refuse("run_task", "ConflictException")
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    world.clock.forward(minutes=3)
    world.ecs.refuse("run_task", "ConflictException")
    assert world.run_migration().reason == "OutcomeUnknown"


def test_all_containers_of_the_image_move_and_only_the_named_one_runs_the_command(world: World) -> None:
    base = world.ecs.new_definition("api-migrate", OLD, {"wait-for-database": OLD})
    planned = world.deployment.require_plan().migration
    assert planned is not None
    changed = planned.but(base_task_definition=base, containers=["app", "wait-for-database"])
    world.claim("01K00000000000000000000MIG", migration=changed)
    world.run_migration()
    [task] = world.migration_tasks()
    definition = world.ecs.definitions[task["taskDefinitionArn"]]
    assert [item["image"] for item in definition["containerDefinitions"]] == ["guardduty:1", NEW, NEW]
    assert task["overrides"] == {"containerOverrides": [{"name": "app", "command": COMMAND}]}


@pytest.mark.parametrize("phase", [Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK, Phase.SUCCEEDED])
def test_what_is_not_approved_goes_back_or_has_ended_registers_and_runs_nothing(world: World, phase: Phase) -> None:
    world.set_phase(phase)
    with pytest.raises(NotItsTurn):
        world.run_migration()
    assert (world.ecs.calls["register_task_definition"], world.ecs.calls["run_task"]) == (0, 0)
    assert (world.migration_claims(), world.after_the_gate) == ([], {})
