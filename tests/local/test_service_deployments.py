"""The pure state machine of ECS's service deployments, driven by a small world: it keeps what AWS promises and ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferryman_local.service_deployments import machine
from ferryman_local.service_deployments.configuration import Refused, Stage, read
from ferryman_local.service_deployments.model import Ask, Condition, Route, Service, Start, Status, Stop, Task, Tell

TICK = timedelta(seconds=20)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ROLLING = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
CANARY = {
    "strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10, "canaryBakeTimeInMinutes": 5},
    "bakeTimeInMinutes": 10,
}  # fmt: skip
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10}
LINEAR = {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25, "stepBakeTimeInMinutes": 2}}
HOOK = {"hookTargetArn": "arn:function", "roleArn": "arn:role", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}


@dataclass
class World:
    """One service whose tasks do what `runs` says of their revision."""

    service: Service
    tasks: list[Task]
    now: datetime = BEGIN
    runs: dict[str, str] = field(default_factory=dict)
    """Revision → `well` (the default), `crashes` or `hangs`."""
    drains: int = 2
    """Ticks until a task that was stopped is gone."""
    answer: str = "SUCCEEDED"
    seen: list[str] = field(default_factory=list)
    production: list[Mapping[str, float]] = field(default_factory=list)
    asked: list[Stage] = field(default_factory=list)
    _count: int = 0
    _left: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, desired: int = 2, **more: Any) -> "World":
        tasks = [Task(f"old{number}", "a", Condition.HEALTHY) for number in range(desired)]
        return cls(Service("web", desired, "a", production={"a": 100.0}, test={"a": 100.0}), tasks, **more)

    def new_id(self) -> str:
        self._count += 1
        return f"id{self._count}"

    def update(self, configuration: Mapping[str, Any], revision: str = "b", ringing: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self.service = machine.updated(
            self.service, revision, read(configuration), id=self.new_id(), now=self.now, ringing=ringing
        )

    def settle(self) -> None:
        """Do what there is to do now, without any time passing."""
        for _ in range(200):
            service, acts = machine.advanced(self.service, self.tasks, self.now, self.new_id)
            if not acts and service == self.service:
                return
            self.service = service
            for act in acts:
                self._do(act)
        raise AssertionError("it never comes to rest")

    def settle_once(self) -> None:
        """Do one step; when there is none, let time pass."""
        service, acts = machine.advanced(self.service, self.tasks, self.now, self.new_id)
        if not acts and service == self.service:
            self.pass_time()
            return
        self.service = service
        for act in acts:
            self._do(act)

    def _do(self, act: object) -> None:
        match act:
            case Start(revision, count):
                self.tasks += [Task(self.new_id(), revision, Condition.STARTING) for _ in range(count)]
            case Stop(ids):
                self.tasks = [replace(t, condition=Condition.STOPPING) if t.id in ids else t for t in self.tasks]
                self._left |= dict.fromkeys(ids, self.drains)
            case Route("production", weights):
                self.production.append(weights)
            case Ask(run, deployment):
                self.asked.append(run.stage)
                self.service = machine.hook_answered(self.service, deployment.id, run.id, self.answer, 0, self.now)
            case Tell(kind, _, _):
                self.seen.append(kind)

    def tick(self) -> None:
        self.settle()
        self.pass_time()
        self.settle()

    def pass_time(self) -> None:
        self.now += TICK
        for task in list(self.tasks):
            if task.condition is Condition.STARTING and self.runs.get(task.revision, "well") == "well":
                self._put(replace(task, condition=Condition.HEALTHY))
                self.service = machine.task_became_healthy(self.service, task.revision)
            elif task.condition is Condition.STARTING and self.runs[task.revision] == "crashes":
                self.tasks.remove(task)
                self.service = machine.task_failed(self.service, task.revision, self.now)
            elif task.condition is Condition.STOPPING:
                self._left[task.id] -= 1
                if self._left[task.id] <= 0:
                    self.tasks.remove(task)

    def _put(self, task: Task) -> None:
        self.tasks = [task if known.id == task.id else known for known in self.tasks]

    def until_it_ends(self, most: timedelta = timedelta(hours=2)) -> Status:
        until = self.now + most
        while self.service.current is not None and self.now < until:
            self.tick()
        return self.service.deployments[0].status

    def healthy(self) -> int:
        return sum(task.condition is Condition.HEALTHY for task in self.tasks)


@given(
    desired=st.integers(1, 9), least=st.sampled_from([0, 50, 100]), most=st.sampled_from([100, 125, 150, 200]),
    drains=st.integers(1, 6),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_rolling_deployment_keeps_both_percentages(desired: int, least: int, most: int, drains: int) -> None:
    world = World.of(desired, drains=drains)
    world.update({"minimumHealthyPercent": least, "maximumPercent": most})
    configuration = world.service.deployments[0].configuration
    for _ in range(400):
        world.tick()
        assert world.healthy() >= configuration.least(desired)
        assert len(world.tasks) <= max(configuration.most(desired), desired)
    moves = configuration.most(desired) > configuration.least(desired)
    assert (world.service.current is None) == moves, "with 100 and 100 per cent nothing can be replaced"
    if moves:
        assert [task.revision for task in world.tasks] == ["b"] * desired


def test_the_old_tasks_are_gone_when_it_is_completed() -> None:
    world = World.of(2, drains=15)
    world.update(ROLLING)
    began = world.now
    assert world.until_it_ends() is Status.SUCCESSFUL
    assert world.now - began >= 15 * TICK
    assert world.seen[-1] == "SERVICE_DEPLOYMENT_COMPLETED"


@pytest.mark.parametrize("configuration", [ROLLING, BLUE_GREEN])
def test_a_protected_task_is_waited_for(configuration: dict[str, Any]) -> None:
    world = World.of(2)
    world.tasks[0] = replace(world.tasks[0], protected=True)
    world.update(configuration)
    for _ in range(60):
        world.tick()
    assert world.service.deployments[0].status is Status.IN_PROGRESS
    assert [task.revision for task in world.tasks] == ["a", "b", "b"]
    world.tasks[0] = replace(world.tasks[0], protected=False)
    assert world.until_it_ends() is Status.SUCCESSFUL


@pytest.mark.parametrize(("desired", "fails"), [(2, 3), (10, 5)])
def test_the_breaker_goes_back_to_the_tasks_that_still_run(desired: int, fails: int) -> None:
    world = World.of(desired, runs={"b": "crashes"})
    world.update({**ROLLING, "maximumPercent": 100 + 100 // desired})
    assert world.until_it_ends() is Status.ROLLBACK_SUCCESSFUL
    ended = world.service.deployments[0]
    assert (ended.tripped, ended.failed_tasks, world.service.runs) == (True, fails, "a")
    assert [task.revision for task in world.tasks] == ["a"] * desired


def test_a_healthy_task_lets_the_breaker_count_from_zero() -> None:
    world = World.of(2, runs={"b": "hangs"})
    world.update(ROLLING)
    world.tick()
    for _ in range(2):
        world.service = machine.task_failed(world.service, "b", world.now)
    world.service = machine.task_became_healthy(world.service, "b")
    assert world.service.deployments[0].failed_tasks == 0


def test_what_is_replaced_is_stopped_and_its_unfinished_tasks_go_first() -> None:
    world = World.of(2, runs={"b": "hangs"})
    world.update(ROLLING)
    world.tick()
    world.update(ROLLING, "c")
    world.settle()
    assert world.service.deployments[1].status is Status.STOPPED
    assert all(task.condition is Condition.STOPPING for task in world.tasks if task.revision == "b")
    assert world.until_it_ends() is Status.SUCCESSFUL
    assert world.service.runs == "c"


def test_a_canary_moves_traffic_in_two_steps_and_bakes_after_each() -> None:
    world = World.of()
    world.update(CANARY)
    began = world.now
    assert world.until_it_ends() is Status.SUCCESSFUL
    assert world.production == [{"b": 10.0, "a": 90.0}, {"b": 100.0}]
    assert timedelta(minutes=15) <= world.now - began < timedelta(minutes=18)
    assert [task.revision for task in world.tasks] == ["b", "b"]


def test_a_linear_one_moves_in_equal_steps() -> None:
    world = World.of()
    world.update(LINEAR)
    assert world.until_it_ends() is Status.SUCCESSFUL
    assert [weights["b"] for weights in world.production] == [25, 50, 75, 100]


@pytest.mark.parametrize("configuration", [BLUE_GREEN, CANARY, LINEAR])
@pytest.mark.parametrize("reached", [Stage.SCALE_UP, Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.BAKE_TIME])
@pytest.mark.parametrize("how", ["alarm", "person"])
def test_the_weights_are_back_at_once(configuration: dict[str, Any], reached: Stage, how: str) -> None:
    watched = {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}, "bakeTimeInMinutes": 10}
    world = World.of()
    world.update({**configuration, **watched})
    while (current := world.service.current) is not None and current.stage is not reached:
        if world.now - BEGIN > timedelta(hours=1):
            pytest.fail(f"{reached} was not reached")
        world.settle_once()
    if how == "alarm":
        world.service = machine.alarms(world.service, {"errors"}, world.now)
    else:
        world.service = machine.stopped(world.service, world.service.deployments[0].id, "ROLLBACK", world.now)
    world.settle()
    assert world.service.production == {"a": 100.0}
    assert world.service.test == {"a": 100.0}
    assert world.until_it_ends() is Status.ROLLBACK_SUCCESSFUL
    assert [task.revision for task in world.tasks] == ["a", "a"]


def test_an_alarm_that_rings_at_the_start_is_not_watched() -> None:
    world = World.of()
    watched = {**CANARY, "alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}
    world.update(watched, ringing={"errors"})
    world.service = machine.alarms(world.service, {"errors"}, world.now)
    assert world.until_it_ends() is Status.SUCCESSFUL


def test_a_hook_that_fails_before_the_shift_keeps_all_traffic_away_from_the_new_tasks() -> None:
    world = World.of(answer="FAILED")
    world.update({**BLUE_GREEN, "lifecycleHooks": [HOOK]})
    assert world.until_it_ends() is Status.ROLLBACK_SUCCESSFUL
    assert world.production == []
    assert world.asked == [Stage.POST_TEST_TRAFFIC_SHIFT]


@pytest.mark.parametrize(
    ("action", "ends"), [("CONTINUE", Status.SUCCESSFUL), ("ROLLBACK", Status.ROLLBACK_SUCCESSFUL)]
)
def test_an_unanswered_hook_does_what_its_timeout_says(action: str, ends: Status) -> None:
    world = World.of(answer="IN_PROGRESS")
    hook = {**HOOK, "timeoutConfiguration": {"timeoutInMinutes": 5, "action": action}}
    world.update({**BLUE_GREEN, "lifecycleHooks": [hook]})
    assert world.until_it_ends() is ends
    assert 8 <= len(world.asked) <= 11, "every 30 seconds"
    assert "HOOK_TIMED_OUT" in world.seen


@pytest.mark.parametrize(
    ("action", "ends"), [("CONTINUE", Status.SUCCESSFUL), ("ROLLBACK", Status.ROLLBACK_SUCCESSFUL)]
)
def test_a_pause_waits_at_each_step_for_somebody_who_names_it(action: str, ends: Status) -> None:
    world = World.of()
    world.update({**CANARY, "lifecycleHooks": [PAUSE]})
    paused = 0
    while world.service.current is not None and world.now < BEGIN + timedelta(hours=2):
        world.tick()
        deployment = world.service.deployments[0]
        for run in [run for run in deployment.hooks if run.status == "AWAITING_ACTION"]:
            paused += 1
            with pytest.raises(Refused):
                machine.continued(world.service, deployment.id, "another", action, world.now)
            world.service = machine.continued(world.service, deployment.id, run.id, action, world.now)
    assert world.service.deployments[0].status is ends
    assert paused == (2 if action == "CONTINUE" else 1), "LINEAR and CANARY pause before each step, with new ids"


def test_hooks_of_the_traffic_run_again_on_the_way_back() -> None:
    world = World.of()
    hook = {**HOOK, "lifecycleStages": ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]}
    world.update({**CANARY, "lifecycleHooks": [hook]})
    for _ in range(8):
        world.tick()
    assert world.production == [{"b": 10.0, "a": 90.0}]
    world.service = machine.stopped(world.service, world.service.deployments[0].id, "ROLLBACK", world.now)
    assert world.until_it_ends() is Status.ROLLBACK_SUCCESSFUL
    there, back = [Stage.TEST_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT], [
        Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.TEST_TRAFFIC_SHIFT,
    ]  # fmt: skip
    assert world.asked == [*there, *back]


def test_an_update_in_the_middle_of_a_shift_is_refused() -> None:
    world = World.of()
    world.update(CANARY)
    world.tick()
    with pytest.raises(Refused, match="stop it before another one starts"):
        world.update(CANARY, "c")


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"strategy": "BLUE_GREEN"}, "bakeTimeInMinutes is required"),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1441}, "from 0 to 1440"),
        ({**CANARY, "canaryConfiguration": {"canaryPercent": 0.01}}, "canaryPercent"),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2}}, "stepPercent"),
        ({**BLUE_GREEN, "deploymentCircuitBreaker": {"enable": True}}, "circuit breaker"),
        ({"alarms": {"alarmNames": ["a"]}}, "alarms needs"),
        ({"lifecycleHooks": [PAUSE]}, "PAUSE hooks are not documented"),
        ({**BLUE_GREEN, "lifecycleHooks": [{**PAUSE, "lifecycleStages": ["BAKE_TIME"]}]}, "lifecycleStages"),
        ({**BLUE_GREEN, "lifecycleHooks": [{**PAUSE, "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}]}, "lifecycleStages"),
        ({**BLUE_GREEN, "lifecycleHooks": [{**PAUSE, "hookDetails": {}}]}, "AWS_LAMBDA hooks only"),
        ({**BLUE_GREEN, "lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]}, "needs hookTargetArn"),
        ({**BLUE_GREEN, "lifecycleHooks": [PAUSE] * 11}, "at most 10"),
    ],
)
def test_what_ecs_refuses_is_refused(configuration: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(configuration)
