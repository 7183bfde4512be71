"""Runs the benchmark and prints a table, then the same as JSON. It only measures: nothing passes or fails."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ferryman_local.bench import against
from ferryman_local.bench.against import NoSuchCommit, check_out, commit_of
from ferryman_local.bench.deployments import Bench
from ferryman_local.bench.first_call import first_calls
from ferryman_local.bench.imports import cold_imports
from ferryman_local.bench.loaded import loaded
from ferryman_local.bench.quotas import makespans
from ferryman_local.local_aws import CHECKOUT, LocalAws
from ferryman_local.provisioning.operator_stack import build_operator

ABOUT = """\
Measure Ferryman on the local AWS: the time from push to verified, the operator's overhead, the delay between the end of
a rollout in ECS and the next step (compared with `aws ecs wait services-stable` on the same rollouts), the transitions,
invocations and cost of a deployment, and the cold import of each handler. Compare ratios within one run only, because
machines are noisy.

--against measures only the cold imports, of the build of this work tree and of the build of another commit.
--first-calls measures only the processor time from the start of each handler's process to its first AWS call.
--lines only counts the source lines of the modules that each handler loads, and builds nothing.
--quotas only computes how long releases over many services take beside the least that AWS's quotas allow.
"""


def main() -> int:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench", description=ABOUT)
    parser.add_argument("--releases", type=int, default=7, help="number of releases with normal rollouts (default: 7)")
    parser.add_argument("--no-slow", action="store_true", help="skip the release whose rollouts take a minute each")
    parser.add_argument("--no-imports", action="store_true", help="skip the cold imports")
    parser.add_argument("--rounds", type=int, default=7, help="processes per handler for the cold imports (default: 7)")
    parser.add_argument("--against", metavar="COMMIT", help="compare the cold imports with those of this commit")
    parser.add_argument("--first-calls", action="store_true", help="measure only the time to the first AWS call")
    parser.add_argument("--lines", action="store_true", help="count the source lines that each handler loads")
    parser.add_argument("--quotas", action="store_true", help="compute makespans within AWS's quotas, and nothing else")
    parser.add_argument("-o", "--output", type=Path, help="also write the JSON to this file")
    options = parser.parse_args()
    console = Console(stderr=True)

    def report(line: str) -> None:
        console.print(f"[dim]{line}[/dim]", highlight=False)

    try:
        commit = None if options.against is None else commit_of(CHECKOUT, options.against)
    except NoSuchCommit as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as home:
        if commit:
            result = compare(options, commit, Path(home), report)
        elif options.first_calls:
            result = time_first_calls(options.rounds, report)
        elif options.lines:
            result = count_lines()
        elif options.quotas:
            result = {"quotas": makespans()}
        else:
            result = measure(options, Path(home), report)
            show(result, Console())
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    return 0


def measure(options: argparse.Namespace, home: Path, report: Callable[[str], None]) -> dict[str, Any]:
    """Run releases on the local AWS, then the cold imports."""
    result: dict[str, Any] = {}
    # The sweep is no part of a deployment, and would be counted as one.
    with LocalAws(home, parameters={"SweepRate": "rate(1 day)"}, report=report) as aws:
        aws.start()
        bench = Bench(aws, report)
        result["deployments"] = bench.quick(options.releases)
        if not options.no_slow:
            result["minuteRollouts"] = bench.slow()
    if not options.no_imports:
        result["coldImports"] = cold_imports(home, options.rounds, report)
    return result


def count_lines() -> dict[str, Any]:
    """Print and return the source lines that each handler of this work tree loads."""
    found = loaded(CHECKOUT)
    table = Table("handler", "modules", "lines", title="source lines of the package that each handler loads")
    for name, handler in found.items():
        table.add_row(name, str(len(handler.modules)), str(handler.lines))
    Console().print(table)
    return {"lines": {name: handler.lines for name, handler in found.items()}}


def time_first_calls(rounds: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Print and return how long each handler of this work tree takes until its first AWS call."""
    layers = sorted(build_operator(CHECKOUT, report=report).glob("*/python"))
    found = first_calls(CHECKOUT, layers, rounds)
    title = "processor time from the start to the first AWS call in ms, minimum (aim: ratio ≤ 1.5)"
    table = Table("handler", "handler", "bare boto3", "ratio", "call", title=title)
    for name, one in found.items():
        table.add_row(name, f"{one.handler:.0f}", f"{one.bare:.0f}", f"{one.handler / one.bare:.2f}", one.call)
    Console().print(table)
    return {"firstCalls": {name: one._asdict() for name, one in found.items()}}


