"""How long a task may take to get healthy, and which deployments of a service are listed."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman_local.patches import ecs_deployments, ecs_scheduler
from ferryman_local.service_deployments.configuration import read
from ferryman_local.service_deployments.model import Service, ServiceDeployment, Status


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


MADE = datetime(2026, 1, 1, tzinfo=UTC)
AT = MADE + timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "ago", "live", "listed"),
    [
        (Status.ROLLBACK_SUCCESSFUL, timedelta(minutes=1), set(), ["good"]),
        (Status.ROLLBACK_SUCCESSFUL, timedelta(seconds=1), set(), ["good", "failed"]),
        (Status.ROLLBACK_SUCCESSFUL, timedelta(minutes=1), {"failed"}, ["good", "failed"]),
        (Status.ROLLBACK_IN_PROGRESS, None, set(), ["good", "failed"]),
        (Status.STOPPED, timedelta(minutes=1), set(), ["failed"]),
        (Status.STOPPED, timedelta(minutes=1), {"good"}, ["failed", "good"]),
    ],
    ids=["long ago", "just now", "has a task", "not back yet", "nothing to go back to", "stays beside the old tasks"],
)
def test_a_failed_deployment_is_listed_for_a_while(
    status: Status, ago: timedelta | None, live: set[str], listed: list[str]
) -> None:
    good = ServiceDeployment("good", "good", None, read({}), MADE, Status.SUCCESSFUL, finished_at=MADE)
    ended = AT - ago if ago is not None else None
    failed = ServiceDeployment("failed", "failed", "good", read({}), MADE, status, finished_at=ended, tripped=True)
    state = Service("web", 2, "good", (failed, good))
    assert ecs_scheduler.listed(state, live, AT) == listed
