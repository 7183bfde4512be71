"""What a step records goes into messages, the timeline and the page: none of it holds a secret."""

import pytest

from ferryman.contracts import DeploymentRef
from ferryman.errors import ClaimLost
from ferryman.records import StepStatus, step_keys
from ferryman.records.writes import Save
from ferryman.store import step_writer
from ferryman.store.table import Store
from unit import builders as make


def test_a_step_is_recorded_without_the_secrets_that_aws_and_containers_told() -> None:
    key = step_keys.rollout("scr-api", "forward")
    said = 'stopped: failed to start {"name":"DB_PASSWORD","value":"hunter2"}'
    step = make.step(status=StepStatus.FAILED, message=said, logs=["password:", "hunter2", "bye"])
    recorded = step_writer.put(make.deployment(), key, step).steps[key]
    assert recorded.message == 'stopped: failed to start {"name":"DB_PASSWORD","value":"[hidden]"}'
    assert recorded.logs == ["password:", "[hidden]", "bye"]


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
