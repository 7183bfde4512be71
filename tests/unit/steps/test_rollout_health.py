"""Healthy tasks whose old ones drain: timeout, the second bound, the next wave, what can't be read."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.deployment_report import also_failed, cause_of
from ferryman.decisions.deployment_steps import goes_back
from ferryman.records import StepStatus
from ferryman.steps import watch_rollout
from ferryman.store.table import Store
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.elb import GROUP

PORT = 8000
DRAINS = 300 + 30 + 120
"""Deregistration delay, stopTimeout, what the scheduler takes."""


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    behind_load_balancer(world)
    world.update()
    return world


def behind_load_balancer(world: World, service: str = "api", **also: Any) -> None:
    world.ecs.services[service]["loadBalancers"] = [
        {"targetGroupArn": GROUP, "containerName": "app", "containerPort": PORT, **also}
    ]


def start(world: World, service: str = "api", *, state: str = "healthy", **task: Any) -> dict[str, Any]:
    """Let all new tasks run, with their targets in one state; old ones are still there."""
    found = world.ecs.services[service]
    world.ecs.deployment(service)["runningCount"] = found["desiredCount"]
    address = f"10.0.0.{len(world.ecs.tasks) + 1}"
    interface = {"type": "ElasticNetworkInterface", "details": [{"name": "privateIPv4Address", "value": address}]}
    made = world.ecs.add_task(service, "sha256:new", **{"attachments": [interface], **task})
    world.elb.targets[GROUP][address, PORT] = state
    return made


def test_a_healthy_release_is_not_taken_back_because_old_tasks_drain(world: World) -> None:
    start(world)
    world.clock.forward(seconds=590)
    assert world.answer(world.watch()) is None
    world.clock.forward(seconds=DRAINS - 1)  # long after `timeout`
    assert world.answer(world.watch()) is None
    progress = world.step().rollout
    assert progress is not None
    assert progress.drain_seconds == DRAINS
    world.clock.forward(seconds=1)
    assert world.answer(world.watch()) == {"service": "api", "verdict": "Succeeded", "reason": "OldTasksRemain"}
    assert world.step().message == (
        f"api runs the release (1/1); ECS still stops old tasks, {DRAINS} s after all new ones were healthy"
    )


def protect(world: World, hours: float) -> None:
    """Protect the old task of `api` from scale-in."""
    new = world.ecs.deployment("api")["taskDefinition"]
    (old,) = [t for t in world.ecs.tasks.values() if t["group"] == "service:api" and t["taskDefinitionArn"] != new]
    world.ecs.protected[old["taskArn"]] = world.clock() + timedelta(hours=hours)


def test_old_tasks_whose_protection_outlasts_every_wait_are_not_waited_for(world: World) -> None:
    start(world)
    protect(world, hours=48)
    world.watch()
    world.clock.forward(seconds=DRAINS)
    assert world.answer(world.watch())["reason"] == "OldTasksRemain"  # type: ignore[index]
    assert world.step().message == (
        f"api runs the release (1/1); ECS still stops old tasks, {DRAINS} s after all new ones were healthy; "
        f"1 old task is protected from scale-in until {world.clock() + timedelta(hours=48, seconds=-DRAINS):%F %T} UTC"
    )


def test_a_protection_that_ends_in_time_is_waited_for(world: World) -> None:
    start(world)
    protect(world, hours=1)
    world.watch()
    assert world.step().rollout.drain_seconds == 3600 + DRAINS  # type: ignore[union-attr]
    world.clock.forward(hours=1, seconds=DRAINS - 1)
    assert world.answer(world.watch()) is None
    world.clock.forward(seconds=1)
    assert world.answer(world.watch())["reason"] == "OldTasksRemain"  # type: ignore[index]
    assert "protected" not in world.step().message


def test_new_tasks_that_find_no_place_beside_protected_ones_say_why(world: World) -> None:
    protect(world, hours=3)
    world.clock.forward(seconds=600)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "(0/1 run). 1 old task is protected from scale-in until " in world.step().message
    assert "maximumPercent leaves no room beside old ones" in world.step().message


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "UnsupportedFeatureException"])
def test_what_is_not_known_of_protection_is_told_and_fails_nothing(world: World, code: str) -> None:
    start(world)
    world.ecs.refuse("get_task_protection", code, "no")
    world.watch()
    assert world.step().rollout.drain_seconds == DRAINS  # type: ignore[union-attr]
    world.ecs.refuse("get_task_protection", code, "no")
    world.clock.forward(seconds=DRAINS)
    assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]
    assert "; whether old tasks are protected from scale-in could not be read: " in world.step().message
    assert code in world.step().message


def test_completed_within_the_second_bound_is_completed(world: World) -> None:
    start(world)
    world.watch()
    world.clock.forward(seconds=400)
    world.ecs.complete("api")
    assert world.answer(world.watch())["reason"] == "Completed"  # type: ignore[index]


@pytest.mark.parametrize("state", ["initial", "unhealthy", "draining", "unused", "unavailable"])
def test_tasks_that_run_but_are_no_healthy_target_fail_at_the_timeout(world: World, state: str) -> None:
    start(world, state=state)
    world.clock.forward(seconds=599)
    assert world.answer(world.watch()) is None
    world.clock.forward(seconds=1)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "not healthy after 600 s (1/1 run)" in world.step().message


def test_a_target_of_another_task_proves_nothing(world: World) -> None:
    start(world, state="initial")
    world.elb.targets[GROUP]["10.0.9.9", PORT] = "healthy"
    world.clock.forward(seconds=600)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]


def test_fewer_healthy_tasks_than_desired_are_not_healthy(world: World) -> None:
    world.ecs.services["api"]["desiredCount"] = 2
    start(world)
    start(world, state="initial")
    world.watch()
    assert world.step().rollout.healthy_at is None  # type: ignore[union-attr]
    start(world)
    world.watch()
    assert world.step().rollout.healthy_at == world.clock()  # type: ignore[union-attr]


def test_every_target_group_counts(world: World) -> None:
    second = GROUP.replace("/api/", "/internal/")
    world.elb.targets[second] = {}
    world.ecs.services["api"]["loadBalancers"].append(
        {"targetGroupArn": second, "containerName": "app", "containerPort": PORT}
    )
    start(world)
    world.watch()
    assert world.step().rollout.healthy_at is None  # type: ignore[union-attr]
    world.elb.targets[second].update(world.elb.targets[GROUP])
    world.watch()
    assert world.step().rollout.healthy_at is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("bindings", "port"), [([{"containerPort": PORT, "hostPort": 32768}], 32768), ([], PORT)], ids=["bridge", "host"]
)
def test_a_target_on_an_instance_is_known_by_instance_and_port(
    world: World, bindings: list[dict[str, int]], port: int
) -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:container-instance/scr-staging/0123"
    task = start(world, state="initial", attachments=[], containerInstanceArn=arn)
    for container in task["containers"]:
        container["networkBindings"] = bindings if container["name"] == "app" else []
    world.watch()
    assert world.step().rollout.healthy_at is None  # type: ignore[union-attr]
    world.elb.targets[GROUP]["i-0123", port] = "healthy"
    world.watch()
    assert world.step().rollout.healthy_at is not None  # type: ignore[union-attr]


def test_an_ipv6_target_is_known_by_its_address(world: World) -> None:
    task = start(world, state="initial")
    task["containers"][0]["networkInterfaces"] = [{"privateIpv4Address": "10.0.0.7", "ipv6Address": "2001:db8::1"}]
    world.elb.targets[GROUP]["2001:db8::1", PORT] = "healthy"
    world.watch()
    assert world.step().rollout.healthy_at is not None  # type: ignore[union-attr]


CHECKED = {"healthCheck": {"command": ["CMD", "true"]}}
CHECKED_SIDECAR = {**CHECKED, "essential": False}


@pytest.mark.parametrize(
    ("containers", "told", "healthy"),
    [
        pytest.param({"app": CHECKED}, {"app": "HEALTHY"}, True, id="passes"),
        pytest.param({"app": CHECKED}, {"app": "UNKNOWN"}, False, id="not-checked-yet"),
        pytest.param({"app": CHECKED}, {}, False, id="not-told-yet"),
        pytest.param({"app": CHECKED}, {"app": "UNHEALTHY"}, False, id="fails"),
        pytest.param({"app": CHECKED, "log": {}}, {"app": "HEALTHY", "log": "UNKNOWN"}, True, id="beside-one-without"),
        pytest.param({"app": CHECKED, "log": {}}, {"app": "UNKNOWN", "log": "UNKNOWN"}, False, id="not-yet-beside-one"),
        pytest.param({"app": CHECKED, "log": CHECKED}, {"app": "HEALTHY", "log": "UNKNOWN"}, False, id="one-of-two"),
        pytest.param({"app": CHECKED, "log": CHECKED}, {"app": "HEALTHY", "log": "HEALTHY"}, True, id="both"),
        pytest.param({"app": {}, "log": CHECKED_SIDECAR}, {"log": "UNHEALTHY"}, True, id="only-a-sidecar-has-one"),
        pytest.param({"app": CHECKED, "log": CHECKED_SIDECAR}, {"app": "HEALTHY"}, True, id="sidecar-not-yet"),
        pytest.param({"app": CHECKED, "log": CHECKED_SIDECAR}, {"log": "HEALTHY"}, False, id="only-the-sidecar-passes"),
        pytest.param({"app": {}}, {"app": "UNHEALTHY"}, False, id="unhealthy-all-the-same"),
    ],
)
def test_the_own_checks_of_essential_containers_count(
    world: World, containers: dict[str, dict[str, Any]], told: dict[str, str], healthy: bool
) -> None:
    """The task tells what AWS makes of its essential containers: one without a check keeps it UNKNOWN."""
    world.ecs.services["api"]["loadBalancers"] = []
    sidecar, app = world.definition()["containerDefinitions"]
    defined = [{**app, **more, "name": name} for name, more in containers.items()]
    world.definition()["containerDefinitions"] = [sidecar, *defined]
    task = start(world)
    for container in task["containers"]:
        container["healthStatus"] = told.get(container["name"], "UNKNOWN")
    essential = {told.get(item["name"], "UNKNOWN") for item in defined if item.get("essential", True)}
    task["healthStatus"] = next(one for one in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if one in essential)
    world.watch()
    assert (world.step().rollout.healthy_at is not None) is healthy  # type: ignore[union-attr]
    assert not world.elb.calls


def test_without_any_check_running_at_the_desired_count_is_healthy(world: World) -> None:
    world.ecs.services["api"]["loadBalancers"] = []
    start(world)
    world.watch()
    progress = world.step().rollout
    assert progress is not None
    assert (progress.healthy_at, progress.drain_seconds) == (world.clock(), 30 + 120)


def slower_look(world: World, monkeypatch: pytest.MonkeyPatch, *, seconds: int) -> str:
    """Watch twice at once. The first look sees tasks that are not healthy yet, and is the last to record it.

    `seconds`: how much later the second one begins. Return its token.
    """
    real, tokens = watch_rollout.check, list[str]()

    def check(*args: Any, **edges: Any) -> watch_rollout.Look:
        monkeypatch.undo()
        look = real(*args, **edges)
        start(world)
        world.clock.forward(seconds=seconds)
        tokens.append(world.watch(may_proceed=True))
        return look

    monkeypatch.setattr(watch_rollout, "check", check)
    world.watch()
    return tokens[0]


def test_a_slower_look_does_not_restart_the_bound_of_old_tasks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slower_look(world, monkeypatch, seconds=1)
    progress = world.step().rollout
    assert progress is not None
    assert (progress.healthy_at, progress.lost_at, progress.drain_seconds) == (world.clock(), None, DRAINS)
    world.clock.forward(seconds=DRAINS)
    assert world.answer(world.watch())["reason"] == "OldTasksRemain"  # type: ignore[index]


def test_a_refused_look_is_told_and_the_deadline_stays(world: World) -> None:
    world.elb.refused = "AccessDenied"
    start(world)
    world.clock.forward(seconds=600)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "elasticloadbalancing:DescribeTargetHealth" in world.step().message


def test_a_classic_load_balancer_is_left_to_ecs(world: World) -> None:
    world.ecs.services["api"]["loadBalancers"] = [{"loadBalancerName": "old", "containerName": "app"}]
    start(world)
    world.clock.forward(seconds=600)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "Classic Load Balancer" in world.step().message


def test_tasks_of_a_forced_deployment_are_not_those_before_it(world: World) -> None:
    """Both have the same task definition; only `startedBy` tells them apart."""
    start(world, startedBy="ecs-svc/0000")
    start(world, state="initial")
    world.watch()
    assert world.step().rollout.healthy_at is None  # type: ignore[union-attr]


def test_tasks_that_ecs_counts_to_a_deployment_are_its_whoever_started_them(world: World) -> None:
    start(world, startedBy="ecs-svc/0000")
    world.watch()
    assert world.step().rollout.healthy_at is not None  # type: ignore[union-attr]


def test_an_ill_release_that_was_healthy_once_is_given_up(world: World) -> None:
    task = start(world)
    world.watch()
    world.elb.targets[GROUP].clear()
    world.clock.forward(seconds=60)
    assert world.answer(world.watch()) is None
    world.clock.forward(seconds=600)
    assert world.answer(world.watch())["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert task["lastStatus"] == "RUNNING"


def test_the_way_back_is_no_failure_because_its_tasks_drain(world: World) -> None:
    world.ecs.trip_breaker("api", roll_back=False)
    world.watch()
    world.update("api", "back")
    start(world)
    world.clock.forward(seconds=590)
    world.watch("api", "back")
    world.clock.forward(seconds=DRAINS)
    assert world.answer(world.watch("api", "back"))["reason"] == "OldTasksRemain"  # type: ignore[index]


class TestNextWave:
    @pytest.fixture
    def proceeding(self, store: Store, clock: FakeClock, new_id: FakeIds) -> World:
        world = World(store, clock, new_id)
        behind_load_balancer(world)
        plan = world.plan()
        services = {name: item.but(proceed_when="healthy") for name, item in plan.services.items()}
        world.claim("01K00000000000000000000TWO", services=services)
        world.update()
        return world

    def test_begins_while_old_tasks_drain_and_is_asked_again(self, proceeding: World) -> None:
        world = proceeding
        assert world.update("web").verdict == "Stopped"
        start(world)
        assert world.answer(world.watch(may_proceed=True)) == {"service": "api", "verdict": "Healthy", "reason": ""}
        assert world.step().status is StepStatus.RUNNING
        assert world.update("web").verdict == "Started"
        # The second look, once all waves went: nothing proceeds any more.
        assert world.answer(world.watch()) is None
        world.ecs.complete("api")
        assert world.answer(world.watch())["verdict"] == "Succeeded"  # type: ignore[index]

    @pytest.mark.parametrize("seconds", [0, 1])
    def test_begins_though_a_slower_look_saw_no_healthy_tasks(
        self, proceeding: World, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        """Of two looks that began at once nobody knows which is newer: then health may count as lost, not as never."""
        token = slower_look(proceeding, monkeypatch, seconds=seconds)
        assert proceeding.answer(token)["verdict"] == "Healthy"  # type: ignore[index]
        assert proceeding.update("web").verdict == "Started"

    def test_an_earlier_state_machine_never_hears_of_it(self, proceeding: World) -> None:
        start(proceeding)
        assert proceeding.answer(proceeding.watch()) is None

    def test_an_event_answers_as_the_wait_allows(self, proceeding: World) -> None:
        token = proceeding.watch(may_proceed=True)
        start(proceeding)
        service = proceeding.ecs.services["api"]["serviceArn"]
        proceeding.relay(**{"detail-type": "ECS Service Action", "source": "aws.ecs", "resources": [service]})
        assert proceeding.answer(token)["verdict"] == "Healthy"  # type: ignore[index]

    def test_an_earlier_wave_that_is_given_up_later_takes_all_back(self, proceeding: World) -> None:
        world = proceeding
        start(world)
        world.watch(may_proceed=True)
        world.update("web")
        world.ecs.complete("web")
        world.watch("web")
        world.ecs.trip_breaker("api")
        assert world.answer(world.watch())["verdict"] == "Failed"  # type: ignore[index]
        assert [world.update(name, "back").verdict for name in ("web", "api")] == ["Started", "Started"]

    @pytest.mark.parametrize("on_failure", ["rollback", "hold"])
    def test_a_healthy_rollout_is_not_blamed_when_another_one_fails(self, proceeding: World, on_failure: str) -> None:
        world = proceeding
        services = world.deployment.require_plan().services
        world.claim("01K00000000000000000000BAD", services=services, on_failure=on_failure)
        world.update()
        start(world)
        world.watch(may_proceed=True)
        world.update("web")
        world.ecs.trip_breaker("web")
        assert world.answer(world.watch("web"))["verdict"] == "Failed"  # type: ignore[index]
        for name in ("web", "api"):
            world.update(name, "back")
        step = world.step()
        assert (step.status, step.reason, step.ended_at) == (StepStatus.ABORTED, "EndedWhileDraining", world.clock())
        cause = cause_of(world.deployment)
        assert cause is not None
        assert (cause.service, also_failed(world.deployment, cause)) == ("web", [])
        assert not any(
            found.status is StepStatus.RUNNING for key, found in world.deployment.steps.items() if not goes_back(key)
        )
