"""Every decision that the world makes, in one place: made by a seed, or read from a story.

A point is a named place where something can differ from the ordinary course: a call that can fail, an event that can
be lost, a person who may act. The ordinary course is the first option of a point. Only what differs is written down,
so a story is short, and deleting a line of it makes one thing ordinary again.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Rare = Mapping[str, tuple[float, tuple[str, ...]]]
"""Point → how likely it is one of these options, which came up too seldom in earlier histories."""


@dataclass(frozen=True)
class Choice:
    """One departure from the ordinary course."""

    point: str
    """What it is about, as `reconcile dynamodb.get_item`."""
    occurrence: int
    """How often the point had come up before in this history, from 1."""
    option: str

    def __str__(self) -> str:
        return f"{self.point} #{self.occurrence}: {self.option}"


class Choices:
    """Decides at each point. Not random at all when a story is given."""

    def __init__(self, seed: str = "", *, story: Sequence[Choice] | None = None, rare: Rare | None = None) -> None:
        self._random = random.Random(seed)
        self._rare = rare or {}
        self._story = None if story is None else {(item.point, item.occurrence): item.option for item in story}
        self._seen: Counter[str] = Counter()
        self.faults = 1.0
        """What chances are multiplied by; 0 when faults have stopped."""
        self.made: list[Choice] = []
        self.met: list[tuple[str, int, tuple[str, ...]]] = []
        """Every point that came up, with its options; kept only where `remember` is set."""
        self.remember = False

    def pick(self, point: str, options: Sequence[str], chance: float, *, first: float = 0.0) -> str:
        """Return one of the options: the first, the ordinary one, or with this chance one of the others.

        `first`: how much likelier it is when the point comes up for the first time; half of it the second time, and so
        on. Without it, what is called often meets most of the faults, and what is called once next to none.
        """
        self._seen[point] += 1
        occurrence = self._seen[point]
        if self.remember:
            self.met.append((point, occurrence, tuple(options)))
        if self._story is not None:
            option = self._story.get((point, occurrence), options[0])
            if option not in options:
                raise StoryDoesNotFit(f"{point} #{occurrence} cannot be {option!r}; it can be {', '.join(options)}")
        elif point in self._rare and self._random.random() < self._rare[point][0] * self.faults:
            option = self._random.choice(self._rare[point][1])
        elif len(options) > 1 and self._random.random() < chance * self.faults * (1 + first / occurrence):
            option = self._random.choice(options[1:])
        else:
            option = options[0]
        if option != options[0]:
            self.made.append(Choice(point, occurrence, option))
        return option

    def below(self, limit: int) -> int:
        """Return a number below a limit, for what is decided ahead. A story needs none: it says what came of it."""
        return self._random.randrange(limit)

    def unused(self) -> list[Choice]:
        """Return the lines of the story whose point never came up."""
        used = {(item.point, item.occurrence) for item in self.made}
        return [Choice(*at, option) for at, option in (self._story or {}).items() if at not in used]


class StoryDoesNotFit(Exception):
    """A story names something that the code no longer does."""
