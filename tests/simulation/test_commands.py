"""People who ask for database commands on a production with approvers: one history on the real machines."""

from simulation.choices import Choices
from simulation.history import Told, _run
from simulation.invariants import Invariants
from simulation.people import People
from simulation.surroundings import Surroundings

DOWN = {"command": "down", "revision": "0001", "confirm": "production"}


def test_a_command_runs_with_a_yes_or_an_override_and_never_without() -> None:
    choices = Choices("commands")
    choices.faults = 0.0
    world = Surroundings(choices, "commands", chance=0.0)
    people = People(world)
    invariants = Invariants(world, people)
    told = Told(world, people, choices, invariants.broken)

    def then(who: str, what: str, **body: object) -> int:
        people.post(who, "production", what, **body)
        _run(told, invariants, 300)
        assert not told.broken, told.broken
        return people.answers[-1][3]

    def phases() -> list[tuple[str, str]]:
        return [(str(item.command), str(item.phase)) for item in invariants.deployments("production")]

    people.apply()
    _run(told, invariants, 30)
    people.push("a000001")
    _run(told, invariants, 900)
    assert then("grace", "approve", version="a000001") == 200
    assert phases() == [("None", "Succeeded")]

    assert then("jo", "migrate", **DOWN) == 200
    assert phases()[1:] == [("down", "AwaitingApproval")]
    assert then("jo", "approve", version="a000001") == 403
    assert then("jo", "migrate", override="I know what I do", **DOWN) == 403
    assert then("ada", "migrate", override="orders are lost", **DOWN) == 200
    assert phases()[1:] == [("down", "Superseded"), ("down", "Succeeded")]
    assert then("jo", "migrate", **DOWN) == 200
    assert then("grace", "reject", version="a000001", reason="no backup") == 200
    assert then("jo", "migrate", **DOWN) == 200
    assert then("grace", "approve", version="a000001", reason="there is one") == 200
    assert phases()[3:] == [("down", "Rejected"), ("down", "Succeeded")]
