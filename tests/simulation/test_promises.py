"""A small share of the simulation, in every run of the tests: some seeds, and aimed faults of one deployment."""

import pytest

from simulation.choices import Choice, Choices
from simulation.history import play
from simulation.stories import dumped, replay
from simulation.systematic import singles

SEEDS = 12
EVERY = 29
"""Of the aimed faults, one in so many."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_promise_is_kept(seed: int) -> None:
    told = play(Choices(f"tests/{seed}"))
    assert not told.broken, dumped(told.story, told.broken)


def test_every_promise_is_kept_whatever_call_of_a_deployment_fails() -> None:
    stories = list(singles([Choice("people", 1, "push")], "dynamodb.transact_write_items"))
    assert len(stories) > 100
    for story in stories[::EVERY]:
        told = replay(story, strict=False)
        assert not told.broken, dumped(story, told.broken)
