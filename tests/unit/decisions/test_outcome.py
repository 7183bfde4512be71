"""How a deployment ended: the judgement as a table."""

from typing import Any

import pytest

from ferryman.contracts import StepFailure
from ferryman.decisions.outcome import judge
from ferryman.messages import deployment as messages
from ferryman.records import AbortRequest, Deployment, Phase, step_keys
from unit import builders as make

API, WEB = make.SERVICES
F_API, F_WEB = (step_keys.rollout(name, "forward") for name in make.SERVICES)
B_API, B_WEB = (step_keys.rollout(name, "back") for name in make.SERVICES)
ABORT = AbortRequest(reason="wrong release", who="arn:aws:iam::1:user/anna", at=make.AT)
CRASH = StepFailure(
    error="Sandbox.Timedout", cause='{"errorMessage": "Task timed out after 30.00 seconds"}', step="smoke_test"
)


def ended(*, upto: str, failed: dict[str, Any], **changes: Any) -> Deployment:
    return make.deployment(steps={**make.passed(upto=upto), **failed}, **changes)


WEB_FAILED = {
    F_WEB: make.rollout(WEB, "Failed", reason="BreakerRolledBack", message="the new tasks of scr-web exited with 3")
}
BOTH_BACK = {
    B_API: make.rollout(API, direction="back", revision=1),
    B_WEB: make.rollout(WEB, direction="back", revision=1),
}
NO_TARGET = {key: make.step("Skipped", "NoTarget") for key in (B_API, B_WEB)}
HELD_BACK = {key: make.step("Skipped", "HoldPolicy") for key in (B_API, B_WEB)}


CASES = [
    pytest.param(make.deployment(), None, "Succeeded", "Verified", False, id="all-passed"),
    pytest.param(
        ended(upto=F_API, failed={F_WEB: make.rollout(WEB, "Skipped"), step_keys.SMOKE_TEST: make.step("Skipped")}),
        None,
        "Succeeded",
        "Verified",
        False,
        id="one-service-skipped",
    ),
    pytest.param(make.deployment(abort=ABORT), None, "Succeeded", "Verified", False, id="abort-came-too-late"),
    pytest.param(
        ended(
            upto=step_keys.ADMIT,
            failed={step_keys.MIGRATION: make.step("Failed", "NonZeroExit", "alembic exited with 1")},
        ),
        None,
        "Failed",
        "NonZeroExit",
        False,
        id="migration-failed",
    ),
    pytest.param(
        ended(
            upto=step_keys.ADMIT, failed={step_keys.MIGRATION: make.step("Errored", "OutcomeUnknown", "nobody knows")}
        ),
        None,
        "Errored",
        "OutcomeUnknown",
        True,
        id="migration-unknown",
    ),
    pytest.param(
        ended(upto=F_API, failed={**WEB_FAILED, **BOTH_BACK}),
        None,
        "RolledBack",
        "BreakerRolledBack",
        False,
        id="web-crashed",
    ),
    pytest.param(
        ended(
            upto=F_API, failed={F_API: make.rollout(API, "Errored", reason="BreakerTripped"), **WEB_FAILED, **BOTH_BACK}
        ),
        None,
        "RolledBack",
        "BreakerRolledBack",
        False,
        id="web-crashed-beside-api-that-aws-failed",
    ),
    pytest.param(
        ended(upto=F_API, failed={F_API: make.rollout(API, "Errored", reason="BreakerTripped"), **BOTH_BACK}),
        None,
        "Errored",
        "BreakerTripped",
        False,
        id="aws-failed-api",
    ),
    pytest.param(
        ended(
            upto=F_WEB, failed={step_keys.SMOKE_TEST: make.step("Failed", "WrongVersion", "expected abc"), **BOTH_BACK}
        ),
        None,
        "RolledBack",
        "WrongVersion",
        False,
        id="smoke-test-failed",
    ),
    pytest.param(
        ended(upto=F_API, failed={**WEB_FAILED, **NO_TARGET}),
        None,
        "Failed",
        "BreakerRolledBack",
        False,
        id="first-deployment",
    ),
    pytest.param(
        ended(upto=F_API, failed={**WEB_FAILED, **HELD_BACK}),
        None,
        "Failed",
        "BreakerRolledBack",
        True,
        id="policy-hold",
    ),
    pytest.param(
        ended(upto=F_API, failed={**WEB_FAILED, B_WEB: BOTH_BACK[B_WEB], B_API: make.rollout(API, "Failed", "back")}),
        None,
        "Failed",
        "RollbackFailed",
        True,
        id="rollback-failed",
    ),
    pytest.param(
        ended(upto=F_API, failed={**WEB_FAILED, B_WEB: BOTH_BACK[B_WEB]}),
        None,
        "Failed",
        "RollbackFailed",
        True,
        id="rollback-never-reached-a-touched-service",
    ),
    pytest.param(
        ended(upto=F_API, failed={F_WEB: make.rollout(WEB, "Aborted", reason="Aborted"), **BOTH_BACK}, abort=ABORT),
        None,
        "Aborted",
        "AbortRequested",
        True,
        id="aborted-while-rolling-out",
    ),
    pytest.param(
        ended(upto=step_keys.BEGIN, failed={}, abort=ABORT),
        None,
        "Aborted",
        "AbortRequested",
        True,
        id="aborted-before-anything",
    ),
    pytest.param(
        ended(upto=step_keys.BEGIN, failed={step_keys.ADMIT: make.step("Aborted", "Held", "on hold")}),
        None,
        "Aborted",
        "Held",
        False,
        id="held-at-the-gate",
    ),
    pytest.param(
        ended(upto=F_WEB, failed=BOTH_BACK),
        CRASH,
        "Errored",
        "Sandbox.Timedout",
        False,
        id="our-lambda-timed-out",
    ),
    pytest.param(
        make.deployment(plan=None, steps={}),
        StepFailure(error="VerificationFailed", cause="no service", step="begin"),
        "Errored",
        "VerificationFailed",
        False,
        id="begin-refused",
    ),
    pytest.param(make.deployment(plan=None, steps={}), None, "Errored", "Interrupted", False, id="nothing-known"),
]


