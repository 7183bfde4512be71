"""Many histories: played by several processes, counted in the order of their numbers, so that the trace is the same."""

import gc
import hashlib
import logging
import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from simulation import cells
from simulation.choices import Choice, Choices, Rare
from simulation.history import Told, play

AHEAD = 4
"""How many histories each process has in front of it."""
ROUND = 100
"""Histories that aim at the same rare faults: at those that were rare when the round before the last one had ended."""
Cell = tuple[str, str, str]


@dataclass(frozen=True)
class Played:
    """What counts of one history."""

    number: int
    steps: int
    seconds: float
    deployments: int
    disturbed: int
    variant: str
    digest: bytes
    calls: Counter[tuple[str, str]]
    cells: Counter[Cell]
    transitions: Counter[Cell]
    story: list[Choice] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)


def played(seed: str, number: int, faults: str = "", rare: Rare | None = None) -> Played:
    """Play the history with a number."""
    try:
        return summary(number, play(Choices(f"{seed}/{number}", rare=rare), faults=faults))
    finally:
        gc.collect()  # A history is one large cycle; nothing of it is garbage before its end.
        gc.freeze()  # What is left was imported or compiled on the way, and stays.


def every(seed: str, faults: str, processes: int) -> Iterator[Played]:
    """Yield the histories of a seed in order, without end. Call `prepare` first, unless other tests run here."""
    aims = _Aims()
    if processes == 1:
        for number in count():
            yield aims.noted(played(seed, number, faults, aims.of(number)))
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=prepare)
    try:
        running: deque[Future[Played]] = deque()
        for number in count():
            running.append(pool.submit(played, seed, number, faults, aims.of(number)))
            if len(running) == min(AHEAD * processes, ROUND):
                yield aims.noted(running.popleft().result())
    finally:
        pool.shutdown(cancel_futures=True)


class _Aims:
    """What each round aims at. It follows from the rounds that have ended, so from the seed alone."""

    def __init__(self) -> None:
        self._met = cells.Met()
        self._of: dict[int, Rare] = {}

    def of(self, number: int) -> Rare:
        """Return what the history with a number aims at."""
        return self._of.get(number // ROUND, {})

    def noted(self, one: Played) -> Played:
        """Count a history; they come in order."""
        self._met.add(one.variant, one.calls, one.cells, one.transitions)
        ended, rest = divmod(one.number + 1, ROUND)
        if rest == 0:
            self._of = {ended: self.of(one.number + 1), ended + 1: self._met.rare()}
        return one


def prepare() -> None:
    """Make this process fit for many histories: no log lines, and garbage is collected between histories."""
    logging.getLogger("ferryman").setLevel(logging.CRITICAL + 1)
    gc.freeze()
    gc.disable()


def summary(number: int, told: Told) -> Played:
    """Return what counts of a history that was played."""
    world = told.world
    return Played(
        number=number,
        steps=world.steps,
        seconds=world.scheduler.seconds,
        deployments=len(world.machines.executions),
        disturbed=len(world.disturbed),
        variant=world.variant,
        digest=world.trace.digest(),
        calls=world.called,
        cells=world.faults,
        transitions=world.machines.transitions,
        story=told.story if told.broken else [],
        broken=told.broken,
    )


class Tally:
    """What was played so far."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.steps = self.histories = self.deployments = self.disturbed = 0
        self.seconds = 0.0
        self.met = cells.Met()
        self.variants: Counter[str] = Counter()
        self.trace = hashlib.sha256()

    def add(self, one: Played) -> None:
        """Count a history."""
        self.steps += one.steps
        self.histories += 1
        self.seconds += one.seconds
        self.deployments += one.deployments
        self.disturbed += one.disturbed
        self.variants[one.variant] += 1
        self.met.add(one.variant, one.calls, one.cells, one.transitions)
        self.trace.update(one.digest)

    def faults(self) -> Counter[str]:
        """Return how often each fault happened."""
        found: Counter[str] = Counter()
        for (_, _, fault), times in self.met.cells.items():
            found[fault] += times
        return found

    def line(self) -> str:
        """Return how it goes."""
        took = time.monotonic() - self.began
        return (
            f"{self.steps} steps ({self.steps / max(took, 0.001):.0f}/s), {self.histories} histories, "
            f"{self.deployments} deployments, {self.disturbed} of them disturbed"
        )
