"""How a deployment ended: the judgement as a table, the record against a table in moto."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import DeploymentRef, StepFailure
from ferryman.decisions.outcome import Judgement, judge
from ferryman.errors import ClaimLost
from ferryman.records import AbortRequest, AppliedPlatform, Deployment, EventType, Hold, Phase, step_keys
from ferryman.records.writes import Save
from ferryman.steps import record_outcome
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds

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
    assert "scr-api, scr-web went back to 0001234" in judged.message


def test_a_held_release_is_not_settled_and_starts_again_after_resume() -> None:
    held = ended(upto=step_keys.BEGIN, failed={step_keys.ADMIT: make.step("Aborted", "Held", "on hold")})
    assert judge(held, None).settle is False


def test_the_cause_of_a_crashed_lambda_is_its_message() -> None:
    judged = judge(make.deployment(plan=None, steps={}), CRASH)
    assert "Task timed out after 30.00 seconds" in judged.message


@pytest.fixture
def ref() -> DeploymentRef:
    return DeploymentRef(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any]) -> Store:
    applied = AppliedPlatform(name="scr", generation=1, document=scr_document, applied_by="anna", applied_at=make.AT)
    store.write(Save(applied), Save(make.deployment()), Save(make.state()), Save(make.release()))
    return store


def test_success_is_one_transaction(world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds) -> None:
    judged = judge(make.deployment(), None)
    recorded = record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)

    state = world.state("scr", "staging")
    assert recorded.phase is Phase.SUCCEEDED
    assert state.active is None
    assert state.current is not None
    assert state.current.version == "abc1234"
    assert state.last_succeeded is not None
    assert state.last_succeeded.task_definitions[API] == make.definition(API, 2)
    assert state.previous is not None
    assert state.previous.version == "0001234"
    release = world.release("scr", "abc1234")
    assert release is not None
    assert release.verified["staging"].deployment == ref.deployment
    assert [event.type for event in world.timeline(ref.deployment)] == [EventType.ENDED]
    assert {message.channel for message in world.unsent()} == {"team", "ops-mail"}


def test_recording_twice_changes_nothing(world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds) -> None:
    judged = judge(make.deployment(), None)
    record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    before = (world.state("scr", "staging"), world.timeline(ref.deployment))
    clock.forward(minutes=5)
    again = record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    assert again.phase is Phase.SUCCEEDED
    assert (world.state("scr", "staging"), world.timeline(ref.deployment)) == before


def test_only_the_fence_that_holds_may_record(
    world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    stale = ref.model_copy(update={"fence": make.FENCE - 1})
    with pytest.raises(ClaimLost):
        record_outcome.record(stale, judge(make.deployment(), None), store=world, clock=clock, new_id=new_id)
    assert world.deployment("scr", "staging", ref.deployment).phase is Phase.RUNNING


def test_the_claim_can_be_kept_until_every_lambda_is_surely_dead(
    world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    judged = judge(make.deployment(plan=None, steps={}), CRASH)
    record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id, release_claim=False)
    assert world.state("scr", "staging").active is not None
    record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    assert world.state("scr", "staging").active is None


def test_errored_is_tried_again_three_times_and_then_held(
    store: Store, scr_document: dict[str, Any], ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    applied = AppliedPlatform(name="scr", generation=1, document=scr_document, applied_by="anna", applied_at=make.AT)
    store.write(Save(applied), Save(make.state()))
    judged = judge(make.deployment(plan=None, steps={}), CRASH)
    waits = []
    for number in range(4):
        attempt = ref.model_copy(update={"deployment": f"{make.deployment().id}{number}"})
        store.write(Save(make.deployment(id=attempt.deployment)))
        active = make.state().active
        assert active is not None
        store.update_state(
            "scr",
            "staging",
            lambda s, a=active, d=attempt.deployment: s.but(active=a.but(deployment=d)),  # type: ignore[misc]
        )
        record_outcome.record(attempt, judged, store=store, clock=clock, new_id=new_id)
        settled = store.state("scr", "staging").settled["abc1234"]
        waits.append(None if settled.retry_at is None else settled.retry_at - clock())
    assert waits == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25), None]
    hold = store.state("scr", "staging").hold
    assert hold is not None
    assert "4 times" in hold.reason


def test_a_persons_hold_is_not_replaced(world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds) -> None:
    mine = Hold(reason="release freeze", who="anna", at=make.AT)
    world.update_state("scr", "staging", lambda state: state.but(hold=mine))
    judged = Judgement(Phase.FAILED, "RollbackFailed", "no.", hold="the rollback failed")
    record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    assert world.state("scr", "staging").hold == mine


def test_a_fault_in_the_messages_does_not_change_an_outcome(
    world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any, **__: Any) -> list[Any]:
        raise ZeroDivisionError

    monkeypatch.setattr("ferryman.messages.deployment.for_outcome", fault)
    recorded = record_outcome.record(ref, judge(make.deployment(), None), store=world, clock=clock, new_id=new_id)
    assert recorded.phase is Phase.SUCCEEDED
    assert world.state("scr", "staging").active is None


def test_a_broken_document_does_not_change_an_outcome(
    store: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    broken = AppliedPlatform(name="scr", generation=1, document={"kind": "?"}, applied_by="anna", applied_at=make.AT)
    store.write(Save(broken), Save(make.deployment()), Save(make.state()))
    recorded = record_outcome.record(ref, judge(make.deployment(), None), store=store, clock=clock, new_id=new_id)
    assert recorded.phase is Phase.SUCCEEDED
