"""`make simulate`: play histories until there were enough steps, or a promise was broken."""

import argparse
import gc
import sys
import time
from contextlib import closing
from pathlib import Path

from simulation import cells
from simulation.choices import Choice, StoryDoesNotFit
from simulation.history import CHANCES, Told
from simulation.stories import dumped, read, replay, shortened
from simulation.systematic import singles
from simulation.tally import Played, Tally, every, prepare, summary

KEPT = Path(".cache/failed.story.json")


def main(arguments: list[str] | None = None) -> int:
    """Run; return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", default="1", help="any text; the same seed plays the same histories")
    parser.add_argument("--steps", type=int, default=20_000, help="stop after so many steps")
    parser.add_argument("--disturbed", type=int, default=0, help="and not before so many deployments met a fault")
    parser.add_argument("--hours", type=float, help="stop after so many hours of virtual time instead")
    parser.add_argument("--faults", choices=sorted(CHANCES), default="", help="how often calls fail; else it differs")
    parser.add_argument("--processes", type=int, default=1, help="how many processes play; the trace is the same")
    parser.add_argument("--story", type=Path, help="replay one story")
    parser.add_argument(
        "--aimed", nargs="?", const="", metavar="NAME", help="fail one deployment at each call with NAME, in each way"
    )
    parser.add_argument("--table", action="store_true", help="print which call met which fault, and the transitions")
    given = parser.parse_args(arguments)
    prepare()
    try:
        if given.story:
            return _replayed(given.story)
        return _simulated(given) if given.aimed is None else _aimed(given.aimed)
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


def _aimed(name: str) -> int:
    """Play one deployment once for each way in which each of its calls can go wrong."""
    tally, shown = Tally(), time.monotonic()
    for number, story in enumerate(singles([Choice("people", 1, "push")], name)):
        one = summary(number, replay(story, strict=False))
        gc.collect()
        tally.add(one)
        if one.broken:
            print(tally.line())
            return _failed(one, f"aimed at {story[-1]}")
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(tally.line(), flush=True)
    print(tally.line())
    return 0


def _simulated(given: argparse.Namespace) -> int:
    tally, shown = Tally(), time.monotonic()
    with closing(every(given.seed, given.faults, given.processes)) as histories:
        for one in histories:
            tally.add(one)
            if one.broken:
                print(tally.line())
                return _failed(one, f"seed {given.seed}, history {one.number}")
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                print(tally.line(), flush=True)
            if _enough(given, tally):
                break
    print(tally.line())
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(tally.faults().items()))}")
    print(f"{tally.seconds / 3600:.0f} hours of virtual time; {', '.join(sorted(tally.variants))}")
    if given.table:
        for line in (*cells.lines(tally.met.calls, tally.met.cells), *cells.machine_lines(tally.met.transitions)):
            print(line)
    wrong = cells.wrong(tally.met.calls)
    for line in wrong:
        print(f"wrong: {line}")
    print(f"trace: {tally.trace.hexdigest()}")
    return 1 if wrong else 0


def _enough(given: argparse.Namespace, tally: Tally) -> bool:
    if given.hours:
        return bool(tally.seconds >= 3600 * given.hours)
    return bool(tally.steps >= given.steps and tally.disturbed >= given.disturbed)


def _failed(told: Played, about: str) -> int:
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


def _say_broken(told: Told | Played) -> None:
    for name, what in told.broken:
        print(f"broken: {name}: {what}")
    if not told.broken:
        print("every promise was kept")


if __name__ == "__main__":
    sys.exit(main())
