"""Old tasks that drain longer than anybody waits: nothing is taken back, and the sweep follows them."""

from ferryman.records import Phase, step_keys
from simulation.choices import Choices
from simulation.documents import service
from simulation.invariants import Invariants
from simulation.people import People
from simulation.surroundings import Surroundings

LONG = 60
"""Steps of 20 seconds: much longer than ECS is given (stopTimeout and two minutes)."""


def run(world: Surroundings, seconds: float) -> None:
    until = world.scheduler.seconds + seconds
    while world.scheduler.next_at() <= until:
        world.scheduler.step()


def test_a_release_whose_old_tasks_stay_succeeds_and_is_followed() -> None:
    world = Surroundings(Choices(), "push")
    people = People(world)
    invariants = Invariants(world, people)
    people.apply()
    run(world, 30)
    world.ecs.drains = lambda name: LONG if name == service("api", "staging") else 3
    people.push("a100000")
    run(world, 900)
    (done,) = [item for item in invariants.deployments("staging") if item.phase.terminal]
    assert done.phase is Phase.SUCCEEDED
    keys = {name: step_keys.rollout(service(name, "staging"), "forward") for name in ("api", "web")}
    reasons = {name: done.steps[key].reason for name, key in keys.items()}
    assert reasons == {"api": "OldTasksRemain", "web": "Completed"}
    condition = invariants.state("staging").condition("OldTasksRemain")
    assert condition is not None
    assert (condition.status, service("api", "staging") in condition.message) == ("True", True)
    run(world, 900)
    assert invariants.state("staging").condition("OldTasksRemain") is None
    assert len(invariants.deployments("staging")) == 1, "nothing was taken back, nor tried again"
