"""What comes with time changes nothing where there is nothing to do, and a history ends when nothing is to come."""

import pytest

from simulation.approvers import Approvers
from simulation.choices import Choices
from simulation.documents import VARIANTS
from simulation.history import REST, Told, _run
from simulation.invariants import Invariants
from simulation.people import People
from simulation.player import ALWAYS, MIGRATION, Player
from simulation.schedules import bookkeeping
from simulation.surroundings import Surroundings

STATE = {"pk": {"S": "ENV"}, "sk": {"S": "STATE"}, "rev": {"N": "1"}, "reconciledAt": {"S": "08:00"}}


def told(variant: str = "push") -> tuple[Told, Invariants]:
    choices = Choices("schedules")
    choices.faults = 0.0
    world = Surroundings(choices, variant)
    people = People(world)
    invariants = Invariants(world, people)
    return Told(world, people, choices, invariants.broken), invariants


def test_a_write_that_only_says_that_reconcile_looked_is_bookkeeping() -> None:
    later = {**STATE, "rev": {"N": "2"}, "reconciledAt": {"S": "08:05"}}
    assert bookkeeping(STATE, later)
    assert not bookkeeping(STATE, {**later, "fence": {"N": "1"}})
    assert not bookkeeping(None, STATE)
    assert not bookkeeping(STATE, None)


def test_looks_with_nothing_to_do_are_no_steps_and_the_rest_ends_early() -> None:
    one, invariants = told()
    one.people.apply()
    _run(one, invariants, 700)
    steps, swept = one.world.steps, sum(one.world.called.values())
    _run(one, invariants, REST, quiet=3700)
    assert one.world.steps == steps
    assert sum(one.world.called.values()) > swept
    assert 3700 <= one.world.scheduler.seconds < 6000


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_that_somebody_may_do_can_be_done(variant: str) -> None:
    one, invariants = told(variant)
    one.people.apply()
    _run(one, invariants, 30)
    player = Player(one.people, invariants, one.world)
    every = set(player.weights()) | set(Approvers(one.world, one.people).acts if variant == "pages" else ())
    assert set(ALWAYS) <= every
    assert variant != "migration" or set(MIGRATION) <= every
    for name in sorted(every):
        player.act(name)
    _run(one, invariants, 5)
    assert not one.broken
