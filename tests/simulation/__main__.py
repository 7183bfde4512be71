"""`make simulate`: play histories until there were enough steps, or a promise was broken."""

import argparse
import hashlib
import logging
import sys
import time
from collections import Counter
from pathlib import Path

from simulation.aws.machines import transitions
from simulation.choices import Choices, StoryDoesNotFit
from simulation.history import Told, play
from simulation.sandboxes import definition
from simulation.stories import dumped, read, replay, shortened

KEPT = Path(".cache/failed.story.json")


class Tally:
    """What was played so far."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.steps = self.histories = self.deployments = self.disturbed = 0
        self.seconds = 0.0
        self.faults: Counter[str] = Counter()
        self.cells: Counter[tuple[str, str, str]] = Counter()
        self.transitions: Counter[tuple[str, str, str]] = Counter()
        self.variants: Counter[str] = Counter()
        self.trace = hashlib.sha256()

    def add(self, told: Told) -> None:
        """Count a history."""
        world = told.world
        self.steps += world.steps
        self.histories += 1
        self.seconds += world.scheduler.seconds
        self.deployments += len(world.machines.executions)
        self.disturbed += len(world.disturbed)
        self.variants[world.variant] += 1
        self.cells += world.faults
        self.transitions += world.machines.transitions
        for (_, _, fault), count in world.faults.items():
            self.faults[fault] += count
        self.trace.update(world.trace.digest())

    def line(self) -> str:
        """Return how it goes."""
        took = time.monotonic() - self.began
        return (
            f"{self.steps} steps ({self.steps / max(took, 0.001):.0f}/s), {self.histories} histories, "
            f"{self.deployments} deployments, {self.disturbed} of them disturbed"
        )


def main(arguments: list[str] | None = None) -> int:
    """Run; return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", default="1", help="any text; the same seed plays the same histories")
    parser.add_argument("--steps", type=int, default=20_000, help="stop after so many steps")
    parser.add_argument("--story", type=Path, help="replay one story")
    parser.add_argument("--table", action="store_true", help="print which call met which fault, and the transitions")
    given = parser.parse_args(arguments)
    logging.getLogger("ferryman").setLevel(logging.CRITICAL + 1)
    try:
        return _replayed(given.story) if given.story else _simulated(given.seed, given.steps, given.table)
    except StoryDoesNotFit as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2


def _replayed(path: Path) -> int:
    story, _ = read(path)
    told = replay(story)
    for item in story:
        print(f"  {item}")
    _say_broken(told)
    return 1 if told.broken else 0


def _simulated(seed: str, steps: int, table: bool) -> int:
    tally, shown = Tally(), time.monotonic()
    while tally.steps < steps:
        told = play(Choices(f"{seed}/{tally.histories}"))
        tally.add(told)
        if told.broken:
            print(tally.line())
            return _failed(told, f"seed {seed}, history {tally.histories - 1}")
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(tally.line(), flush=True)
    print(tally.line())
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(tally.faults.items()))}")
    print(f"{tally.seconds / 3600:.0f} hours of virtual time; {', '.join(sorted(tally.variants))}")
    if table:
        for cell, count in sorted(tally.cells.items()):
            print(f"{count:6d}  {' '.join(cell)}")
        for name in ("deploy", "migrate"):
            for start, end in sorted(transitions(definition(name))):
                print(f"{tally.transitions[name, start, end]:6d}  {name}: {start} → {end}")
    print(f"trace: {tally.trace.hexdigest()}")
    return 0


def _failed(told: Told, about: str) -> int:
    promise = told.broken[0][0]
    _say_broken(told)
    print(f"{about}: {len(told.story)} choices; making the story shorter")
    story = shortened(told.story, promise, lambda line: print(f"  {line}", flush=True))
    again = replay(story, strict=False)
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(dumped(again.story, again.broken, about), encoding="utf-8")
    for item in again.story:
        print(f"  {item}")
    _say_broken(again)
    print(f"kept as {KEPT}; replay it with: make simulate STORY={KEPT}")
    return 1


def _say_broken(told: Told) -> None:
    for name, what in told.broken:
        print(f"broken: {name}: {what}")
    if not told.broken:
        print("every promise was kept")


if __name__ == "__main__":
    sys.exit(main())
