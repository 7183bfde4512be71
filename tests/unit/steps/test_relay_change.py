"""ECS events bring waiting steps their verdict; broken ones are told, unrelated ones ignored."""

import json
from pathlib import Path
from typing import Any

import pytest

from ferryman.errors import InvalidInput, NotFound, Throttled
from ferryman.records import StepStatus
from ferryman.store.table import Store
from ferryman.store.task_tokens import remember
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecs import CLUSTER, refusal, service_arn

EVENTS = Path(__file__).parents[3] / "events/relay_change"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def service_event(name: str, kind: str = "ECS Deployment State Change", **detail: Any) -> dict[str, Any]:
    return {"source": "aws.ecs", "detail-type": kind, "resources": [service_arn(name)], "detail": detail}


def task_event(task: str, group: str) -> dict[str, Any]:
    detail = {"taskArn": task, "clusterArn": CLUSTER, "group": group, "lastStatus": "STOPPED"}
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": [task], "detail": detail}


SERVICE_TASK = task_event("arn:aws:ecs:eu-west-1:123456789012:task/scr-staging/1", "service:api")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(service_event("api", eventName="SERVICE_DEPLOYMENT_COMPLETED"), id="deployment"),
        pytest.param(service_event("api", "ECS Service Action", eventName="SERVICE_STEADY_STATE"), id="action"),
        pytest.param(SERVICE_TASK, id="task"),
        pytest.param(
            {"wake": {"platform": "scr", "environment": "staging", "deployment": "01K00000000000000000000DEP"}},
            id="wake",
        ),
    ],
)
def test_a_waiting_rollout_is_answered(world: World, event: dict[str, Any]) -> None:
    world.update()
    token = world.watch()
    world.relay(**event)
    assert world.answer(token) is None
    world.ecs.complete("api")
    world.relay(**event)
    assert world.answer(token) == {"service": "api", "verdict": "Succeeded", "reason": "Completed"}
    world.relay(**event)  # delivered twice


def test_the_event_says_completed_but_it_was_the_rollback(world: World) -> None:
    world.update()
    token = world.watch()
    world.ecs.trip_breaker("api")
    world.relay(**service_event("api", eventName="SERVICE_DEPLOYMENT_COMPLETED", deploymentId="ecs-svc/0001"))
    assert world.answer(token)["verdict"] == "Failed"  # type: ignore[index]


def test_an_event_that_comes_before_the_watcher_is_not_lost(world: World) -> None:
    world.update()
    world.ecs.complete("api")
    world.relay(**service_event("api"))
    assert world.step().status is StepStatus.RUNNING
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]


def test_a_migration_is_answered_by_its_task(world: World) -> None:
    world.run_migration()
    token = world.watch_migration()
    task = next(task for task in world.ecs.tasks.values() if task["startedBy"].startswith("fm-"))
    world.ecs.stop(task, exit_code=0)
    world.relay(**task_event(task["taskArn"], task["group"]))
    assert world.answer(token) == {"verdict": "Succeeded", "reason": "Completed"}


def test_an_abort_wakes_what_waits(world: World) -> None:
    world.update()
    token = world.watch()
    world.abort()
    world.relay(wake={"platform": "scr", "environment": "staging", "deployment": world.id})
    assert world.answer(token)["verdict"] == "Aborted"  # type: ignore[index]


def test_an_abort_wakes_a_migration(world: World) -> None:
    world.run_migration()
    world.watch_migration()
    world.abort()
    world.relay(wake={"platform": "scr", "environment": "staging", "deployment": world.id})
    task = next(task for task in world.ecs.tasks.values() if task["startedBy"].startswith("fm-"))
    assert task["desiredStatus"] == "STOPPED"


def test_the_wake_of_an_unknown_deployment(world: World) -> None:
    with pytest.raises(NotFound):
        world.relay(wake={"platform": "scr", "environment": "staging", "deployment": "nobody"})


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="empty"),
        pytest.param({"source": "aws.ecs", "detail-type": "ECS Deployment State Change"}, id="no-resources"),
        pytest.param({**service_event("api"), "resources": ["api"]}, id="not-an-arn"),
        pytest.param({**SERVICE_TASK, "detail": {}}, id="task-without-detail"),
        pytest.param({**SERVICE_TASK, "detail": {"taskArn": 1, "clusterArn": CLUSTER}}, id="task-with-a-number"),
    ],
)
def test_malformed_events_are_told(world: World, event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        world.relay(**event)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"source": "aws.ecs", "detail-type": "ECS Container Instance State Change"}, id="other-kind"),
        pytest.param(service_event("somebody-elses"), id="other-service"),
        pytest.param(task_event("arn:aws:ecs:eu-west-1:1:task/other/1", "family:cron"), id="other-task"),
    ],
)
def test_unrelated_events_are_ignored(world: World, event: dict[str, Any]) -> None:
    world.relay(**event)
    assert world.ecs.calls.total() == 0


def test_one_broken_wait_does_not_stop_the_others(world: World) -> None:
    """Two deployments' waits on one service: the first can't be judged just now."""
    world.update()
    world.ecs.complete("api")
    key = world.ecs.services["api"]["serviceArn"]
    world.ecs.throttle("describe_services")
    with pytest.raises(Throttled):
        world.watch()
    wait = world.store.waits(key)[0]
    world.states.open.add("other")
    remember(world.store, wait.but(step="rollout/AAA-broken", service=None, token="other"))
    with pytest.raises(InvalidInput):
        world.relay(**service_event("api"))
    assert world.answer(wait.token)["verdict"] == "Succeeded"  # type: ignore[index]


def test_the_wait_of_a_dead_deployment_is_forgotten(world: World) -> None:
    world.update()
    world.watch()
    world.lose_claim()
    world.ecs.complete("api")
    world.relay(**service_event("api"))
    assert world.store.waits(service_arn("api")) == []


def test_a_dead_deployment_stops_no_task(world: World) -> None:
    world.run_migration()
    world.watch_migration()
    world.clock.forward(minutes=11)
    world.lose_claim()
    task = next(task for task in world.ecs.tasks.values() if task["startedBy"].startswith("fm-"))
    world.relay(**task_event(task["taskArn"], task["group"]))
    assert task["desiredStatus"] == "RUNNING"


def test_an_answer_that_fails_is_raised_and_given_next_time(world: World) -> None:
    world.update()
    token = world.watch()
    world.ecs.complete("api")
    world.states.fail = [refusal("SendTaskSuccess", "ThrottlingException")]
    with pytest.raises(Throttled):
        world.relay(**service_event("api"))
    world.relay(**service_event("api"))
    assert world.answer(token)["verdict"] == "Succeeded"  # type: ignore[index]


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_example_events(world: World, path: Path) -> None:
    event = json.loads(path.read_text())
    if path.stem.startswith("malformed"):
        with pytest.raises(InvalidInput):
            world.relay(**event)
    elif "wake" in event:
        with pytest.raises(NotFound):
            world.relay(**event)
    else:
        world.relay(**event)
