"""The database migration: once per release, or a person is asked."""

from collections.abc import Callable
from typing import Any

import pytest

from ferryman.records import Phase, StepStatus, step_keys
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def test_a_migration_that_never_starts_ends_at_its_deadline(place: Make, stage: Stage) -> None:
    scr = place(migration=True, migration_timeout="3s")

    def pending(answer: dict[str, Any]) -> dict[str, Any]:
        """The migration's task as if there were no capacity for it."""
        for task in answer["tasks"]:
            if f"/{scr.name}-migrate:" in task["taskDefinitionArn"]:
                if task["lastStatus"] != "STOPPED":
                    task["lastStatus"] = "PENDING"
                task.pop("startedAt", None)
                for container in task["containers"]:
                    container.pop("exitCode", None)
                    container.pop("runtimeId", None)
                    container["lastStatus"] = task["lastStatus"]
        return answer

    stage.proxy.fault("stale", service="ecs", action="DescribeTasks", times=None, match=scr.mine, transform=pending)
    version = scr.push(MIGRATION_GATE=str(scr.gate()))
    done = scr.ended(version)
    assert done.phase is Phase.ERRORED, scr.tell()
    step = done.steps[step_keys.MIGRATION]
    assert (step.status, step.reason) == (StepStatus.ERRORED, "DeadlineExceeded")
    assert "3 s" in step.message
    assert [task["lastStatus"] for task in scr.migrations()] == ["STOPPED"], "it must not start later"
    assert scr.calls("UpdateService") == []
    scr.runs("bootstrap")


@pytest.mark.parametrize("times", [1, 3], ids=["once", "more often than the client tries"])
def test_a_run_task_whose_answer_is_lost_makes_one_task(shared: Make, stage: Stage, times: int) -> None:
    scr = shared(migration=True)
    before = len(scr.migrations())
    lost = stage.proxy.fault("lost_response", service="ecs", action="RunTask", times=times, match=scr.mine)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert lost.hits == times
    assert len(scr.migrations()) == before + 1
    scr.runs(version)


def test_a_release_is_migrated_once_however_often_it_is_deployed(shared: Make, stage: Stage) -> None:
    scr = shared(migration=True)
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    ran = len(scr.migrations())
    scr.ask("redeploy", reason="once more")
    again = scr.ended(version, attempt=2)
    assert again.phase is Phase.SUCCEEDED, scr.tell()
    assert (again.steps[step_keys.MIGRATION].status, again.steps[step_keys.MIGRATION].reason) == (
        StepStatus.SKIPPED,
        "AlreadyMigrated",
    )
    assert len(scr.migrations()) == ran


def test_an_image_that_cannot_start_fails_the_migration_with_the_reason(place: Make) -> None:
    scr = place(migration=True)
    scr.environment["migration"]["command"] = ["no-such-program"]
    scr.apply()
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.FAILED, scr.tell()
    assert done.steps[step_keys.MIGRATION].status is StepStatus.FAILED
    scr.runs("bootstrap")


def test_a_failed_migration_is_tried_again_only_when_a_person_asks(place: Make, stage: Stage) -> None:
    scr = place(migration=True)
    fixed = scr.gate()
    version = scr.push(MIGRATION_NEEDS=str(fixed))
    assert scr.ended(version).phase is Phase.FAILED, scr.tell()
    stage.sweep()
    assert scr.state.active is None
    assert len(scr.deployments(version)) == 1
    fixed.touch()
    scr.ask("retry", reason="the table was mended")
    again = scr.ended(version, attempt=2)
    assert (again.phase, again.kind, again.attempts) == (Phase.SUCCEEDED, "retry", 2), scr.tell()
    assert len(scr.migrations()) == 2
    assert again.initiated_by.automated is False
    scr.runs(version)
