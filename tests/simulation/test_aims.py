"""Aimed faults: one for each deployment, others near it, and what earlier histories met too seldom."""

from collections import Counter

from simulation import cells
from simulation.aims import AGAIN, CALLS, NEAR, Aims
from simulation.aws.machines import transitions
from simulation.choices import Choices
from simulation.sandboxes import definition

PAIR = ("update_service", "ecs.update_service")
POINT = "update_service ecs.update_service"


def test_one_call_of_each_deployment_fails_and_not_always_the_same() -> None:
    aims = Aims(Choices("aims"))
    at = []
    for number in range(8):
        chances = [aims.chance(f"deployment-{number}") for _ in range(CALLS + 5)]
        assert chances.count(1.0) == 1
        at.append(chances.index(1.0))
    assert len(set(at)) > 4
    assert max(at) < CALLS


def test_after_a_fault_the_next_calls_fail_more_often() -> None:
    aims = Aims(Choices("near"))
    aims.chance("one")
    aims.failed("one")
    near = [aims.chance("one") for _ in range(NEAR + 3)]
    assert [chance for chance in near if chance != 1.0][: NEAR - 1] == [AGAIN] * (NEAR - 1)
    assert near[NEAR:] == [0.0] * 3 or 1.0 in near[NEAR:]


def test_what_was_too_seldom_is_aimed_at_where_it_can_be() -> None:
    met = cells.Met()
    enough = Counter({(*PAIR, fault): cells.ENOUGH for fault in cells.faults(PAIR[1]) if fault != "cut"})
    met.add("push", Counter({PAIR: 2}), enough, Counter())
    met.add("approval", Counter({PAIR: 5}), Counter(), Counter())
    met.add("commands", Counter(), Counter(), Counter({("migrate", "Admitted", "RunMigration"): 30}))
    found = met.rare()
    assert found[POINT] == (cells.RARELY, ("cut",))
    assert found["variant"][1][0] == "approval"
    assert "commands" in found["variant"][1]
    assert found["step UpdateService"] == (cells.SELDOM, ("broken",))
    met.add("push", Counter(), Counter({(*PAIR, "cut"): cells.ENOUGH}), Counter())
    assert POINT not in met.rare()


def test_a_machine_that_has_gone_on_after_a_broken_function_is_not_aimed_at() -> None:
    met = cells.Met()
    for name in ("deploy", "migrate"):
        taken = Counter({(name, start, end): 99 for start, end in transitions(definition(name))})
        met.add("", Counter(), Counter(), taken)
    assert met.rare() == {}


def test_a_rare_option_comes_about_as_often_as_was_asked() -> None:
    choices = Choices("rare", rare={"a": (0.5, ("cut",))})
    found = Counter(choices.pick("a", ("ok", "slow", "cut"), 0.0) for _ in range(200))
    assert set(found) == {"ok", "cut"}
    assert 70 < found["cut"] < 130
    choices.faults = 0.0
    assert choices.pick("a", ("ok", "slow", "cut"), 0.0) == "ok"
