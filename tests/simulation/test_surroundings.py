"""The world itself: handlers interleave at their calls, time is virtual, and the same choices give the same history."""

import json
import os
import subprocess
import sys
from typing import Any

from simulation.aws.calls import SandboxDied
from simulation.choices import Choice, Choices
from simulation.history import play
from simulation.people import People
from simulation.sandboxes import ROOT, Sandbox
from simulation.scheduler import Future, Scheduler
from simulation.surroundings import Surroundings


class Watched(Surroundings):
    """A world that notes which invocation makes which call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        super().__init__(Choices(), "push")

    def call(self, sandbox: Sandbox, service: str, operation: str, request: dict[str, Any]) -> Any:
        self.calls.append((sandbox.function, sandbox.invocation))
        return super().call(sandbox, service, operation, request)


def run(world: Surroundings, seconds: float) -> None:
    until = world.scheduler.seconds + seconds
    while world.scheduler.next_at() <= until:
        world.scheduler.step()


def begun() -> tuple[Watched, Any]:
    """A world in which an execution has just started, and its input."""
    world = Watched()
    people = People(world)
    people.apply()
    run(world, 30)
    people.push("a100000")
    while not world.machines.executions:
        world.scheduler.step()
    (execution,) = world.machines.executions.values()
    return world, json.loads(execution.payload)


def test_two_deliveries_of_one_step_take_turns() -> None:
    world, payload = begun()
    one, two = world.lambdas.invoke("BeginDeployment", payload), world.lambdas.invoke("BeginDeployment", payload)
    run(world, 5)
    assert one.result() == two.result()
    turns = [number for function, number in world.calls if function == "begin_deployment"]
    a, b, _ = sorted(set(turns))  # The third is the machine's own.
    assert [number for number in turns if number in (a, b)][:4] == [a, b, a, b]


def test_a_sandbox_dies_at_its_time_out_whatever_it_catches() -> None:
    choices = Choices(story=[Choice("begin_deployment dynamodb.get_item", number, "unreachable") for number in (1, 2)])
    world = Surroundings(choices, "push")
    sandbox = world.lambdas._sandbox("BeginDeployment")
    died: list[float] = []
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    def work() -> None:
        sandbox.deadline = sandbox.timeout
        try:
            for _ in range(9):
                try:
                    sandbox.client("dynamodb").get_item(TableName="x", Key=key, ConsistentRead=True)
                    sandbox.pause(10)
                except Exception:
                    continue
        except SandboxDied:
            died.append(world.scheduler.seconds)

    world.scheduler.spawn(work)
    run(world, 100)
    assert died == [sandbox.timeout]


def test_a_future_is_waited_for_no_longer_than_asked() -> None:
    scheduler = Scheduler()
    seen: list[tuple[bool, float]] = []

    def waits() -> None:
        seen.append((scheduler.wait(Future(), 7), scheduler.seconds))

    scheduler.spawn(waits)
    while scheduler.step():
        pass
    assert seen == [(False, 7.0)]


def test_the_same_seed_gives_the_same_history() -> None:
    one, two = play(Choices("same")), play(Choices("same"))
    assert one.world.trace.hexdigest() == two.world.trace.hexdigest()
    assert one.story == two.story


def test_what_a_seed_chose_can_be_replayed_as_a_story() -> None:
    told = play(Choices("told"))
    again = play(Choices(story=told.story))
    assert told.story
    assert again.world.trace.hexdigest() == told.world.trace.hexdigest()


def test_the_trace_does_not_depend_on_the_hash_seed() -> None:
    def trace(seed: str) -> str:
        folders = os.pathsep.join(str(ROOT / folder) for folder in ("layers/core", "tests"))
        done = subprocess.run(
            [sys.executable, "-m", "simulation", "--seed", "7", "--steps", "1"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": folders},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.splitlines()[-1]

    one = trace("1")
    assert one.startswith("trace: ")
    assert one == trace("2")
