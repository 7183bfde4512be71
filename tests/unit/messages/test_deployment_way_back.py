"""What people are told of a way back and of a database command: what happened, why, what to do next."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import StepFailure
from ferryman.decisions.outcome import judge
from ferryman.messages import deployment as messages
from ferryman.records import (
    AbortRequest,
    Deployment,
    Hold,
    MigrationProgress,
    Phase,
    PlannedMigration,
    step_keys,
)
from unit import builders as make

HOLD = Hold(reason="rolled back to 0001234: checkout fails", who="jo", at=make.AT)


def told(deployment: Deployment, hold: Hold | None = HOLD) -> tuple[str, str]:
    rows = messages.for_outcome(deployment, ["team"], make.AT, hold=hold)
    [message] = [row.record for row in rows]
    return message.subject, message.text  # type: ignore[union-attr]


def back(phase: Phase = Phase.SUCCEEDED, **changes: Any) -> Deployment:
    made = make.deployment(
        kind="rollback", version="0001234", from_version="abc1234", why="checkout fails", phase=phase,
        ended_at=make.AT + timedelta(seconds=90),
    )  # fmt: skip
    return made.but(**changes)


def test_a_rollback_says_why_and_what_keeps_it() -> None:
    subject, text = told(back())
    assert subject == "[Succeeded] scr/staging: rolled back to 0001234"
    for words in (
        "Why: checkout fails",
        "0001234 (previously abc1234)",
        "is not deployed again automatically",
        "ferryman resume staging",
    ):
        assert words in text


def test_a_downgrade_is_told() -> None:
    assert "downgraded to 0042 first" in told(back(command="down", revision="0042"))[1]


@pytest.mark.parametrize(
    ("status", "words"),
    [("Succeeded", "was downgraded to 0042. Releases"), ("Failed", "may be partly downgraded")],
    ids=["services-failed-after-it", "downgrade-failed"],
)
def test_a_rollback_that_failed_says_how_to_try_again(status: str, words: str) -> None:
    ran = make.step(status, "X", "no.", migration=MigrationProgress(task="task"))
    failed = {step_keys.MIGRATION: ran, "rollout/scr-api": make.rollout("scr-api", "Failed", reason="X", message="no.")}
    subject, text = told(back(Phase.FAILED, command="down", revision="0042", steps=failed))
    assert subject.startswith("[Failed]")
    assert words in text
    assert "ferryman rollback staging --release 0001234" in text
    assert "ferryman retry" not in text


WAYS_BACK = {
    "none": None,
    "back": make.rollout("x", direction="back", revision=1),
    "failed": make.rollout("x", "Failed", "back", reason="TasksFailed", message="exit code 3"),
    "errored": make.rollout("x", "Errored", "back", reason="Unavailable", message="no answer"),
    "running": make.rollout("x", "Running", "back"),
    "held": make.step("Skipped", "HoldPolicy"),
    "no-target": make.step("Skipped", "NoTarget"),
    "skipped": make.step("Skipped", "Untouched"),
}
FORWARD = {
    "untouched": None,
    "passed": make.rollout("x"),
    "failed": make.rollout("x", "Failed", reason="TasksFailed", message="exit code 1"),
    "errored": make.rollout("x", "Errored", reason="Unavailable", message="no answer"),
    "running": make.rollout("x", "Running"),
    "skipped": make.step("Skipped", "NotInRelease"),
}


@pytest.mark.parametrize("abort", [None, AbortRequest(reason="wrong release", who="anna", at=make.AT)])
@pytest.mark.parametrize("kind", ["deploy", "rollback"])
def test_the_message_and_the_record_agree_on_the_way_back(kind: str, abort: AbortRequest | None) -> None:
    """For every way in which two services can go forward and back."""
    told_of_rollback_failed = 0
    for ways in itertools.product(FORWARD, WAYS_BACK, FORWARD, WAYS_BACK):
        recorded = {
            step_keys.rollout(name, direction): step
            for name, forward, way in zip(make.SERVICES, ways[::2], ways[1::2], strict=True)
            for direction, step in (("forward", FORWARD[forward]), ("back", WAYS_BACK[way]))
            if step is not None
        }
        ran = make.deployment(kind=kind, steps={**make.passed(upto=step_keys.MIGRATION), **recorded}, abort=abort)
        judged = judge(ran, StepFailure(error="ValueError", cause="no", step="update_service"))
        hold = Hold(reason=judged.hold, who="ferryman", at=make.AT) if judged.hold else None
        _, text = told(ran.but(phase=judged.phase, reason=judged.reason, message=judged.message), hold)
        not_back = judged.reason == "RollbackFailed"
        assert not_back == ("inspect the service now" in text), ways
        assert not_back == ("Rollback failed" in text), ways
        assert not (not_back and "fix it and push" in text), ways
        told_of_rollback_failed += not_back
    assert told_of_rollback_failed > 1_000


def command(phase: Phase, **changes: Any) -> Deployment:
    task = PlannedMigration(
        component="api", container="api", digest="d", image="x", base_task_definition="td",
        command=["alembic", "downgrade", "0042"], timeout_seconds=600, subnets=[], security_groups=[],
    )  # fmt: skip
    ran = make.step(str(phase) if phase in ("Succeeded", "Failed") else "Errored", logs=["connecting", "at 0042"])
    return make.deployment(
        kind="migrate", command="down", revision="0042", why="index locks", phase=phase, message="it said no.",
        plan=make.plan(waves=[], services={}, migration=task), steps={step_keys.MIGRATION: ran},
    ).but(**changes)  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "subject"),
    [
        (Phase.SUCCEEDED, "[Succeeded] scr/staging: migrate down to 0042 succeeded"),
        (Phase.FAILED, "[Failed] scr/staging: migrate down to 0042 failed"),
        (Phase.ABORTED, "[Aborted] scr/staging: migrate down to 0042 was aborted"),
        (Phase.ERRORED, "[Errored] scr/staging: migrate down to 0042 could not be run"),
    ],
)
def test_a_database_command_says_what_ran_and_what_it_said(phase: Phase, subject: str) -> None:
    found, text = told(command(phase), None)
    assert found == subject
    for words in ("`alembic downgrade 0042`", "Reason: index locks", "  | at 0042", "No service was changed"):
        assert words in text
    assert ("it said no." in text) == (phase is not Phase.SUCCEEDED)
    assert ("ferryman migrate staging current" in text) == (phase is not Phase.SUCCEEDED)


def test_a_database_command_that_was_never_planned() -> None:
    _, text = told(command(Phase.ERRORED, plan=None, steps={}))
    assert "migrate down could not be run" in text
    assert "Automation is on hold" in text
