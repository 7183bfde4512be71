"""Watching the migration's task: it is judged by its exit code, if its container ended by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.errors import ClaimLost
from ferryman.records import MigrationClaim, StepStatus
from ferryman.records.writes import Save
from ferryman.steps.watch_migration import Seen, Terms, judge
from ferryman.store.table import Store
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds

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
            replace(ENDED, exit_code=None), TERMS, 90, "Errored", "TaskFailedToStart", False, id="nothing-ran"
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
            "Errored",
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


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def test_success(world: World) -> None:
    assert world.finish_migration(0) == {"verdict": "Succeeded", "reason": "Completed"}
    assert world.migration.migration.exit_code == 0  # type: ignore[union-attr]
    assert world.migration_statuses() == ["Succeeded"]
    assert world.store.waits(world.migration_tasks()[0]["taskArn"]) == []


def test_a_failure_says_everything(world: World) -> None:
    world.run_migration()
    [task] = world.migration_tasks()
    stream = f"ecs/app/{task['taskArn'].rsplit('/', 1)[-1]}"
    world.logs.write("/ecs/api-migrate", stream, *(f"line {i}" for i in range(40)), "duplicate column: owner")
    assert world.finish_migration(1) == {"verdict": "Failed", "reason": "NonZeroExit"}
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
    assert (world.migration_statuses(), world.migration_claims()[0].exit_code) == (["Failed"], 1)


def test_an_absent_exit_code_is_no_success(world: World) -> None:
    answer = world.finish_migration(None, stop_code="TaskFailedToStart", reason="CannotPullContainerError: 403")
    assert answer == {"verdict": "Failed", "reason": "TaskFailedToStart"}
    assert "CannotPullContainerError: 403" in world.migration.message


def test_a_fresh_task_that_is_not_listed_yet(world: World) -> None:
    world.run_migration()
    world.ecs.unlisted.update(world.ecs.tasks)
    assert world.answer(world.watch_migration()) is None
    world.ecs.unlisted.clear()
    world.ecs.stop(world.migration_tasks()[0], exit_code=0)
    assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]


def test_one_that_never_starts_is_stopped_at_its_deadline(world: World) -> None:
    world.run_migration()
    world.clock.forward(seconds=599)
    assert world.answer(world.watch_migration()) is None
    assert world.ecs.calls["stop_task"] == 0
    world.clock.forward(seconds=1)
    assert world.answer(world.watch_migration()) is None
    [task] = world.migration_tasks()
    assert task["desiredStatus"] == "STOPPED"
    task["lastStatus"] = "STOPPED"
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "DeadlineExceeded"}
    assert "600 s" in world.migration.message
    assert (world.migration.status, world.migration_statuses()) == (StepStatus.ERRORED, ["NotStarted"])


def test_abort_stops_it_and_waits_until_it_stopped(world: World) -> None:
    world.run_migration()
    world.abort()
    assert world.answer(world.watch_migration()) is None
    [task] = world.migration_tasks()
    world.ecs.stop(task, exit_code=0, stop_code="UserInitiated")
    assert world.answer(world.watch_migration()) == {"verdict": "Aborted", "reason": "AbortRequested"}
    assert world.migration.status is StepStatus.ABORTED


def test_who_lost_the_claim_stops_no_task(world: World) -> None:
    world.run_migration()
    world.abort()
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.watch_migration()
    assert world.ecs.calls["stop_task"] == 0


def test_watching_again_repeats_the_verdict(world: World) -> None:
    world.finish_migration(1)
    rev = world.deployment.rev
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "NonZeroExit"}
    assert world.deployment.rev == rev


def test_a_watch_without_a_migration_is_answered(world: World) -> None:
    assert world.answer(world.watch_migration()) == {"verdict": "Failed", "reason": "NotStarted"}


def test_the_verdict_and_the_claim_are_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run_migration()
    world.ecs.stop(world.migration_tasks()[0], exit_code=0)
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
