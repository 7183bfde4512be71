"""The migration: at most one success per environment and release, whatever is lost; judged by its exit code alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.decisions.migration_attempts import CERTAIN_AFTER, Begin, Decision, Refuse, Resume, Skip, decide_attempt
from ferryman.errors import ClaimLost, NotVisibleYet, Throttled, Unavailable
from ferryman.records import Actor, Deployment, MigrationClaim, StepStatus
from ferryman.records.writes import Save
from ferryman.steps.watch_migration import Seen, Terms, judge
from ferryman.store.table import Store
from unit import builders as make
from unit.conftest import FakeClock, FakeIds
from unit.ecs_world import COMMAND, ID, NEW, NEXT, World

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TERMS = Terms(started_at=T0, followed_at=T0, timeout_seconds=600)
RUNS = Seen(listed=True, status="RUNNING")
ENDED = Seen(
    listed=True, stopped=True, ending=True, exit_code=0, stop_code="EssentialContainerExited", status="STOPPED"
)
STOPPED = replace(ENDED, stop_code="UserInitiated")
ABORTED = replace(TERMS, aborted_at=T0 + timedelta(seconds=30), aborted="ann asked")


@pytest.mark.parametrize(
    ("seen", "terms", "seconds", "status", "reason", "stops"),
    [
        pytest.param(RUNS, TERMS, 90, None, "", False, id="runs"),
        pytest.param(replace(RUNS, status="PROVISIONING"), TERMS, 599, None, "", False, id="has-not-started"),
        pytest.param(ENDED, TERMS, 1, "Succeeded", "Completed", False, id="never-seen-running"),
        pytest.param(replace(ENDED, stopped=False), TERMS, 90, "Succeeded", "Completed", False, id="deprovisioning"),
        pytest.param(
            replace(RUNS, exit_code=0), TERMS, 90, "Succeeded", "Completed", False, id="a-sidecar-goes-on-running"
        ),
        pytest.param(
            replace(RUNS, exit_code=0, ending=True), TERMS, 90, None, "", False, id="zero-but-stopped-by-whom"
        ),
        pytest.param(ENDED, TERMS, 9999, "Succeeded", "Completed", False, id="done-late-is-done"),
        pytest.param(ENDED, ABORTED, 60, "Succeeded", "Completed", False, id="done-before-the-abort-stopped-it"),
        pytest.param(replace(ENDED, exit_code=1), TERMS, 90, "Failed", "NonZeroExit", False, id="exit-1"),
        pytest.param(replace(ENDED, exit_code=1), TERMS, 601, "Failed", "NonZeroExit", False, id="exit-1-late"),
        pytest.param(
            replace(ENDED, exit_code=1, stopped=False), TERMS, 90, None, "", False, id="exit-1-log-not-complete"
        ),
        pytest.param(
            replace(ENDED, exit_code=None), TERMS, 90, "Failed", "TaskFailedToStart", False, id="no-exit-code"
        ),
        pytest.param(STOPPED, TERMS, 90, "Failed", "Stopped", False, id="stopped-in-the-console-with-0"),
        pytest.param(
            replace(ENDED, stop_code="SpotInterruption"), TERMS, 90, "Failed", "Stopped", False, id="spot-with-0"
        ),
        pytest.param(Seen(), TERMS, 59, None, "", False, id="not-listed-yet"),
        pytest.param(Seen(), TERMS, 60, "Errored", "OutcomeUnknown", False, id="not-listed-for-too-long"),
        pytest.param(RUNS, TERMS, 600, None, "", True, id="deadline-stops-it"),
        pytest.param(replace(RUNS, status="PROVISIONING"), TERMS, 600, None, "", True, id="never-started-deadline"),
        pytest.param(STOPPED, TERMS, 610, "Failed", "DeadlineExceeded", False, id="deadline-stopped"),
        pytest.param(
            replace(STOPPED, exit_code=None),
            TERMS,
            610,
            "Failed",
            "DeadlineExceeded",
            False,
            id="never-started-stopped",
        ),
        pytest.param(RUNS, TERMS, 781, "Failed", "DeadlineExceeded", True, id="deadline-will-not-stop"),
        pytest.param(RUNS, ABORTED, 60, None, "", True, id="abort-stops-it"),
        pytest.param(STOPPED, ABORTED, 60, "Aborted", "AbortRequested", False, id="abort-stopped"),
        pytest.param(RUNS, ABORTED, 211, "Aborted", "AbortRequested", True, id="abort-will-not-stop"),
    ],
)
def test_judge(seen: Seen, terms: Terms, seconds: int, status: str | None, reason: str, stops: bool) -> None:
    verdict = judge(seen, terms, T0 + timedelta(seconds=seconds))
    assert (verdict.status, verdict.reason, verdict.stop is not None) == (status, reason, stops)


def claim(status: Any, attempt: int = 1, deployment: str = "01K00000000000000000000OLD") -> MigrationClaim:
    return MigrationClaim(
        platform="scr",
        environment="staging",
        version="abc1234",
        attempt=attempt,
        deployment=deployment,
        status=status,
        task_definition="arn:td:1",
        client_token=f"fm-{deployment}-{attempt}",
        exit_code=1 if status == "Failed" else None,
        at=T0,
    )


def own(person: bool = False, **changes: Any) -> Deployment:
    made = make.deployment(id=ID, initiated_by=Actor(who="x", automated=not person), steps={})
    plan = make.plan(migration=World.plan.__get__(_Bare())().migration)
    return made.but(plan=plan, **changes)


class _Bare:
    old = {"api": "td", "web": "td"}


@pytest.mark.parametrize(
    ("deployment", "claims", "expected"),
    [
        pytest.param(own(), [], Begin(1), id="first"),
        pytest.param(own(kind="rollback"), [], Skip, id="going-back"),
        pytest.param(own().but(plan=make.plan()), [], Skip, id="no-migration"),
        pytest.param(own(), [claim("Succeeded")], Skip, id="done"),
        pytest.param(own(person=True), [claim("Succeeded"), claim("Failed", 2)], Skip, id="done-once-is-done"),
        pytest.param(own(), [claim("Failed")], Refuse, id="failed-automation"),
        pytest.param(own(person=True), [claim("Failed")], Begin(2), id="failed-person"),
        pytest.param(own(), [claim("NotStarted")], Begin(2), id="never-ran-automation"),
        pytest.param(own(), [claim("Claimed")], Resume, id="somebody-died"),
        pytest.param(own(), [claim("Running")], Resume, id="somebody-died-while-it-ran"),
        pytest.param(own(person=True), [claim("Unknown")], Resume, id="unknown-even-for-a-person"),
        pytest.param(own(), [claim("Reverted")], Begin(2), id="taken-back-is-not-done"),
        pytest.param(own(), [claim("Reverted"), claim("Succeeded", 2)], Skip, id="done-again"),
        pytest.param(
            own(kind="rollback", command="down", revision="1"), [], Begin(1), id="going-back-with-a-downgrade"
        ),
        pytest.param(own(kind="migrate", command="current"), [], Begin(1), id="a-person's-command"),
    ],
)
def test_decide(deployment: Deployment, claims: list[MigrationClaim], expected: Decision | type) -> None:
    decision = decide_attempt(deployment, claims)
    assert decision == expected if not isinstance(expected, type) else isinstance(decision, expected)


# ── run ──


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def claims_of(world: World) -> list[MigrationClaim]:
    return world.store.migration_claims("scr", "staging", "abc1234")


def statuses(world: World) -> list[str]:
    return [claim.status for claim in claims_of(world)]


def tasks(world: World) -> list[dict[str, Any]]:
    return [task for task in world.ecs.tasks.values() if str(task["startedBy"]).startswith("fm-")]


def test_it_runs_the_release_by_digest(world: World) -> None:
    assert world.run_migration().verdict == "Started"
    [task], [claimed] = tasks(world), claims_of(world)
    definition = world.ecs.definitions[task["taskDefinitionArn"]]
    assert [item["image"] for item in definition["containerDefinitions"]] == ["guardduty:1", NEW]
    assert task["overrides"] == {"containerOverrides": [{"name": "app", "command": COMMAND}]}
    assert (claimed.status, claimed.task) == ("Running", task["taskArn"])
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]
    assert world.timeline() == ["StepStarted"]
    assert len(task["startedBy"]) <= 36


def test_twice_runs_once(world: World) -> None:
    assert world.run_migration() == world.run_migration()
    assert len(tasks(world)) == 1
    assert world.ecs.calls["run_task"] == 1


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not-listed-yet"])
def test_a_lost_answer_runs_nothing_twice(world: World, listed: bool) -> None:
    world.ecs.lose_answer("run_task")
    with pytest.raises(Unavailable):
        world.run_migration()
    [task] = tasks(world)
    if not listed:
        world.ecs.unlisted.add(task["taskArn"])
    assert world.run_migration().verdict == "Started"
    assert [task["taskArn"] for task in tasks(world)] == [task["taskArn"]]
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]


@pytest.mark.parametrize("operation", ["describe_task_definition", "register_task_definition", "run_task"])
def test_throttling_passes(world: World, operation: str) -> None:
    world.ecs.throttle(operation, 2)
    for _ in range(2):
        with pytest.raises(Throttled):
            world.run_migration()
    assert world.run_migration().verdict == "Started"
    assert (len(tasks(world)), statuses(world)) == (1, ["Running"])


@pytest.mark.parametrize("crash", [1, 2])
def test_a_crash_at_any_write_runs_nothing_twice(world: World, crash: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = world.store.write, 0

    def write(*writes: Any) -> None:
        nonlocal count
        count += 1
        if count == crash:
            raise RuntimeError("killed")
        real(*writes)

    monkeypatch.setattr(world.store, "write", write)
    with pytest.raises(RuntimeError):
        world.run_migration()
    monkeypatch.undo()
    assert world.run_migration().verdict == "Started"
    assert (len(tasks(world)), statuses(world)) == (1, ["Running"])


def test_who_lost_the_claim_runs_nothing(world: World) -> None:
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.run_migration()
    assert (tasks(world), claims_of(world)) == ([], [])


def test_who_lost_the_claim_after_claiming_the_attempt_runs_nothing(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.run_migration()
    assert tasks(world) == []


@pytest.mark.parametrize("why", ["failures", "refused", "nothing"])
def test_a_task_that_ecs_does_not_start_may_be_tried_by_automation(world: World, why: str) -> None:
    if why == "failures":
        world.ecs.run_failures = [{"arn": "x", "reason": "RESOURCE:MEMORY", "detail": "none left"}]
    elif why == "refused":
        world.ecs.refuse("run_task", "AccessDeniedException")
    else:
        world.ecs.run_failures = [{}]
    assert world.run_migration().verdict == "Failed"
    assert (world.migration.status, statuses(world)) == (StepStatus.ERRORED, ["NotStarted"])
    assert "no service was changed" in world.migration.message
    world.ecs.run_failures = []
    world.claim(NEXT)
    assert world.run_migration().verdict == "Started"
    assert statuses(world) == ["NotStarted", "Running"]


def test_no_migration_in_the_plan(world: World) -> None:
    world.claim(NEXT, migration=None)
    assert world.run_migration().model_dump() == {"verdict": "Skipped", "reason": "NoMigration"}
    assert world.migration.status is StepStatus.SKIPPED


def test_abort_before_it_runs(world: World) -> None:
    world.abort()
    assert world.run_migration().verdict == "Aborted"
    assert (world.deployment.steps, tasks(world)) == ({}, [])


def test_abort_after_a_throttled_call_runs_nothing(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.abort()
    assert world.run_migration().verdict == "Aborted"
    assert tasks(world) == []


# ── run, after somebody else ──


def finish(world: World, exit_code: int | None, **how: Any) -> dict[str, Any] | None:
    world.run_migration()
    world.ecs.stop(tasks(world)[-1], exit_code=exit_code, **how)
    return world.answer(world.watch_migration())


def test_one_success_is_enough(world: World) -> None:
    finish(world, 0)
    world.claim(NEXT)
    assert world.run_migration().model_dump() == {"verdict": "Skipped", "reason": "AlreadyMigrated"}
    assert len(tasks(world)) == 1


def test_automation_does_not_repeat_a_failure(world: World) -> None:
    finish(world, 1)
    world.claim(NEXT)
    assert world.run_migration().model_dump() == {"verdict": "Failed", "reason": "MigrationFailedBefore"}
    assert "ferryman retry staging" in world.migration.message
    assert len(tasks(world)) == 1


def test_a_person_may(world: World) -> None:
    finish(world, 1)
    world.claim(NEXT, automated=False, kind="retry")
    assert world.run_migration().verdict == "Started"
    assert (len(tasks(world)), statuses(world)) == (2, ["Failed", "Running"])


def test_the_task_of_a_deployment_that_died_is_followed(world: World) -> None:
    """A person aborted the execution in the console while the migration ran."""
    world.run_migration()
    [task] = tasks(world)
    world.claim(NEXT)
    assert world.run_migration().verdict == "Started"
    assert world.migration.migration.task == task["taskArn"]  # type: ignore[union-attr]
    world.ecs.stop(task, exit_code=0)
    assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]
    assert (len(tasks(world)), statuses(world)) == (1, ["Succeeded"])


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
    [task] = tasks(world)
    [mine] = claims_of(world)
    world.store.write(Save(mine.but(version="0001234", rev=0)), Save(mine.but(status="Failed")))
    world.claim(NEXT, automated=False, kind="retry")

    assert world.run_migration().verdict == "Failed"
    assert (world.migration.status, world.migration.reason) == (StepStatus.ERRORED, "AnotherMigrationRuns")
    assert task["taskArn"] in world.migration.message
    assert len(tasks(world)) == 1


def test_a_finished_migration_of_another_release_is_no_obstacle(world: World) -> None:
    older(world, at=world.clock() - CERTAIN_AFTER)
    assert world.run_migration().verdict == "Started"


def test_a_fresh_claim_of_another_release_is_waited_for(world: World) -> None:
    older(world, status="Claimed")
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    assert tasks(world) == []
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
    assert (len(tasks(world)), statuses(world)) == (1, ["NotStarted", "Running"])


@pytest.mark.parametrize("person", [False, True])
def test_what_nobody_can_tell_any_more_is_never_run_again(world: World, person: bool) -> None:
    world.ecs.lose_answer("run_task")
    with pytest.raises(Unavailable):
        world.run_migration()
    world.ecs.tasks = {arn: task for arn, task in world.ecs.tasks.items() if task not in tasks(world)}
    world.clock.forward(hours=2)
    for deployment in (NEXT, "01K00000000000000000000ANO"):
        world.claim(deployment, automated=not person)
        assert world.run_migration().model_dump() == {"verdict": "Failed", "reason": "OutcomeUnknown"}
        assert world.migration.status is StepStatus.ERRORED
    assert statuses(world) == ["Unknown"]
    assert tasks(world) == []


def test_its_own_old_claim_is_not_run_again_once_the_token_may_be_forgotten(world: World) -> None:
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.clock.forward(minutes=50)
    assert world.run_migration().reason == "OutcomeUnknown"
    assert tasks(world) == []


def test_a_token_that_conflicts_decides_nothing(world: World) -> None:
    world.ecs.refuse("run_task", "ConflictException")
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    world.clock.forward(minutes=3)
    world.ecs.refuse("run_task", "ConflictException")
    assert world.run_migration().reason == "OutcomeUnknown"


# ── watch ──


def test_success(world: World) -> None:
    assert finish(world, 0) == {"verdict": "Succeeded", "reason": "Completed"}
    assert world.migration.migration.exit_code == 0  # type: ignore[union-attr]
    assert statuses(world) == ["Succeeded"]
    assert world.store.waits(tasks(world)[0]["taskArn"]) == []


def test_a_failure_says_everything(world: World) -> None:
    world.run_migration()
    [task] = tasks(world)
    stream = f"ecs/app/{task['taskArn'].rsplit('/', 1)[-1]}"
    world.logs.write("/ecs/api-migrate", stream, *(f"line {i}" for i in range(40)), "duplicate column: owner")
    assert finish(world, 1) == {"verdict": "Failed", "reason": "NonZeroExit"}
    step = world.migration
    for part in (
        "`alembic upgrade head`",
        "abc1234",
        "code 1",
        "duplicate column: owner",
        "No service was changed",
        "ferryman retry staging",
    ):
        assert part in step.message
    assert (len(step.logs), step.logs[-1]) == (20, "duplicate column: owner")
    assert (statuses(world), claims_of(world)[0].exit_code) == (["Failed"], 1)


def test_an_absent_exit_code_is_a_failure(world: World) -> None:
    answer = finish(world, None, stop_code="TaskFailedToStart", reason="CannotPullContainerError: 403")
    assert answer == {"verdict": "Failed", "reason": "TaskFailedToStart"}
    assert "CannotPullContainerError: 403" in world.migration.message


def test_a_fresh_task_that_is_not_listed_yet(world: World) -> None:
    world.run_migration()
    world.ecs.unlisted.update(world.ecs.tasks)
    assert world.answer(world.watch_migration()) is None
    world.ecs.unlisted.clear()
    world.ecs.stop(tasks(world)[0], exit_code=0)
    assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]


def test_one_that_never_starts_is_stopped_at_its_deadline(world: World) -> None:
    world.run_migration()
    world.clock.forward(seconds=599)
    assert world.answer(world.watch_migration()) is None
    assert world.ecs.calls["stop_task"] == 0
    world.clock.forward(seconds=1)
    assert world.answer(world.watch_migration()) is None
    [task] = tasks(world)
    assert task["desiredStatus"] == "STOPPED"
    task["lastStatus"] = "STOPPED"
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "DeadlineExceeded"}
    assert "600 s" in world.migration.message
    assert statuses(world) == ["Failed"]


def test_abort_stops_it_and_waits_until_it_stopped(world: World) -> None:
    world.run_migration()
    world.abort()
    assert world.answer(world.watch_migration()) is None
    [task] = tasks(world)
    world.ecs.stop(task, exit_code=0, stop_code="UserInitiated")
    assert world.answer(world.watch_migration()) == {"verdict": "Aborted", "reason": "AbortRequested"}
    assert world.migration.status is StepStatus.ABORTED


def test_watching_again_repeats_the_verdict(world: World) -> None:
    finish(world, 1)
    rev = world.deployment.rev
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "NonZeroExit"}
    assert world.deployment.rev == rev


def test_a_watch_without_a_migration_is_answered(world: World) -> None:
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "NotStarted"}


def test_the_verdict_and_the_claim_are_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run_migration()
    world.ecs.stop(tasks(world)[0], exit_code=0)
    real = world.store.write

    def write(*writes: Any) -> None:
        if any(isinstance(item, Save) and isinstance(item.record, MigrationClaim) for item in writes):
            raise RuntimeError("killed")
        real(*writes)

    monkeypatch.setattr(world.store, "write", write)
    with pytest.raises(RuntimeError):
        world.watch_migration()
    monkeypatch.undo()
    assert world.migration.status is StepStatus.RUNNING
    assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]
