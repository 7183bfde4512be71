"""How long a task may take to get healthy: what its target group allows, and its service's grace period."""

from types import SimpleNamespace
from typing import Any

import pytest

from ferryman_local.patches import ecs_deployments


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("grace", "patience"), [(0, 20), (60, 80)], ids=["process", "docker"])
def test_a_slow_start_is_no_failure_before_its_time(monkeypatch: pytest.MonkeyPatch, grace: int, patience: int) -> None:
    clock, failed = Clock(), []
    group = {"HealthCheckIntervalSeconds": 5, "UnhealthyThresholdCount": 4}
    service = {"loadBalancers": [{"targetGroupArn": "arn"}], "healthCheckGracePeriodSeconds": grace}
    task = {"lastStatus": "RUNNING"}
    monkeypatch.setattr(ecs_deployments, "time", clock)
    monkeypatch.setattr(ecs_deployments, "module", lambda _name: SimpleNamespace(_tgs={"arn": group}))
    monkeypatch.setattr(ecs_deployments, "fail_health_check", lambda *_arguments: failed.append(clock.now))

    def healthy_at(seconds: float) -> Any:
        monkeypatch.setattr(ecs_deployments, "check_health", lambda *_arguments: clock.now >= seconds)
        clock.now = 0.0
        return ecs_deployments.becomes_healthy(None, service, task, lambda _task: "127.0.0.1")

    assert healthy_at(patience - 1)
    assert not failed
    assert not healthy_at(patience + 5)
    assert failed == [pytest.approx(patience, abs=1)]
