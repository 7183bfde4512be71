"""Aimed faults: for one story, everything that can go differently at each point, one at a time; then pairs.

A random history meets some of it. This meets all of it, for one deployment.
"""

import random
from collections.abc import Iterator, Sequence

from simulation.choices import Choice, Choices
from simulation.history import play

NEAR = 10
"""How many points after the first fault the second one of a pair may be."""
SKIPPED = ("people", "pause", "weather", "variant", "how many faults")
"""What a story is about, and what does not go wrong."""

Story = list[Choice]


def points(base: Sequence[Choice]) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return every point that a story comes to while faults may happen, with its options."""
    choices = Choices(story=base)
    choices.remember = True
    play(choices)
    return [item for item in choices.met if item[0] not in SKIPPED and len(item[2]) > 1]


def singles(base: Sequence[Choice], only: str = "") -> Iterator[Story]:
    """Yield the story with one more choice: each option of each point whose name has `only` in it."""
    for point, occurrence, options in points(base):
        if only in point:
            for option in dict.fromkeys(options[1:]):
                yield [*base, Choice(point, occurrence, option)]


def pairs(base: Sequence[Choice], seed: str, share: float = 1.0) -> Iterator[Story]:
    """Yield the story with two more choices, the second one near the first; `share` of them, picked by a seed."""
    chosen = random.Random(seed)
    for story in singles(base):
        first = story[-1]
        met = points(story)
        at = next((i for i, item in enumerate(met) if item[:2] == (first.point, first.occurrence)), len(met))
        for point, occurrence, options in met[at + 1 : at + 1 + NEAR]:
            for option in dict.fromkeys(options[1:]):
                if chosen.random() < share:
                    yield [*story, Choice(point, occurrence, option)]
