"""`python -m simulation.quotas`: the makespans of some releases beside the shortest time that AWS's quotas allow."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from simulation.quotas.makespan import Makespan, release, waves_of
from simulation.tally import prepare

RELEASES = ("10", "100", "200", "3x40")
"""Services; or environments that are deployed at once, and the services of each."""
ROW = "{:>9} {:>6} {:>8} {:>8} {:>6} {:>10} {:>10} {:>12} {:>12} {:>7}  {}"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 0."""
    parser = argparse.ArgumentParser(prog="python -m simulation.quotas", description=__doc__)
    parser.add_argument("releases", nargs="*", default=RELEASES, help=f"as 200 or 3x40 (default: {' '.join(RELEASES)})")
    parser.add_argument("--seed", default="1", help="any text; the same seed draws the same latencies")
    parser.add_argument("--json", action="store_true", help="print JSON, and lines of progress on stderr")
    given = parser.parse_args(arguments)
    prepare()
    out = sys.stderr if given.json else sys.stdout
    names = ("services", "waves", "seconds", "bound", "ratio", "throttled", "conflicts", "invocations", "transitions")
    print(ROW.format(*names, "events", "phases"), file=out, flush=True)
    found: dict[str, Makespan] = {}
    for name in given.releases:
        began = time.monotonic()
        found[name] = release_of(name, given.seed)
        print(row(name, found[name]), f"({time.monotonic() - began:.0f} s here)", file=out, flush=True)
        busiest = sorted(found[name].longest.items(), key=lambda item: -item[1])[:3]
        shares = ", ".join(f"{function} {share:.0%}" for function, share in busiest)
        print(f"          longest runs, of their time-outs: {shares}", file=out, flush=True)
    if given.json:
        print(json.dumps({name: {**asdict(one), "ratio": one.ratio} for name, one in found.items()}))
    return 0


def release_of(name: str, seed: str) -> Makespan:
    """Deploy a release as one of `RELEASES` names it."""
    environments, _, services = name.rpartition("x")
    return release(waves_of(int(services)), environments=int(environments or 1), seed=seed)


def row(name: str, one: Makespan) -> str:
    """Return a line of the table."""
    phases = ", ".join(f"{count} {phase}" for phase, count in one.phases.items())
    return ROW.format(
        name,
        one.waves,
        f"{one.seconds:.0f}",
        f"{one.bound:.0f}",
        f"{one.ratio:.2f}",
        sum(one.throttled.values()),
        one.conflicts,
        one.invocations,
        one.transitions,
        one.events,
        phases,
    )


if __name__ == "__main__":
    sys.exit(main())
