"""What people are told about each outcome, and what they must never be told."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.messages import deployment as messages
from ferryman.messages import outbox
from ferryman.records import (
    AbortRequest,
    Deployment,
    Hold,
    MigrationProgress,
    OutboxMessage,
    Phase,
    PlannedCheck,
    step_keys,
)
from unit import builders as make
from unit.messages.rows import AT, only

API, WEB = make.SERVICES
F_WEB = step_keys.rollout(WEB, "forward")
B_API, B_WEB = (step_keys.rollout(name, "back") for name in make.SERVICES)
BACK = {B_API: make.rollout(API, direction="back", revision=1), B_WEB: make.rollout(WEB, direction="back", revision=1)}
CRASH = make.rollout(
    WEB,
    "Failed",
    reason="TasksFailed",
    message="2 tasks of scr-web failed: exit code 3",
    logs=["starting", "\x1b[31mFATAL no config\x1b[0m", "db postgresql://scr:hunter2@db/scr"],
)
MIGRATED = {step_keys.MIGRATION: make.step(migration=MigrationProgress(task="arn:task", exit_code=0))}


def told(deployment: Deployment, **more: Any) -> OutboxMessage:
    return only(messages.for_outcome(deployment.but(ended_at=AT), ["team"], AT, **more))


def ended(
    phase: Phase, *, upto: str = step_keys.SMOKE_TEST, failed: dict[str, Any] | None = None, **changes: Any
) -> Deployment:
    return make.deployment(phase=phase, steps={**make.passed(upto=upto), **(failed or {})}, **changes)


def test_success_says_version_from_to_duration_and_components() -> None:
    check = PlannedCheck(name="api", url="https://x", status=[200], attempts=1, delay_seconds=1, timeout_seconds=1)
    message = told(ended(Phase.SUCCEEDED, plan=make.plan(checks=[check])))
    assert message.subject == "[Succeeded] scr/staging: abc1234 is deployed and verified"
    assert "scr/staging now runs abc1234 (previously 0001234). The deployment took 3m12s." in message.text
    assert "api aaaaaaaaaaaa, web aaaaaaaaaaaa" in message.text
    assert message.text.count("\n") < 8


def test_success_without_a_smoke_test_is_said_as_such() -> None:
    assert told(ended(Phase.SUCCEEDED)).subject == "[Succeeded] scr/staging: abc1234 is deployed, without smoke tests"


FAILURES = [
    pytest.param(
        ended(Phase.ROLLED_BACK, upto=step_keys.rollout(API, "forward"), failed={F_WEB: CRASH, **MIGRATED, **BACK}),
        ["failed and was rolled back", "rollout of scr-web (TasksFailed)", "exit code 3", "  | FATAL no config",
         "rolled back to 0001234 (scr-api, scr-web)", "migration ran and was not reverted", "fix it and push"],
        id="web-crashed",
    ),
    pytest.param(
        ended(Phase.FAILED, upto=step_keys.ADMIT, failed={
            step_keys.MIGRATION: make.step(
                "Failed", "NonZeroExit", "alembic ended with 1", logs=["Target database is not up to date."],
                migration=MigrationProgress(task="arn:task", exit_code=1))}),
        ["database migration (NonZeroExit)", "Why: alembic ended with 1", "Exit code: 1",
         "  | Target database is not up to date.", "no service was changed", "did not finish",
         "ferryman retry staging"],
        id="migration-failed",
    ),
    pytest.param(
        ended(Phase.FAILED, failed={step_keys.SMOKE_TEST: make.step("Failed", "CheckFailed", "expected 200, got 503"),
                                    **dict.fromkeys((B_API, B_WEB), make.step("Skipped", "HoldPolicy"))}),
        ["smoke test (CheckFailed)", "expected 200, got 503", "left scr-api, scr-web as is, because onFailure is hold"],
        id="hold-policy",
    ),
    pytest.param(
        ended(Phase.FAILED, failed={step_keys.SMOKE_TEST: make.step("Failed", "CheckFailed", "expected 200, got 503"),
                                    **dict.fromkeys((B_API, B_WEB), make.step("Skipped", "NoTarget"))}),
        ["could not roll back scr-api, scr-web, because no deployment has succeeded here before"],
        id="first-deployment",
    ),
    pytest.param(
        ended(Phase.FAILED, upto=step_keys.rollout(API, "forward"), failed={
            F_WEB: CRASH, **BACK, B_API: make.rollout(API, "Failed", "back", reason="Deadline", message="10m over")}),
        ["Rollback failed: rollback of scr-api (Deadline): 10m over", "inspect the service now"],
        id="rollback-failed",
    ),
    pytest.param(
        ended(Phase.ABORTED, upto=step_keys.rollout(API, "forward"), failed={F_WEB: make.rollout(WEB, "Aborted"),
              **BACK}, abort=AbortRequest(reason="wrong branch", who="arn:aws:iam::1:user/anna", at=make.AT)),
        ["was aborted", "Why: arn:aws:iam::1:user/anna aborted the deployment: wrong branch",
         "rolled back to 0001234 (scr-api, scr-web)"],
        id="aborted",
    ),
    pytest.param(
        ended(Phase.ERRORED, upto=step_keys.ADMIT, failed={step_keys.MIGRATION: make.step("Running")},
              message="run_migration failed with Sandbox.Timedout: Task timed out."),
        ["could not be deployed", "database migration", "Why: run_migration failed with Sandbox.Timedout"],
        id="errored-between-records",
    ),
    pytest.param(
        make.deployment(phase=Phase.ERRORED, steps={}, plan=None, message="begin_deployment: VerificationFailed"),
        ["Why: begin_deployment: VerificationFailed", "no service was changed"],
        id="errored-before-anything",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("deployment", "expected"), FAILURES)
def test_failure_says_what_why_what_was_done_and_what_next(deployment: Deployment, expected: list[str]) -> None:
    message = told(deployment)
    for part in [*expected, "What to do next:", "`ferryman explain staging -p scr`"]:
        assert part in message.text + message.subject
    assert "hunter2" not in message.text
    assert "\x1b" not in message.text


def test_the_gravest_step_is_the_cause_whatever_order_a_map_comes_in() -> None:
    stopped = make.rollout(API, "Aborted", message="stopped because scr-web failed")
    deployment = ended(
        Phase.ROLLED_BACK, upto=step_keys.MIGRATION, failed={step_keys.rollout(API, "forward"): stopped, F_WEB: CRASH}
    )
    assert "What failed: rollout of scr-web" in told(deployment).text


def test_two_failures_are_both_told() -> None:
    api = make.rollout(API, "Failed", reason="DeadlinePassed", message="not stable after 10m")
    deployment = ended(
        Phase.ROLLED_BACK, upto=step_keys.MIGRATION, failed={step_keys.rollout(API, "forward"): api, F_WEB: CRASH}
    )
    text = told(deployment).text
    assert "rollout of scr-api (DeadlinePassed)" in text
    assert "Also failed: rollout of scr-web (TasksFailed): 2 tasks of scr-web failed" in text


def test_an_errored_one_says_when_it_is_tried_again_and_a_hold_how_to_lift_it() -> None:
    deployment = ended(Phase.ERRORED, upto=step_keys.ADMIT)
    assert "automatically at 2026-01-02 03:12:17 UTC" in told(deployment, retry_at=AT + timedelta(minutes=5)).text
    held = told(deployment, hold=Hold(reason="errored 4 times", who="ferryman", at=AT))
    assert "on hold (errored 4 times). To lift the hold, run `ferryman resume staging -p scr`" in held.text


@pytest.mark.parametrize("phase", [Phase.SUPERSEDED, Phase.RUNNING])
def test_nobody_is_told_of(phase: Phase) -> None:
    assert messages.for_outcome(make.deployment(phase=phase), ["team"], AT) == []


def test_one_row_for_each_channel_keyed_by_deployment() -> None:
    rows = messages.for_outcome(ended(Phase.SUCCEEDED), ["team", "mail", "team"], AT)
    assert [(row.record.owner, row.record.event, row.record.channel) for row in rows] == [  # type: ignore[union-attr]
        ("01K00000000000000000000DEP", "outcome", "team"),
        ("01K00000000000000000000DEP", "outcome", "mail"),
    ]
    assert all(row.expires_at for row in rows)


@given(some.lists(some.text(max_size=2_000), max_size=60), some.text(max_size=5_000), some.text(max_size=300))
def test_limits_hold_for_any_text(logs: list[str], why: str, who: str) -> None:
    failed = make.rollout(WEB, "Failed", reason="TasksFailed", message=why, logs=logs)
    deployment = ended(Phase.FAILED, upto=step_keys.rollout(API, "forward"), failed={F_WEB: failed}, version="v→" * 64)
    message = told(deployment.but(initiated_by=deployment.initiated_by.but(who=who)))
    assert len(message.subject) <= 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert len(message.text.encode("utf-8")) <= outbox.TEXT_LIMIT
    assert all(char == "\n" or ord(char) >= 32 for char in message.text)


@pytest.mark.parametrize("reason", ["Frozen", "Soaking", "ScanBlocked", "ExpiredWhileStopped"])
def test_what_is_not_done_with_is_not_to_be_retried(reason: str) -> None:
    text = told(ended(Phase.ABORTED, upto=step_keys.BEGIN, reason=reason)).text
    assert "ferryman retry" not in text
    assert "it will be retried when that ends" in text
    assert "`ferryman deploy staging --release abc1234 --confirm DEPLOY -p scr`" in text


def test_what_comes_next_follows_how_releases_get_here() -> None:
    failed = {F_WEB: CRASH, **BACK}
    by_push = ended(Phase.ROLLED_BACK, upto=F_WEB, failed=failed)
    assert by_push.plan is not None
    by_tag = by_push.but(tag="v1.0.0")
    promoted = by_push.but(plan=by_push.plan.but(approval=True))
    assert "The new version will be deployed automatically" in told(by_push).text
    assert "Tag the new release once it is verified" in told(by_tag).text
    assert "must be verified before it can be deployed here" in told(promoted).text
