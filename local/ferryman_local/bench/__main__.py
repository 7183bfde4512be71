"""Runs the benchmark and prints a table, then the same as JSON. It only measures: nothing passes or fails."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ferryman_local.bench.deployments import Bench
from ferryman_local.bench.imports import cold_imports
from ferryman_local.local_aws import LocalAws

ABOUT = """\
Measure Ferryman on the local AWS: the time from push to verified, the operator's overhead, the delay between the end of
a rollout in ECS and the next step (compared with `aws ecs wait services-stable` on the same rollouts), the transitions,
invocations and cost of a deployment, and the cold import of each handler. Compare ratios within one run only, because
machines are noisy.
"""


def main() -> int:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench", description=ABOUT)
    parser.add_argument("--releases", type=int, default=7, help="number of releases with normal rollouts (default: 7)")
    parser.add_argument("--no-slow", action="store_true", help="skip the release whose rollouts take a minute each")
    parser.add_argument("--no-imports", action="store_true", help="skip the cold imports")
    parser.add_argument("--rounds", type=int, default=7, help="processes per handler for the cold imports (default: 7)")
    parser.add_argument("-o", "--output", type=Path, help="also write the JSON to this file")
    options = parser.parse_args()
    console = Console(stderr=True)

    def report(line: str) -> None:
        console.print(f"[dim]{line}[/dim]", highlight=False)

    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as home:
        # The sweep is no part of a deployment, and would be counted as one.
        with LocalAws(Path(home), parameters={"SweepRate": "rate(1 day)"}, report=report) as aws:
            aws.start()
            bench = Bench(aws, report)
            result["deployments"] = bench.quick(options.releases)
            if not options.no_slow:
                result["minuteRollouts"] = bench.slow()
        if not options.no_imports:
            result["coldImports"] = cold_imports(Path(home), options.rounds, report)
    show(result, Console())
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    return 0


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


def _parts(cost: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.6f}" for name, value in cost.items() if name != "total")


if __name__ == "__main__":
    sys.exit(main())
