"""What DynamoDB refuses as invalid is written with less in it: first without logs, last with what decides alone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.contracts import DeploymentRef, FinishDeploymentInput
from ferryman.decisions.outcome import judge
from ferryman.errors import ClaimLost, Conflict, RecordInvalid
from ferryman.messages import timeline
from ferryman.records import (
    AbortRequest,
    AppliedPlatform,
    Deployment,
    EventType,
    Phase,
    Settled,
    Step,
    StepStatus,
    Target,
    limits,
    step_keys,
)
from ferryman.records.writes import Add, Fenced, Save
from ferryman.steps import finish_deployment, record_outcome
from ferryman.store import step_writer
from ferryman.store.logs import add_log
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb

REF = DeploymentRef(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)
API, WEB = make.SERVICES
JAPANESE = ["起動に失敗しました、設定を確認してください" * 19] * 20
"""The end of a log, as version 0.1.0 kept it inside the step: 24 KB."""


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> Store:
    return Store(request.getfixturevalue("dynamodb") if request.param == "moto" else FakeDynamoDb(), TABLE)


def crashed(name: str, logs: list[str]) -> Step:
    return make.rollout(name, "Failed", reason="BreakerTripped", message=f"{name} crashed", logs=logs)


def grown(services: int = 17) -> Deployment:
    """A deployment of 0.1.0 in which services crashed and logged in Japanese: one more, and it is too large."""
    names = [f"scr-{number}" for number in range(services + 1)]
    steps = {step_keys.rollout(name, "forward"): crashed(name, JAPANESE) for name in names[:-1]}
    plan = make.plan(waves=[names], services={name: make.planned(name) for name in names})
    return make.deployment(plan=plan, steps={**make.passed(upto=step_keys.ADMIT), **steps})


def test_an_item_at_its_limit_loses_its_logs_and_takes_the_next_step(
    store: Store, clock: FakeClock, new_id: FakeIds
) -> None:
    store.write(Save(grown()), Save(make.state()))
    key = step_keys.rollout("scr-17", "forward")
    long = "y" * limits.STEP_MESSAGE
    for number in range(3):
        key = step_keys.rollout(f"scr-{number}", "back")
        step = Step(status=StepStatus.RUNNING, started_at=clock())
        step_writer.start_back(store, REF, key, step, "goes back", new_id=new_id)
        step_writer.end(
            store,
            REF,
            key,
            lambda step: step.but(status=StepStatus.SUCCEEDED, message=long),
            clock=clock,
            new_id=new_id,
        )
    after = store.deployment("scr", "staging", REF.deployment)
    assert after.steps[key].status is StepStatus.SUCCEEDED
    assert after.steps[step_keys.rollout("scr-0", "forward")].logs == []
    assert store.log(REF.deployment, step_keys.rollout("scr-0", "forward")) == JAPANESE
    assert after.steps[step_keys.rollout("scr-0", "forward")].message == "scr-0 crashed"


def test_what_nothing_makes_smaller_is_an_error_of_ours(store: Store) -> None:
    release = make.release(refused={"api": "x" * limits.ITEM})
    with pytest.raises(RecordInvalid, match="refuses"):
        store.write(Save(release))


def test_a_transaction_of_too_many_actions_keeps_the_records(dynamodb: Any, new_id: FakeIds) -> None:
    store = Store(dynamodb, TABLE)
    told = [
        timeline.event(make.deployment(), EventType.STARTED, str(number), at=make.AT, new_id=new_id)
        for number in range(120)
    ]
    store.write(Save(make.deployment()), *told, Save(make.state()))
    assert store.state("scr", "staging").active is not None
    assert len(store.timeline(REF.deployment)) == 98


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (["None", "ValidationError"], RecordInvalid),
        (["None", "ItemCollectionSizeLimitExceeded"], RecordInvalid),
        (["ConditionalCheckFailed", "ValidationError"], ClaimLost),
        (["None", "TransactionConflict"], Conflict),
    ],
)
def test_what_a_cancelled_transaction_means(codes: list[str], error: type[Exception]) -> None:
    class Cancels(FakeDynamoDb):
        def transact_write_items(self, **_: Any) -> Any:
            reasons = [{"Code": code, "Message": code} for code in codes]
            given: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(given, "TransactWriteItems")

    with pytest.raises(error):
        Store(Cancels(), TABLE).write(Fenced("scr", "staging", REF.deployment, 1), Save(make.deployment()))


# ── a table that takes next to nothing ──


@pytest.fixture
def table(scr_document: dict[str, Any]) -> FakeDynamoDb:
    """It holds a deployment that failed, and takes no larger item from now on than what an outcome needs."""
    table = FakeDynamoDb()
    store = Store(table, TABLE)
    applied = AppliedPlatform(name="scr", generation=1, document=scr_document, applied_by="anna", applied_at=make.AT)
    failed = grown().but(phase=Phase.RUNNING)
    settled = {f"{number:07x}": Settled(phase=Phase.FAILED, reason="x", at=make.AT) for number in range(200)}
    target = Target(version="0001234", deployment=None, task_definitions={"scr-0": "td:1"}, bases={"scr-0": "td:1"})
    store.write(Save(applied), Save(failed), Save(make.state(settled=settled, last_succeeded=target)))
    table.most = 6_500
    return table


def test_an_outcome_is_recorded_and_told_and_the_claim_is_free_whatever_is_refused(
    table: FakeDynamoDb, clock: FakeClock, new_id: FakeIds
) -> None:
    store = Store(table, TABLE)
    event = FinishDeploymentInput.model_validate(REF.model_dump())
    finished = finish_deployment.finish(event, store=store, clock=clock, new_id=new_id, count=lambda name: None)
    assert finished.phase == "Failed"
    recorded = store.deployment("scr", "staging", REF.deployment)
    assert (recorded.phase, recorded.reason) == (Phase.FAILED, "RollbackFailed")
    assert store.state("scr", "staging").active is None
    assert [event.type for event in store.timeline(REF.deployment)] == [EventType.ENDED]
    told = {message.channel: message.text for message in store.unsent()}
    assert set(told) == {"team", "ops-mail"}
    assert all("What failed" in text and "What to do next" in text for text in told.values())


def test_reconcile_completes_it_too(table: FakeDynamoDb, clock: FakeClock, new_id: FakeIds) -> None:
    store = Store(table, TABLE)
    judged = judge(store.deployment("scr", "staging", REF.deployment), None)
    record_outcome.record(REF, judged, store=store, clock=clock, new_id=new_id, release_claim=False)
    assert store.deployment("scr", "staging", REF.deployment).phase is Phase.FAILED
    record_outcome.record(REF, judged, store=store, clock=clock, new_id=new_id)
    assert store.state("scr", "staging").active is None


def test_a_deployment_of_too_many_logs_can_be_aborted(clock: FakeClock) -> None:
    table = FakeDynamoDb()
    store = Store(table, TABLE)
    store.write(Save(grown()), Save(make.state()))
    table.most = 60_000
    wish = AbortRequest(reason="it hangs", who="ann", at=clock())
    assert store.update_deployment(REF, lambda before: before.but(abort=wish)).abort == wish
    assert store.deployment("scr", "staging", REF.deployment).abort == wish


def test_what_fits_is_written_as_it_is(new_id: FakeIds) -> None:
    """No log line is lost that has room."""
    table = FakeDynamoDb()
    store = Store(table, TABLE)
    log = add_log(REF.deployment, "migration", ["one", "two"], make.AT)
    assert isinstance(log, Add)
    store.write(Save(make.deployment(steps={"migration": make.step(logs=["old"])})), log)
    assert store.deployment("scr", "staging", REF.deployment).steps["migration"].logs == ["old"]
    assert store.log(REF.deployment, "migration") == ["one", "two"]
    assert store.logs(REF.deployment, most=5) == {"migration": ["one", "two"]}
