"""The last gate: what speaks against a deployment, as a table."""

from typing import Any

import pytest

from ferryman import admit, steps
from ferryman.contracts import AdmitDeploymentInput
from ferryman.records import AbortRequest, Actor, Deployment, EnvironmentState, Hold, Phase, Release
from ferryman.store import Store
from ferryman.writes import Save
from unit import builders as make
from unit.conftest import FakeClock

HOLD = Hold(reason="freeze", who="anna", at=make.AT)
PENDING = make.deployment(phase=Phase.PENDING, steps={})
BY_A_PERSON = PENDING.but(initiated_by=Actor(who="arn:aws:iam::1:user/anna"))
OTHER_IMAGES = make.release().but(
    components={
        **make.release().components,
        "web": make.release().components["web"].but(digest=make.digest("f")),
    }
)


@pytest.mark.parametrize(
    ("deployment", "state", "release", "reason"),
    [
        pytest.param(PENDING, make.state(), make.release(), None, id="nothing-speaks-against-it"),
        pytest.param(PENDING, make.state(hold=HOLD), make.release(), "Held", id="held"),
        pytest.param(BY_A_PERSON, make.state(hold=HOLD), make.release(), None, id="a-person-may-while-held"),
        pytest.param(PENDING, make.state(), OTHER_IMAGES, "DigestsChanged", id="other-images"),
        pytest.param(
            PENDING.but(abort=AbortRequest(reason="no", who="anna", at=make.AT)),
            make.state(),
            make.release(),
            "Aborted",
            id="aborted",
        ),
        pytest.param(
            PENDING.but(phase=Phase.RUNNING), make.state(hold=HOLD), make.release(), None, id="already-running"
        ),
    ],
)
def test_judge(deployment: Deployment, state: EnvironmentState, release: Release, reason: str | None) -> None:
    refusal = admit.judge(deployment, state, release)
    assert (refusal and refusal[0]) == reason


@pytest.mark.parametrize(
    ("hold", "verdict", "phase"), [(None, "Admitted", Phase.RUNNING), (HOLD, "Refused", Phase.PENDING)]
)
def test_admit_flips_the_phase_only_when_admitted(
    store: Store, clock: FakeClock, hold: Any, verdict: str, phase: Phase
) -> None:
    store.write(Save(PENDING), Save(make.state(hold=hold)), Save(make.release()))
    event = AdmitDeploymentInput(platform="scr", environment="staging", deployment=PENDING.id, fence=make.FENCE)
    for _ in range(2):  # a retry of the state machine says the same
        assert admit.admit(event, store=store, clock=clock).verdict == verdict
    after = store.deployment("scr", "staging", PENDING.id)
    assert after.phase is phase
    assert after.step(steps.ADMIT) is not None
