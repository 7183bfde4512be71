"""A step begins only in its turn; what it records goes to people, so none of it holds a secret."""

import pytest

from ferryman.contracts import DeploymentRef
from ferryman.errors import ClaimLost, NotItsTurn
from ferryman.records import Phase, StepStatus, step_keys
from ferryman.records.writes import Save, Write
from ferryman.store import step_writer
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds


def test_a_step_is_recorded_without_the_secrets_that_aws_and_containers_told() -> None:
    key = step_keys.rollout("scr-api", "forward")
    said = 'stopped: failed to start {"name":"DB_PASSWORD","value":"hunter2"}'
    step = make.step(status=StepStatus.FAILED, message=said, logs=["password:", "hunter2", "bye"])
    recorded = step_writer.put(make.deployment(), key, step).steps[key]
    assert recorded.message == 'stopped: failed to start {"name":"DB_PASSWORD","value":"[hidden]"}'
    assert recorded.logs == ["password:", "[hidden]", "bye"]


FORWARD, BACK, SKIPPED = "forward", "back", "skipped"
REF = DeploymentRef(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)
API = make.SERVICES[0]
F_API, B_API = (step_keys.rollout(API, way) for way in ("forward", "back"))


def begin(store: Store, how: str, clock: FakeClock, new_id: FakeIds) -> None:
    running = make.step("Running")
    if how == FORWARD:
        step_writer.start(store, REF, F_API, running, "goes", new_id=new_id)
    elif how == BACK:
        step_writer.start_back(store, REF, B_API, running, "goes back", new_id=new_id)
    else:
        step_writer.end(store, REF, F_API, lambda step: step.but(status=StepStatus.SKIPPED), clock=clock, new_id=new_id)


@pytest.mark.parametrize("how", [FORWARD, BACK, SKIPPED])
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in (Phase.RUNNING, Phase.ROLLING_BACK)])
def test_no_step_begins_in_a_phase_that_does_not_allow_it(
    store: Store, clock: FakeClock, new_id: FakeIds, how: str, phase: Phase
) -> None:
    upto = F_API if how == BACK else step_keys.MIGRATION
    store.write(Save(make.deployment(phase=phase, steps=make.passed(upto=upto))), Save(make.state()))
    before = store.deployment("scr", "staging", REF.deployment)
    with pytest.raises(NotItsTurn):
        begin(store, how, clock, new_id)
    assert store.deployment("scr", "staging", REF.deployment) == before
    assert store.timeline(REF.deployment) == []


@pytest.mark.parametrize("how", [FORWARD, SKIPPED])
def test_a_phase_that_changes_while_a_step_begins_counts(
    store: Store, clock: FakeClock, new_id: FakeIds, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    store.write(Save(make.deployment(steps=make.passed(upto=step_keys.MIGRATION))), Save(make.state()))
    write = store.write

    def turned_back_meanwhile(*writes: Write) -> None:
        monkeypatch.setattr(store, "write", write)
        store.update_deployment(REF, lambda found: found.but(phase=Phase.ROLLING_BACK))
        write(*writes)

    monkeypatch.setattr(store, "write", turned_back_meanwhile)
    with pytest.raises(NotItsTurn, match="is RollingBack"):
        begin(store, how, clock, new_id)
    assert F_API not in store.deployment("scr", "staging", REF.deployment).steps


def test_a_step_that_ended_stays_whatever_the_phase(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    deployment = make.deployment(phase=Phase.ROLLING_BACK, steps=make.passed(upto=F_API))
    store.write(Save(deployment), Save(make.state()))
    begin(store, FORWARD, clock, new_id)
    begin(store, SKIPPED, clock, new_id)
    assert store.deployment("scr", "staging", REF.deployment).steps == deployment.steps


@pytest.mark.parametrize(("deployment", "fence"), [("another", make.FENCE), (None, make.FENCE + 1), (None, None)])
def test_a_claim_is_one_deployment_with_its_own_fence(store: Store, deployment: str | None, fence: int | None) -> None:
    own = make.deployment()
    ref = DeploymentRef(platform="scr", environment="staging", deployment=own.id, fence=make.FENCE)
    store.write(Save(make.state()))
    step_writer.check_claim(store, ref)
    active = make.state().active
    assert active is not None
    other = None if fence is None else active.but(deployment=deployment or own.id, fence=fence)
    store.update_state("scr", "staging", lambda state: state.but(active=other))
    with pytest.raises(ClaimLost):
        step_writer.check_claim(store, ref)
