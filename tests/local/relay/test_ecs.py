"""The relay against a real emulator: rollouts and tasks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman_local.proxy import FaultProxy
from ferryman_local.relay import Event, Relay
from ferryman_local.relay.reads import Reads
from ferryman_local.relay.watch import Watcher
from local.clock import until
from local.relay_stage import Platform, Stage, of, told

pytest_plugins = ["local.relay_stage"]


def wait_for_event(relay: Relay, *path: str, timeout: float = 60.0, **wanted: Any) -> Event:
    def look() -> Event | None:
        return next(
            (e for e in relay.seen if set(path) <= set(e["resources"]) and wanted.items() <= e["detail"].items()), None
        )

    found = until(look, seconds=timeout)
    assert found is not None
    return found


def test_a_rollout_its_tasks_and_the_breakers_rollback_are_told(stage: Stage, relay: Relay, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    service = platform.create_service(platform.task_definition())
    first = wait_for_event(relay, service, eventName="SERVICE_DEPLOYMENT_COMPLETED")["detail"]["deploymentId"]

    good = platform.update(platform.task_definition(RELEASE="2"))
    completed = wait_for_event(relay, service, deploymentId=good, eventName="SERVICE_DEPLOYMENT_COMPLETED")
    assert completed["detail-type"] == "ECS Deployment State Change"
    assert completed["detail"]["eventType"] == "INFO"

    bad = platform.update(platform.task_definition(CRASH="1"))
    failed = wait_for_event(relay, service, deploymentId=bad, eventName="SERVICE_DEPLOYMENT_FAILED")
    assert failed["detail"]["eventType"] == "ERROR"
    until(lambda: len(names(relay, service, good)) >= 4)

    assert names(relay, service, first)[-1:] == ["COMPLETED"]
    assert names(relay, service, good) == ["IN_PROGRESS", "COMPLETED", "IN_PROGRESS", "COMPLETED"]
    assert names(relay, service, bad) == ["IN_PROGRESS", "FAILED"]
    rolling_back = [e for e in relay.seen if "rolling back" in e["detail"].get("reason", "")]
    assert [e["detail"]["deploymentId"] for e in rolling_back if service in e["resources"]] == [good]

    crashed = wait_for_event(relay, lastStatus="STOPPED", group="service:web", stopCode="EssentialContainerExited")
    detail = crashed["detail"]
    assert crashed["resources"] == [detail["taskArn"]]
    assert detail["containers"][0]["exitCode"] == 3
    assert detail["clusterArn"].endswith(platform.name)
    assert detail["stoppedReason"]
    versions = [e["detail"]["version"] for e in relay.seen if e["detail"].get("taskArn") == detail["taskArn"]]
    assert versions == sorted(set(versions)), "each version once, in order"


def names(relay: Relay, service: str, deployment: str) -> list[str]:
    found = [e["detail"] for e in relay.seen if service in e["resources"] and e["detail"]["deploymentId"] == deployment]
    return [detail["eventName"].removeprefix("SERVICE_DEPLOYMENT_") for detail in found]


def test_a_one_off_task_is_told_to_its_end(stage: Stage, relay: Relay, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    answer = platform.ecs.run_task(
        cluster=platform.name,
        taskDefinition=platform.task_definition(CRASH="1"),
        launchType="FARGATE",
        startedBy="ferryman/1",
    )

    event = wait_for_event(relay, answer["tasks"][0]["taskArn"], lastStatus="STOPPED")

    assert event["detail-type"] == "ECS Task State Change"
    assert event["detail"]["startedBy"] == "ferryman/1"
    assert event["detail"]["launchType"] == "FARGATE"
    assert event["detail"]["containers"][0]["exitCode"] == 3
    assert event["detail"]["stopCode"] == "EssentialContainerExited"


@pytest.fixture
def watcher(stage: Stage) -> Iterator[Watcher]:
    """A watcher that looks when the test says so, and looks at everything."""
    reads = Reads(stage.emulator.session(), stage.emulator.endpoint, stage.emulator.region)
    yield Watcher(reads, every=1)
    reads.close()


def test_a_task_that_lived_between_two_looks_is_told_once(stage: Stage, watcher: Watcher, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    watcher.look()
    answer = platform.ecs.run_task(
        cluster=platform.name, taskDefinition=platform.task_definition(CRASH="1"), launchType="FARGATE"
    )
    task = answer["tasks"][0]["taskArn"]
    until(
        lambda: platform.ecs.describe_tasks(cluster=platform.name, tasks=[task])["tasks"][0]["lastStatus"] == "STOPPED"
    )

    first = [c.detail["lastStatus"] for c in watcher.look() if task in c.resources]
    again = [c.detail["lastStatus"] for c in watcher.look() if task in c.resources]

    assert (first, again) == (["STOPPED"], [])


def test_looks_that_fail_lose_nothing(stage: Stage, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    with (
        FaultProxy(stage.emulator.port) as proxy,
        Relay(stage.emulator.session(), poll=0.05, endpoint=proxy.endpoint) as relay,
    ):
        trouble = proxy.fault("throttle", service="ecs", times=None)
        stage.push("v2")
        until(lambda: trouble.hits >= 3)
        service = platform.create_service(platform.task_definition())
        proxy.fault("lost_response", service="ecr", times=2)
        trouble.remove()

        assert len(told(relay, stage, 1, **{"image-tag": "v2"})) == 1
        wait_for_event(relay, service, eventName="SERVICE_DEPLOYMENT_COMPLETED")
        assert len([e for e in relay.seen if of(stage.name, "v2")(e)]) == 1
