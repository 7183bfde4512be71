"""Whether a service may go forward: not after an abort, nor before all services of the earlier waves."""

import pytest

from ferryman.decisions.wave_order import stops, touched
from ferryman.errors import InvalidInput
from ferryman.records import AbortRequest, Deployment, Step, step_keys
from unit import builders as make

ABORT = AbortRequest(reason="wrong release", who="ann", at=make.AT)
API, WEB = make.SERVICES
BOTH_BEFORE = make.plan(waves=[["one", "two"], [WEB]])


def ran(**forward: Step) -> Deployment:
    """A deployment whose steps forward are these; `_` in a name stands for `-`."""
    return make.deployment(
        steps={step_keys.rollout(name.replace("_", "-"), "forward"): step for name, step in forward.items()}
    )


@pytest.mark.parametrize(
    ("deployment", "service", "why"),
    [
        pytest.param(ran(), API, None, id="first-wave"),
        pytest.param(ran(), WEB, "EarlierWaveFailed", id="the-earlier-has-not-begun"),
        pytest.param(ran(scr_api=make.rollout(API)), WEB, None, id="the-earlier-succeeded"),
        pytest.param(ran(scr_api=make.rollout(API, "Skipped")), WEB, None, id="the-earlier-was-skipped"),
        pytest.param(ran(scr_api=make.rollout(API, "Running")), WEB, "EarlierWaveFailed", id="the-earlier-runs"),
        pytest.param(ran(scr_api=make.rollout(API, "Failed")), WEB, "EarlierWaveFailed", id="the-earlier-failed"),
        pytest.param(ran(scr_api=make.rollout(API, "Errored")), WEB, "EarlierWaveFailed", id="the-earlier-errored"),
        pytest.param(ran(scr_api=make.rollout(API, "Failed")), API, None, id="its-own-step-is-not-asked"),
        pytest.param(
            ran(one=make.rollout("one")).but(plan=BOTH_BEFORE), WEB, "EarlierWaveFailed", id="one-of-two-succeeded"
        ),
        pytest.param(
            ran(one=make.rollout("one"), two=make.rollout("two")).but(plan=BOTH_BEFORE), WEB, None, id="both-succeeded"
        ),
        pytest.param(
            ran(one=make.rollout("one", "Failed")).but(plan=BOTH_BEFORE), "two", None, id="beside-it-in-the-same-wave"
        ),
        pytest.param(ran().but(abort=ABORT), API, "AbortRequested", id="aborted"),
        pytest.param(ran().but(abort=ABORT), WEB, "AbortRequested", id="aborted-comes-before-the-waves"),
    ],
)
def test_stops(deployment: Deployment, service: str, why: str | None) -> None:
    assert stops(deployment, service) == why


def test_without_a_plan_there_is_no_order() -> None:
    with pytest.raises(InvalidInput, match="no plan"):
        stops(make.deployment(plan=None), API)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(None, False, id="not-begun"),
        pytest.param(make.rollout(API), True, id="succeeded"),
        pytest.param(make.rollout(API, "Running"), True, id="it-may-have-been-changed"),
        pytest.param(make.rollout(API, "Failed"), True, id="failed"),
        pytest.param(make.rollout(API, "Skipped"), False, id="skipped"),
        pytest.param(make.step("Failed", "NotFound"), False, id="failed-before-it-had-a-target"),
    ],
)
def test_touched(step: Step | None, expected: bool) -> None:
    assert touched(ran(**({} if step is None else {"scr_api": step})), API) is expected