def compare(options: argparse.Namespace, commit: str, home: Path, report: Callable[[str], None]) -> dict[str, Any]:
    """Print and return this work tree's figures beside those of a commit."""
    there = check_out(CHECKOUT, commit, home / "against")
    found = {"lines": against.lines_against(CHECKOUT, there)}
    if not options.lines:
        elapsed, processor = against.imports_against(CHECKOUT, there, options.rounds, report)
        found |= {"elapsedMilliseconds": elapsed, "processorMilliseconds": processor}
    for key, title in (
        ("lines", "source lines of the package that each handler loads"),
        ("elapsedMilliseconds", "cold import in ms, median"),
        ("processorMilliseconds", "processor time of a cold import in ms, minimum"),
    ):
        if key in found:
            table = Table("handler", "this work tree", commit[:7], "ratio", title=title)
            for row in found[key]:
                table.add_row(row.handler, _figure(row.ours, 0), _figure(row.theirs, 0), _figure(row.ratio, 2))
            Console().print(table)
    return {"against": commit, **{key: against.as_json(rows) for key, rows in found.items()}}


def show(result: dict[str, Any], console: Console) -> None:
    """Print the figures as tables."""
    quick = result["deployments"]
    table = Table("figure", "min", "median", "max", "aim", title=f"{quick['releases']} releases of three services")
    for key, label, aim in (
        ("pushToVerified", "push to verified, s", ""),
        ("ecsAndMigration", "of which ECS and the migration, s", ""),
        ("overhead", "the operator's own, s", "≤ 5"),
        ("nextStepDelay", "rollout completed → next step, s", "≤ 1 at the median"),
        ("waiterDelay", "the same for services-stable, s", "polls every 15 s"),
        ("transitions", "state transitions", ""),
        ("invocations", "Lambda invocations", ""),
    ):
        values = quick[key]
        table.add_row(label, *(f"{values[name]:.2f}" for name in ("min", "median", "max")), aim)
    console.print(table)
    console.print(f"cost of one: {quick['costUsd']['total']:.6f} USD ({_parts(quick['costUsd'])})", highlight=False)
    if slow := result.get("minuteRollouts"):
        console.print(
            f"rollouts of a minute each: {slow['transitions']} transitions (aim ≤ 40), "
            f"{slow['invocations']} invocations, {slow['pushToVerified']:.0f} s from push to verified, "
            f"cost {slow['costUsd']['total']:.6f} USD",
            highlight=False,
        )
    if imports := result.get("coldImports"):
        table = Table("handler", "built layer, ms", "plain build, ms", "ratio", title="cold import (aim: ratio ≤ 0.5)")
        for name, row in imports["handlers"].items():
            table.add_row(name, f"{row['built']:.0f}", f"{row['plain']:.0f}", f"{row['ratio']:.2f}")
        boto3 = imports["boto3Alone"]
        table.add_row("(import boto3 alone)", f"{boto3['built']:.0f}", f"{boto3['plain']:.0f}", f"{boto3['ratio']:.2f}")
        console.print(table)


def _figure(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _parts(cost: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.6f}" for name, value in cost.items() if name != "total")


if __name__ == "__main__":
    sys.exit(main())
