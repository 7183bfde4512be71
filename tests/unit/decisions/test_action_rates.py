"""Which updates take a slot, of which action, and what people are told after a throttle."""

from datetime import timedelta

import pytest

from ferryman.decisions.action_rates import FREE, HOLD, NOTICED, REGISTER, UPDATE, Rate, rate_of, throttled_at, told
from ferryman.records import Deployment, Pace
from unit import builders as make


def wide(services: int, jobs: int = 0, **first: object) -> Deployment:
    names = [f"s-{number}" for number in range(services)]
    found = {name: make.planned(name) for name in names}
    found["s-0"] = found["s-0"].but(**first)
    moved = {f"j-{number}": make.planned_job(f"j-{number}") for number in range(jobs)}
    return make.deployment(plan=make.plan(waves=[names], services=found, jobs=moved))


@pytest.mark.parametrize(
    ("deployment", "direction", "rate"),
    [
        pytest.param(wide(3), "forward", None, id="small"),
        pytest.param(wide(FREE), "forward", None, id="the-largest-that-goes-ahead"),
        pytest.param(wide(FREE + 1), "forward", REGISTER, id="forward"),
        pytest.param(wide(FREE, jobs=1), "forward", REGISTER, id="jobs-count"),
        pytest.param(wide(FREE + 1), "back", UPDATE, id="back"),
        pytest.param(
            wide(FREE + 1, rollback_digests={"app": "sha256:a"}), "back", REGISTER, id="back-to-pinned-images"
        ),
    ],
)
def test_what_limits_an_update(deployment: Deployment, direction: str, rate: Rate | None) -> None:
    assert rate_of(deployment, "s-0", direction) == rate  # type: ignore[arg-type]


def test_both_rates_together_keep_to_the_quotas() -> None:
    # docs/reference/aws-facts.md#quotas-of-actions: 20 and 1 per second, 50 and 5 per second.
    assert REGISTER.burst <= 20
    assert 1 / REGISTER.interval.total_seconds() <= 1
    assert UPDATE.burst <= 50
    assert 1 / REGISTER.interval.total_seconds() + 1 / UPDATE.interval.total_seconds() <= 5


@pytest.mark.parametrize(
    ("held", "after", "seen"),
    [
        pytest.param(None, timedelta(), None, id="never"),
        pytest.param(HOLD, timedelta(), timedelta(), id="just-now"),
        pytest.param(HOLD, timedelta(minutes=3), timedelta(), id="minutes-ago"),
        pytest.param(HOLD, HOLD + NOTICED + timedelta(seconds=1), None, id="long-ago"),
    ],
)
def test_a_throttle_is_told_for_some_minutes(held: timedelta | None, after: timedelta, seen: timedelta | None) -> None:
    pace = Pace(destination="x", free_at=make.AT, held_until=make.AT + held if held else None)
    assert throttled_at(pace, make.AT + after) == (None if seen is None else make.AT + seen)
    assert throttled_at(None, make.AT) is None


def test_the_notice_names_the_action_and_the_next_turn() -> None:
    pace = Pace(destination="x", free_at=make.AT + REGISTER.ahead + timedelta(seconds=40))
    said = told(REGISTER, pace, make.AT)
    assert said.startswith("ECS throttles RegisterTaskDefinition:")
    assert "in 40 s" in said
    assert "in 0 s" in told(REGISTER, pace, make.AT + timedelta(minutes=5))
