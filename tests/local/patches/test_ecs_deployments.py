"""How long a task may take to get healthy, and which deployments of a service are listed."""

from datetime import UTC, datetime, timedelta
from threading import Lock
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


def deployment(name: str, status: str, state: str, age: float = 0.0) -> dict[str, Any]:
    updated = datetime.now(UTC) - timedelta(seconds=age)
    return {"id": name, "status": status, "rolloutState": state, "updatedAt": updated.isoformat()}


def emulator(*deployments: dict[str, Any], tasks: dict[str, Any] | None = None) -> Any:
    """What the corrections use of the emulator's ECS, with one service."""
    service = {"taskDefinition": "arn:1", "deployments": list(deployments)}
    lock = Lock()
    return SimpleNamespace(
        _services={"here/web": service},
        _tasks=tasks or {},
        _PRE_STOP_STATUSES=("PENDING", "RUNNING"),
        _resolve_cluster_name=lambda name: name,
        _resolve_service_ref=lambda name: (name, None),
        _primary_deployment=lambda found: next((d for d in found["deployments"] if d["status"] == "PRIMARY"), None),
        resource_lock=lambda *_names: lock,
    )


def test_an_update_wins_against_the_breaker_that_trips_in_its_middle() -> None:
    bad, good = deployment("bad", "PRIMARY", "IN_PROGRESS"), deployment("good", "ACTIVE", "COMPLETED")
    ecs = emulator(bad, good)

    def original(_data: dict[str, Any]) -> str:
        bad.update(status="ACTIVE", rolloutState="FAILED")
        ecs._services["here/web"]["deployments"].insert(0, deployment("back", "PRIMARY", "IN_PROGRESS"))
        good.update(status="PRIMARY", rolloutState="IN_PROGRESS")
        return "answer"

    update = ecs_deployments.update_service(original, ecs)
    assert update({"cluster": "here", "service": "web"}) == "answer"
    listed = ecs._services["here/web"]["deployments"]
    assert [d["id"] for d in listed if d["status"] == "PRIMARY"] == ["back"]


LONG = ecs_deployments.FAILED_LISTED_SECONDS + 5


@pytest.mark.parametrize(
    ("status", "age", "task", "listed"),
    [
        ("ACTIVE", LONG, None, False),
        ("ACTIVE", 0, None, True),
        ("ACTIVE", LONG, "RUNNING", True),
        ("ACTIVE", LONG, "STOPPED", False),
        ("PRIMARY", LONG, None, True),
    ],
    ids=["long ago", "just now", "has a task", "its task stopped", "nothing to go back to"],
)
def test_a_failed_deployment_is_listed_for_a_while(status: str, age: float, task: str | None, listed: bool) -> None:
    failed, good = deployment("failed", status, "FAILED", age), deployment("good", "ACTIVE", "COMPLETED")
    ecs = emulator(failed, good, tasks={"t": {"_deployment_id": "failed", "lastStatus": task}})
    describe = ecs_deployments.describe_services(lambda _data: ecs._services["here/web"]["deployments"], ecs)
    found = [d["id"] for d in describe({"cluster": "here", "services": ["web"]})]
    assert found == (["failed", "good"] if listed else ["good"])
