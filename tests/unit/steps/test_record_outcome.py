"""How a deployment ended, recorded: one transaction under the fence, whatever else fails."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import DeploymentRef, StepFailure
from ferryman.decisions.outcome import Judgement, judge
from ferryman.errors import ClaimLost
from ferryman.records import AppliedPlatform, EventType, Hold, Phase, Step, StepStatus, step_keys
from ferryman.records.writes import Save
from ferryman.steps import record_outcome
from ferryman.store import step_writer
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds

API, WEB = make.SERVICES
CRASH = StepFailure(
    error="Sandbox.Timedout", cause='{"errorMessage": "Task timed out after 30.00 seconds"}', step="smoke_test"
)


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


def test_the_first_outcome_stands_when_another_one_comes_later(
    world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    """Reconcile recorded one and kept the claim; the machine's last step comes all the same, and only releases it."""
    first = Judgement(Phase.ERRORED, "ExecutionEnded", "The execution ended.")
    record_outcome.record(ref, first, store=world, clock=clock, new_id=new_id, release_claim=False)
    told = (world.timeline(ref.deployment), world.unsent())
    judged = judge(make.deployment(), None)
    recorded = record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    assert (recorded.phase, recorded.reason) == (Phase.ERRORED, "ExecutionEnded")
    assert (world.timeline(ref.deployment), world.unsent()) == told
    assert world.state("scr", "staging").active is None


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


def test_a_message_quotes_the_log_of_the_step_that_failed(
    world: Store, ref: DeploymentRef, clock: FakeClock, new_id: FakeIds
) -> None:
    """It is a record of its own; version 0.1.0 kept it inside the step."""
    key = step_keys.rollout(API, "forward")
    crash = make.rollout(API, "Running")
    world.update_deployment(ref, lambda before: before.but(steps={**make.passed(upto=step_keys.MIGRATION), key: crash}))

    def ended(step: Step) -> Step:
        return step.but(status=StepStatus.FAILED, reason="BreakerTripped", logs=["no route to host"])

    step_writer.end(world, ref, key, ended, clock=clock, new_id=new_id)
    judged = judge(world.deployment("scr", "staging", ref.deployment), None)
    record_outcome.record(ref, judged, store=world, clock=clock, new_id=new_id)
    assert all("  | no route to host" in message.text for message in world.unsent())
    assert world.deployment("scr", "staging", ref.deployment).steps[key].logs == []
    assert world.log(ref.deployment, key) == ["no route to host"]
