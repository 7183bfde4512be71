"""What a person does to the database: a downgrade, up, current. At most once each, and what it takes back is known."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.migration_attempts import (
    key_of,
)
from ferryman.errors import ClaimLost, NotVisibleYet, Throttled, Unavailable
from ferryman.records import MigrationClaim, StepStatus
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.ecs_world import NEXT, World, left
from unit.fakes.clock import FakeClock, FakeIds

FOUR = ["001", "002", "003", "104"]
OLD, RUNS, LATER = "0001234", "abc1234", "def1234"
THIRD = "01K00000000000000000000THI"


KNOWN = [left(OLD, ids=["001"]), left(RUNS, ids=["001", "002", "003"]), left(LATER, ids=FOUR)]


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    for number, version in enumerate((OLD, RUNS, LATER)):
        world.store.write(Save(make.release(version, first_seen_at=make.AT + timedelta(hours=number))))
    return world


def statuses(world: World) -> dict[str, str]:
    return {item.version: item.status for item in world.store.migrations("scr", "staging")}


def tasks(world: World) -> list[dict[str, Any]]:
    return world.migration_tasks()


def finish(world: World, exit_code: int | None = 0, **how: Any) -> Any:
    return world.finish_migration(exit_code, **how)


def ask(world: World, command: Any, deployment: str = NEXT, kind: Any = "migrate", **more: Any) -> None:
    plan = world.plan(migrations=FOUR).migration
    assert plan is not None
    words = {"down": ["alembic", "downgrade", "001"], "current": ["alembic", "current"], "up": plan.command}[command]
    world.claim(
        deployment,
        automated=False,
        kind=kind,
        command=command,
        migration=plan.but(command=words),
        migrations=FOUR,
        **more,
    )


class TestCommands:
    @pytest.mark.parametrize("command", ["up", "down", "current"])
    def test_runs_once_for_each_time_it_is_asked_for(self, world: World, command: str) -> None:
        """However often the release was migrated, and however often a step runs again."""
        world.store.write(Save(left(RUNS, ids=["001"])))
        for number, deployment in enumerate((NEXT, THIRD), 1):
            ask(world, command, deployment, revision="001" if command == "down" else None)
            for _ in range(3):
                assert world.run_migration().verdict == "Started"
            assert finish(world)["verdict"] == "Succeeded"
            assert world.run_migration().verdict == "Started"
            assert len(tasks(world)) == number
        assert statuses(world) == {
            RUNS: "Succeeded",
            f"{RUNS}@{NEXT}": "Succeeded",
            f"{RUNS}@{THIRD}": "Succeeded",
        }

    def test_does_not_count_as_the_releases_one_success(self, world: World) -> None:
        ask(world, "current")
        finish(world)
        world.claim(THIRD)
        assert world.run_migration().verdict == "Started"

    def test_says_where_the_database_stands(self, world: World) -> None:
        ask(world, "current")
        world.run_migration()
        [task] = tasks(world)
        stream = f"ecs/app/{task['taskArn'].rsplit('/', 1)[-1]}"
        world.logs.write("/ecs/api-migrate", stream, "INFO connecting", "002 (head)")
        assert finish(world)["verdict"] == "Succeeded"
        assert world.migration.logs == ["INFO connecting", "002 (head)"]
        assert "`alembic current`" in world.migration.message
        assert "002 (head)" in world.migration.message

    def test_that_failed_says_how_to_go_on(self, world: World) -> None:
        ask(world, "up")
        assert finish(world, 1)["verdict"] == "Failed"
        assert "ferryman migrate staging current" in world.migration.message
        assert "ferryman retry" not in world.migration.message

    @pytest.mark.parametrize("listed", [True, False])
    def test_a_lost_answer_runs_nothing_twice(self, world: World, listed: bool) -> None:
        ask(world, "down", revision="001")
        world.ecs.lose_answer("run_task")
        with pytest.raises(Unavailable):
            world.run_migration()
        if not listed:
            world.ecs.unlisted.update(task["taskArn"] for task in tasks(world))
        assert world.run_migration().verdict == "Started"
        assert len(tasks(world)) == 1

    def test_what_nobody_can_tell_is_not_run_again(self, world: World) -> None:
        ask(world, "down", revision="001")
        world.ecs.lose_answer("run_task")
        with pytest.raises(Unavailable):
            world.run_migration()
        world.ecs.tasks = {arn: task for arn, task in world.ecs.tasks.items() if task not in tasks(world)}
        world.clock.forward(hours=2)
        assert world.run_migration().reason == "OutcomeUnknown"
        assert world.migration.status is StepStatus.ERRORED
        assert "ferryman migrate staging current" in world.migration.message
        assert "@" not in world.migration.message
        assert statuses(world) == {f"{RUNS}@{NEXT}": "Unknown"}

    def test_never_beside_the_migration_of_a_release(self, world: World) -> None:
        world.run_migration()
        ask(world, "down", revision="001")
        assert world.run_migration().verdict == "Failed"
        assert world.migration.reason == "AnotherMigrationRuns"
        assert len(tasks(world)) == 1

    def test_a_migration_never_runs_beside_it(self, world: World) -> None:
        ask(world, "down", revision="001")
        world.run_migration()
        world.claim(THIRD)
        assert world.run_migration().verdict == "Failed"
        assert world.migration.reason == "AnotherMigrationRuns"
        assert "@" not in world.migration.message

    def test_that_ecs_does_not_start_is_not_tried_by_itself(self, world: World) -> None:
        ask(world, "up")
        world.ecs.run_failures = [{"arn": "x", "reason": "RESOURCE:MEMORY"}]
        assert world.run_migration().verdict == "Failed"
        assert "ask for it again" in world.migration.message


class TestDowngrade:
    def start(self, world: World, **more: Any) -> None:
        world.store.write(*map(Save, KNOWN))
        ask(world, "down", kind="rollback", version=OLD, revision="001", **more)

    def test_releases_that_it_took_back_migrate_again(self, world: World) -> None:
        self.start(world)
        assert finish(world)["verdict"] == "Succeeded"
        assert statuses(world) == {OLD: "Succeeded", RUNS: "Reverted", LATER: "Reverted", f"{OLD}@{NEXT}": "Succeeded"}
        world.claim(THIRD)
        assert world.run_migration().verdict == "Started"
        assert [item.status for item in world.store.migration_claims("scr", "staging", RUNS)] == ["Reverted", "Running"]

    @pytest.mark.parametrize(
        ("exit_code", "how", "reverted"),
        [
            pytest.param(1, {}, True, id="failed-half-way"),
            pytest.param(0, {"stop_code": "UserInitiated"}, True, id="stopped-by-hand"),
            pytest.param(None, {"stop_code": "TaskFailedToStart"}, False, id="never-started"),
        ],
    )
    def test_that_failed_may_have_taken_some_back(
        self, world: World, exit_code: int | None, how: dict[str, Any], reverted: bool
    ) -> None:
        self.start(world)
        assert finish(world, exit_code, **how)["verdict"] == "Failed"
        assert statuses(world)[RUNS] == ("Reverted" if reverted else "Succeeded")

    def test_that_was_aborted_may_have_taken_some_back(self, world: World) -> None:
        self.start(world)
        world.run_migration()
        world.abort()
        world.watch_migration()
        world.ecs.stop(tasks(world)[0], exit_code=143, stop_code="UserInitiated")
        assert world.answer(world.watch_migration())["verdict"] == "Aborted"  # type: ignore[index]
        assert statuses(world)[RUNS] == "Reverted"

    def test_that_lost_its_claim_takes_nothing_back(self, world: World) -> None:
        self.start(world)
        world.run_migration()
        world.ecs.stop(tasks(world)[0], exit_code=0)
        world.lose_claim()
        with pytest.raises(ClaimLost):
            world.watch_migration()
        assert statuses(world)[RUNS] == "Succeeded"

    def test_a_crash_between_marking_and_ending_is_made_good(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.start(world)
        world.run_migration()
        world.ecs.stop(tasks(world)[0], exit_code=0)
        real, count = world.store.write, 0

        def write(*writes: Any) -> None:
            nonlocal count
            real(*writes)
            count += any(isinstance(item, Save) and isinstance(item.record, MigrationClaim) for item in writes)
            if count == 1:
                count += 1
                raise RuntimeError("killed")

        monkeypatch.setattr(world.store, "write", write)
        with pytest.raises(RuntimeError):
            world.watch_migration()
        assert (world.migration.status, statuses(world)[RUNS]) == (StepStatus.RUNNING, "Reverted")
        monkeypatch.undo()
        assert world.answer(world.watch_migration())["verdict"] == "Succeeded"  # type: ignore[index]
        assert statuses(world)[f"{OLD}@{NEXT}"] == "Succeeded"

    def test_who_lost_the_claim_marks_nothing(self, world: World) -> None:
        """What was taken back may have been migrated again by then."""
        self.start(world)
        world.run_migration()
        world.ecs.stop(tasks(world)[0], exit_code=0)
        world.lose_claim()
        with pytest.raises(ClaimLost):
            world.watch_migration()
        assert statuses(world)[RUNS] == "Succeeded"

    def test_more_than_a_transaction_holds(self, world: World) -> None:
        many = [left(f"{number:07d}", ids=FOUR) for number in range(70)]
        for start in range(0, len(many), 60):
            world.store.write(*map(Save, many[start : start + 60]))
        self.start(world)
        assert finish(world)["verdict"] == "Succeeded"
        assert {statuses(world)[item.version] for item in many} == {"Reverted"}

    def test_up_by_hand_brings_them_back(self, world: World) -> None:
        world.store.write(Save(left(RUNS, "Reverted", FOUR)), Save(left(LATER, "Reverted", FOUR)))
        ask(world, "up", version=RUNS)
        assert finish(world)["verdict"] == "Succeeded"
        assert statuses(world) == {RUNS: "Succeeded", LATER: "Reverted", f"{RUNS}@{NEXT}": "Succeeded"}

    def test_throttling_passes(self, world: World) -> None:
        self.start(world)
        world.ecs.throttle("run_task")
        with pytest.raises(Throttled):
            world.run_migration()
        assert finish(world)["verdict"] == "Succeeded"
        assert len(tasks(world)) == 1


def test_a_fresh_command_of_a_deployment_that_died_is_waited_for(world: World) -> None:
    ask(world, "down", revision="001")
    world.ecs.throttle("run_task")
    with pytest.raises(Throttled):
        world.run_migration()
    world.claim(THIRD)
    with pytest.raises(NotVisibleYet):
        world.run_migration()
    assert tasks(world) == []


def test_keys_do_not_mix(world: World) -> None:
    ask(world, "current")
    assert key_of(world.deployment, "") == f"{RUNS}@{NEXT}"
    finish(world)
    assert world.store.migration_claims("scr", "staging", RUNS) == []


def test_the_claim_remembers_what_its_image_brings(world: World) -> None:
    world.claim(NEXT, migrations=["001"])
    world.run_migration()
    assert [item.migrations for item in world.store.migrations("scr", "staging")] == [["001"]]
