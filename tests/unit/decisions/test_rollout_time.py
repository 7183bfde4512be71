"""How long a rollout takes, and what makes it faster."""

from dataclasses import replace

import pytest

from ferryman.decisions.rollout_time import Pace, TargetGroup, drain_seconds, remark

ALB = TargetGroup("api", interval=30, healthy_threshold=5, deregistration_delay=300)
"""ALB's defaults."""
QUICK = TargetGroup("api", interval=10, healthy_threshold=2, deregistration_delay=30)


@pytest.mark.parametrize(
    ("pace", "batches", "until_healthy"),
    [
        pytest.param(Pace(1), 1, 60, id="no-load-balancer"),
        pytest.param(Pace(4, groups=(ALB,)), 1, 60 + 150, id="alb-defaults"),
        pytest.param(Pace(4, groups=(QUICK, ALB)), 1, 60 + 150, id="slowest-group"),
        pytest.param(Pace(4, groups=(QUICK,), check_seconds=90), 1, 60 + 90, id="container-check"),
        pytest.param(Pace(4, 100, 150, (ALB,)), 2, 2 * 210 + 330, id="half-more"),
        pytest.param(Pace(4, 50, 100, (ALB,)), 2, 2 * 210 + 2 * 330, id="half-less: old ones have to go first"),
        pytest.param(Pace(4, 0, 100, (ALB,)), 1, 210 + 330, id="all at once"),
        pytest.param(Pace(3, 50, 150, (ALB,)), 2, 2 * 210 + 330, id="rounding"),
    ],
)
def test_until_healthy(pace: Pace, batches: int, until_healthy: int) -> None:
    assert (pace.batches, pace.until_healthy) == (batches, until_healthy)


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        pytest.param(Pace(1), 30 + 120, id="no-load-balancer"),
        pytest.param(Pace(1, groups=(QUICK, ALB)), 300 + 30 + 120, id="longest-delay"),
        pytest.param(Pace(1, stop_seconds=120), 120 + 120, id="stop-timeout"),
        pytest.param(Pace(1, bake_seconds=600), 30 + 600 + 120, id="alarms-bake"),
        pytest.param(Pace(1, groups=(replace(ALB, deregistration_delay=3600),), bake_seconds=7200), 7200, id="at-most"),
    ],
)
def test_drain_seconds(pace: Pace, seconds: int) -> None:
    assert drain_seconds(pace) == seconds


def test_a_timeout_below_a_healthy_rollout_is_told_with_what_makes_it_faster() -> None:
    said = remark(Pace(4, 100, 150, (ALB,)), 600)
    assert said is not None
    assert said.startswith("a healthy rollout takes about 12m in 2 rounds until all new tasks are healthy, but timeout")
    for part in ("timeout is 10m", "maximumPercent to 200", "5 every 30 s", "deregistration delay of target group api"):
        assert part in said


def test_old_tasks_that_take_long_to_go_are_told() -> None:
    said = remark(Pace(4, groups=(ALB,)), 600)
    assert said is not None
    assert "about 3m30s until all new tasks are healthy, and about 5m30s more until the old ones are gone" in said


@pytest.mark.parametrize("pace", [Pace(4, groups=(QUICK,)), Pace(1), Pace(0, groups=(ALB,))])
def test_nothing_to_tell(pace: Pace) -> None:
    assert remark(pace, 600) is None


@pytest.mark.parametrize("pace", [Pace(4, 100, 100), Pace(1, 100, 150)])
def test_a_service_that_can_replace_no_task_is_told(pace: Pace) -> None:
    assert "can replace no task" in str(remark(pace, 600))


@pytest.mark.parametrize(
    ("protected", "seconds"),
    [
        pytest.param(0, 450, id="nothing is protected"),
        pytest.param(3600, 4050, id="ends in time"),
        pytest.param(7200 - 450, 7200, id="ends just in time"),
        pytest.param(7200, 450, id="ends too late to wait for it"),
    ],
)
def test_a_protection_counts_when_it_ends_within_the_longest_wait(protected: int, seconds: int) -> None:
    pace = Pace(1, groups=(TargetGroup("api", 30, 5, 300),))
    assert drain_seconds(pace, protected) == seconds
