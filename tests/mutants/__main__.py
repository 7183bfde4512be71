"""`make test-mutants`: try mutants, and print how many the simulation and the fast tests notice."""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from mutants import trial
from mutants.every import every
from mutants.mutant import ROOT, Mutant
from mutants.survivors import listed

RESULTS = trial.KEPT / "results.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0 when everything that survived is listed with its reason."""
    parser = argparse.ArgumentParser(prog="make test-mutants", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the mutants and try none")
    parser.add_argument("--only", default="", help="only those whose id has this in it")
    parser.add_argument("--limit", type=int, default=0, help="try at most so many, picked by the seed")
    parser.add_argument("--seed", default="1", help="in which order they are tried")
    parser.add_argument("--shard", default="1/1", help="the n-th of m parts, as 1/2")
    parser.add_argument("--histories", type=int, default=12, help="how many histories the simulation plays for each")
    parser.add_argument("--budget", type=float, default=60, help="seconds that the tests of one mutant may take")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so many minutes")
    parser.add_argument("--measured", action="store_true", help="use what was measured last: which test runs what")
    parser.add_argument("--processes", type=int, default=1, help="how many to try at once")
    parser.add_argument("--both", action="store_true", help="run the tests also where the simulation has noticed it")
    parser.add_argument("--process", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help="try those that survived once more")
    given = parser.parse_args(arguments)
    number, _, parts = given.shard.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        parser.error(f"a shard is n/m with n from 1 to m, not {given.shard!r}")
    wanted = [mutant for mutant in every() if given.only in mutant.id]
    random.Random(given.seed).shuffle(wanted)
    wanted = wanted[int(number) - 1 :: int(parts)]
    wanted = wanted[: given.limit or None]
    if given.list:
        for mutant in sorted(wanted, key=lambda one: one.id):
            print(f"{mutant.id}  {mutant.what}")
        return 0
    if given.process:
        _try(wanted, given)
        return 0
    known = _known()
    if any(_still(one, known.get(one.id), again=given.again) for one in wanted):
        _measure(given)
        again = [*(sys.argv[1:] if arguments is None else arguments)]
        command = [sys.executable, "-m", "mutants", *again, "--process"]
        working = [subprocess.Popen([*command, str(each + 1)]) for each in range(given.processes)]
        for process in working:
            process.wait()
    return _report(wanted)


def _measure(given: argparse.Namespace) -> None:
    if given.measured and trial.HISTORIES.exists():
        return
    print("running everything as it is (some minutes)", flush=True)
    trial.loaded()
    trial.measured(trial.Tree(1), given.histories)


def _try(wanted: Sequence[Mutant], given: argparse.Namespace) -> None:
    known = _known()
    left = [one for one in wanted if _still(one, known.get(one.id), again=given.again)]
    left = left[given.process - 1 :: given.processes]
    print(f"process {given.process}: {len(left)} mutants to try", flush=True)
    trial.loaded()
    tree, reach = trial.Tree(given.process), trial.read_reach()
    began = time.monotonic()
    for count, mutant in enumerate(left):
        if given.minutes and time.monotonic() - began > given.minutes * 60:
            print(f"{given.minutes:g} minutes are over; {len(left) - count} are left")
            return
        found = trial.tried(mutant, tree, reach, given.budget, both=given.both)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**found, "code": _digest(mutant), "histories": given.histories}) + "\n")
        marks = f"simulation: {found['simulation']}, tests: {found['suite']} ({found['seconds']} s)"
        print(f"{count + 1}/{len(left)} {mutant.id}  {mutant.what[:80]}  {marks}", flush=True)


def _known() -> dict[str, Any]:
    if not RESULTS.exists():
        return {}
    return {item["id"]: item for item in map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())}


def _still(mutant: Mutant, known: Any, *, again: bool) -> bool:
    """Tell whether a mutant is still to be tried: its file has changed, or it survived and is wanted again."""
    return known is None or known["code"] != _digest(mutant) or (again and not _noticed(known))


def _digest(mutant: Mutant) -> str:
    return hashlib.sha256((ROOT / mutant.file).read_bytes()).hexdigest()[:16]


def _noticed(found: Any) -> bool:
    return found["simulation"] in trial.NOTICED or found["suite"] in trial.NOTICED


def _report(wanted: Iterable[Mutant]) -> int:
    known, reasons = _known(), listed()
    found = [known[one.id] for one in wanted if one.id in known and known[one.id]["code"] == _digest(one)]
    survivors = [item for item in found if not _noticed(item)]
    rows = [("all", found)]
    rows += [(kind, [item for item in found if item["kind"] == kind]) for kind in sorted({i["kind"] for i in found})]
    generated = Counter(one.kind for one in every())
    print(f"{'kind':12} generated  tried  killed by: the simulation  tests  either  survivors")
    for kind, items in rows:
        simulated = sum(item["simulation"] in trial.NOTICED for item in items)
        tested = sum(item["suite"] in trial.NOTICED for item in items)
        left = sum(not _noticed(item) for item in items)
        total = generated[kind] if kind != "all" else generated.total()
        print(f"{kind:12} {total:9} {len(items):6} {simulated:25} {tested:6} {len(items) - left:7} {left:10}")
    reached = sum(item["simulation"] != trial.NOT_REACHED for item in found)
    asked = sum(item["suite"] not in (trial.NOT_ASKED, trial.NOT_REACHED) for item in found)
    print(f"the tests were run for {asked}: without --both, only where the simulation notices nothing")
    print(f"the simulation's histories run the code of {reached} of {len(found)}")
    for item in sorted(survivors, key=lambda item: item["id"]):
        print(f"survived: {item['id']}  {item['what']}  ({reasons.get(item['id'], 'no reason listed')})")
    return 1 if any(item["id"] not in reasons for item in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())
