"""A deployment in several items: the same to whoever reads and changes it, with the same guarantees."""

from typing import Any

import pytest

from ferryman.contracts import DeploymentRef
from ferryman.errors import Conflict, NotFound, RecordInvalid
from ferryman.records import AbortRequest, Deployment, Phase, PlannedCheck, StepStatus, limits, step_keys
from ferryman.records.writes import Fenced, Save
from ferryman.store import deployments
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.dynamodb import TABLE, FakeDynamoDb

REF = DeploymentRef(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)
API, WEB = make.SERVICES
FORWARD, BACK = step_keys.rollout(API, "forward"), step_keys.rollout(API, "back")


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> Store:
    return Store(request.getfixturevalue("dynamodb") if request.param == "moto" else FakeDynamoDb(), TABLE)


@pytest.fixture
def large(store: Store) -> Store:
    """A deployment that was split, and then got all its steps."""
    made = deployments.split(make.deployment(steps={step_keys.BEGIN: make.step()}))
    store.write(Save(made), Save(make.state()))
    store.update_deployment(REF, lambda before: before.but(steps=make.passed()))
    return store


def read(store: Store) -> Deployment:
    return store.deployment("scr", "staging", REF.deployment)


def head(store: Store) -> Deployment:
    """As a list of others shows it."""
    newer = make.deployment(id="01K00000000000000000000ZZZ", phase=Phase.FAILED)
    store.write(Save(newer))
    return next(item for item in store.deployments("scr", "staging") if item.id == REF.deployment)


def test_it_reads_as_one_record(large: Store) -> None:
    assert read(large).dump() == make.deployment(rev=2).dump()


def test_its_own_item_has_neither_the_plan_nor_the_services_steps(large: Store) -> None:
    large.update_deployment(REF, lambda before: before.but(phase=Phase.SUCCEEDED))
    found = head(large)
    assert found.is_head
    assert found.plan is None
    assert set(found.steps) == {key for key in make.passed() if "/" not in key}
    assert large.whole(found).dump() == read(large).dump()


def test_lists_read_the_steps_of_what_runs_and_of_what_ended_last(large: Store) -> None:
    assert head(large).plan is not None
    large.update_deployment(REF, lambda before: before.but(phase=Phase.FAILED))
    skipped = make.deployment(id="01K00000000000000000000ZZY", phase=Phase.SUPERSEDED, plan=None, steps={})
    other = Store(FakeDynamoDb(), TABLE)
    other.write(Save(deployments.split(make.deployment(phase=Phase.FAILED))), Save(skipped))
    assert FORWARD in other.deployments("scr", "staging")[-1].steps
    assert FORWARD in other.attempts_at("scr", "staging", 5)[0][-1].steps


def test_a_step_that_was_decided_before_an_abort_loses(large: Store) -> None:
    """What reads the deployment, decides, and writes a step, never overlooks what was written meanwhile."""
    before = read(large)
    wish = AbortRequest(reason="wrong", who="ann", at=make.AT)
    large.update_deployment(REF, lambda found: found.but(abort=wish))
    late = before.but(steps={**before.steps, BACK: make.rollout(API, direction="back")})
    with pytest.raises(Conflict):
        large.write(Fenced("scr", "staging", REF.deployment, make.FENCE), Save(late))
    assert read(large).step(BACK) is None
    assert read(large).abort == wish


def test_two_steps_at_once_both_stand(large: Store) -> None:
    before = read(large)
    back = step_keys.rollout(WEB, "back")
    large.update_deployment(REF, lambda found: found.but(steps={**found.steps, back: make.rollout(WEB)}))
    with pytest.raises(Conflict):
        large.write(Save(before.but(steps={**before.steps, BACK: make.rollout(API)})))
    large.update_deployment(REF, lambda found: found.but(steps={**found.steps, BACK: make.rollout(API)}))
    assert {back, BACK} <= read(large).steps.keys()


def test_a_verdict_on_steps_that_changed_meanwhile_is_a_conflict(large: Store) -> None:
    judged = read(large)
    failed = make.rollout(API, "Failed", reason="FailFast")
    large.update_deployment(REF, lambda found: found.but(steps={**found.steps, FORWARD: failed}))
    with pytest.raises(Conflict):
        large.write(Save(judged.but(phase=Phase.SUCCEEDED)))


def test_only_what_changed_is_written() -> None:
    table = FakeDynamoDb()
    store = Store(table, TABLE)
    services = {name: make.planned(name) for name in (f"scr-{number}" for number in range(150))}
    plan = make.plan(waves=[list(services)], services=services)
    steps = {step_keys.rollout(name, "forward"): make.rollout(name) for name in list(services)[:90]}
    store.write(Save(deployments.split(make.deployment(plan=plan, steps=steps))), Save(make.state()))
    table.most_actions = 0
    store.update_deployment(
        REF,
        lambda found: found.but(steps={**found.steps, BACK: make.rollout(API), FORWARD: make.rollout(API, "Failed")}),
    )
    assert table.most_actions == 4  # the claim, the head and two steps
    assert read(store).steps[FORWARD].status is StepStatus.FAILED


def test_version_0_1_0_aborts_it_and_nothing_is_lost(large: Store) -> None:
    """It knows only the head, drops what it does not know, and writes the head back."""
    large.update_deployment(REF, lambda before: before.but(phase=Phase.SUCCEEDED))
    known = Deployment.model_validate(head(large).dump())
    large.write(Save(known.but(reason="changed by 0.1.0")))
    found = read(large)
    assert found.reason == "changed by 0.1.0"
    assert found.plan == make.plan()
    assert FORWARD in found.steps


def test_any_script_in_a_plan_survives(store: Store) -> None:
    check: Any = PlannedCheck(
        name="n", url="u", status=[200], expect_body='漢字 "😀"\n\\', expect_json={"ratio": 0.5, "é": [1, None]},
        attempts=1, delay_seconds=1, timeout_seconds=1,
    )  # fmt: skip
    plan = make.plan(checks=[check.but(name=str(number)) for number in range(9_000)])
    store.write(Save(deployments.split(make.deployment(plan=plan, steps={}))))
    assert read(store).plan == plan


def test_a_plan_that_no_transaction_holds_is_an_error_of_ours(store: Store) -> None:
    services = {f"{number}": make.planned("x" * 255) for number in range(limits.PLAN // 900)}
    with pytest.raises(RecordInvalid, match="lists too much for one environment"):
        store.write(Save(deployments.split(make.deployment(plan=make.plan(services=services), steps={}))))
    with pytest.raises(NotFound):
        read(store)
