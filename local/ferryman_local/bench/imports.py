"""Cold import of each handler: from the compiled layers, and from SAM's plain build, which contains no bytecode.

Each import runs in its own process without writing bytecode, as on Lambda, where /opt is read-only: what is not
compiled in the layer is compiled at every cold start.
"""

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ferryman_local.local_aws import CHECKOUT
from ferryman_local.provisioning.operator_stack import build_operator, run_sam

PROGRAM = """
import sys, time
started, worked = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - started, time.process_time() - worked)
"""


class Import(NamedTuple):
    """How long an import took, in milliseconds."""

    elapsed: float
    processor: float
    """The process's own work, which other processes of the machine disturb less."""


def cold_imports(home: Path, rounds: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Return the medians in milliseconds; the builds take turns, so that noise affects both equally."""
    built = build_operator(CHECKOUT, report=report)
    plain = plain_build(home / "plain", report)
    layers = {
        "built": [built / "DependenciesLayer" / "python", built / "CoreLayer" / "python"],
        "plain": [plain / "DependenciesLayer" / "python", plain / "CoreLayer" / "python"],
    }
    handlers = sorted(path.parent.name for path in (CHECKOUT / "functions").glob("*/app.py"))
    report(f"cold imports: {len(handlers)} handlers, {rounds} processes each, from both builds")
    rows = {name: _pair(layers, CHECKOUT / "functions" / name, "app", rounds) for name in handlers}
    return {"handlers": rows, "boto3Alone": _pair(layers, home, "boto3", rounds), "rounds": rounds}


def plain_build(folder: Path, report: Callable[[str], None]) -> Path:
    """Build both layers with SAM's default: no makefile, nothing compiled, nothing pruned."""
    source = folder / "source"
    for name, origin in (("dependencies", "layers/dependencies"), ("core", "layers/core/ferryman")):
        target = source / name
        target.mkdir(parents=True)
        if name == "dependencies":
            shutil.copy(CHECKOUT / origin / "requirements.txt", target)
        else:
            shutil.copytree(CHECKOUT / origin, target / "ferryman", ignore=shutil.ignore_patterns("__pycache__"))
            (target / "requirements.txt").touch()
    resources = "".join(
        f"  {name}:\n    Type: AWS::Serverless::LayerVersion\n    Metadata: {{BuildMethod: python3.13}}\n"
        f"    Properties: {{ContentUri: {folder_name}, CompatibleRuntimes: [python3.13]}}\n"
        for name, folder_name in (("DependenciesLayer", "dependencies"), ("CoreLayer", "core"))
    )
    (source / "template.yaml").write_text(
        f"AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n{resources}"
    )
    report("building the same layers the plain way, for comparison")
    run_sam(["build", "--build-dir", str(folder / "out")], source, dict(os.environ), report, 300)
    return folder / "out"


def _pair(layers: Mapping[str, Sequence[Path]], folder: Path, module: str, rounds: int) -> dict[str, float]:
    found = measured_imports({kind: [folder, *paths] for kind, paths in layers.items()}, module, rounds)
    milliseconds = {kind: median.elapsed for kind, median in found.items()}
    return {**milliseconds, "ratio": milliseconds["built"] / milliseconds["plain"]}


def measured_imports[Build: Hashable](
    builds: Mapping[Build, Sequence[Path]], module: str, rounds: int
) -> dict[Build, Import]:
    """Return by build how long the import of a module takes: the median, and the least processor time.

    `builds` has the folders that each build imports from. The builds take turns, every other round in reverse order, so
    that noise affects all equally.
    """
    times: dict[Build, list[Import]] = {build: [] for build in builds}
    for number in range(rounds):
        for build in list(builds) if number % 2 == 0 else reversed(list(builds)):
            times[build].append(_import(module, builds[build]))
    return {
        build: Import(
            statistics.median(one.elapsed for one in found),
            # Other processes can only add to it.
            min(one.processor for one in found),
        )
        for build, found in times.items()
    }


def _import(module: str, paths: Sequence[Path]) -> Import:
    """Import a module in a new process with only the standard library and these folders."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", PROGRAM.format(module=module)],
        env={"PYTHONPATH": os.pathsep.join(map(str, paths)), "PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`import {module}` failed:\n{done.stderr[-2000:]}")
    elapsed, processor = (float(seconds) * 1000 for seconds in done.stdout.split())
    return Import(elapsed, processor)