@pytest.mark.parametrize(("deployment", "failure", "phase", "reason", "holds"), CASES)
def test_judge(deployment: Deployment, failure: StepFailure | None, phase: str, reason: str, holds: bool) -> None:
    judged = judge(deployment, failure)
    assert (judged.phase, judged.reason, judged.hold is not None) == (Phase(phase), reason, holds)
    assert judged.message.endswith((".", "`"))


def test_the_message_says_why_and_what_was_done() -> None:
    judged = judge(ended(upto=F_API, failed={**WEB_FAILED, **BOTH_BACK}), None)
    assert "exited with 3" in judged.message
    assert "Rolled back scr-api, scr-web to 0001234" in judged.message


def test_a_held_release_is_not_settled_and_starts_again_after_resume() -> None:
    held = ended(upto=step_keys.BEGIN, failed={step_keys.ADMIT: make.step("Aborted", "Held", "on hold")})
    assert judge(held, None).settle is False


@pytest.mark.parametrize("status", ["Aborted", "Errored"])
def test_what_the_machine_caught_tells_more_than_a_rollout_that_was_given_up(status: str) -> None:
    reason = {"Aborted": "EndedWhileDraining", "Errored": "NotJudged"}[status]
    given_up = make.rollout(API, status, reason=reason, message="given up")
    deployment = ended(upto=step_keys.MIGRATION, failed={F_API: given_up, **BOTH_BACK})
    judged = judge(deployment, CRASH)
    assert (judged.phase, judged.reason) == (Phase.ERRORED, CRASH.error)
    assert "Task timed out after 30.00 seconds" in judged.message
    [row] = messages.for_outcome(deployment.but(phase=judged.phase, message=judged.message), ["team"], make.AT)
    assert "Task timed out after 30.00 seconds" in row.record.text  # type: ignore[union-attr]
    unknown = judge(deployment, None)
    assert (unknown.phase, unknown.reason) == (Phase.ERRORED, "NotJudged" if status == "Errored" else "Interrupted")


def test_the_cause_of_a_crashed_lambda_is_its_message() -> None:
    judged = judge(make.deployment(plan=None, steps={}), CRASH)
    assert "Task timed out after 30.00 seconds" in judged.message


@pytest.mark.parametrize(
    "cause",
    [
        '{"errorMessage": "asked redis://:hunter2@cache"}',
        "asked redis://:hunter2@cache",
        '{"errorMessage": "asked redis://:hunter2@ca',
    ],
)
def test_the_cause_of_a_crashed_lambda_is_told_without_secrets(cause: str) -> None:
    failure = StepFailure(error="Unavailable", cause=cause, step="smoke_test")
    message = judge(make.deployment(plan=None, steps={}), failure).message
    assert "asked redis://:[hidden]@ca" in message
    assert "hunter2" not in message


def test_a_success_tells_whose_old_tasks_remain() -> None:
    name = make.SERVICES[0]
    steps = {**make.passed(), step_keys.rollout(name, "forward"): make.rollout(name, reason="OldTasksRemain")}
    judged = judge(make.deployment(steps=steps), None)
    assert judged.phase is Phase.SUCCEEDED
    assert (
        f"ECS was still stopping old tasks of {name}; `ferryman status staging -p scr` tells when they are gone."
        in judged.message
    )
