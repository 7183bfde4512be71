"""Variables that switch something on (KEEP, UPGRADE, CI): 0, no, false, off and nothing mean no, in make and Python."""

import re
import subprocess
from pathlib import Path

import pytest

import needed
from contract.machine import ROOT
from ferryman_local import flags

NO = ("", "0", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
YES = ("1", "yes", "true", "on")
EXAMPLE = "examples/scr-platform"
MAKEFILES = ("Makefile", f"{EXAMPLE}/Makefile")
SWITCHED = [
    ("KEEP", ("demo",), " --keep"),
    ("UPGRADE", ("lock",), " --upgrade "),
    ("UPGRADE", ("-C", EXAMPLE, "lock"), " --upgrade "),
    ("CI", ("test-docker",), "CI must not skip this"),
    ("CI", ("asl",), "scripts/need node || false"),
]
"""A variable, a target that reads it, and what that target runs only where the variable says yes."""
NAMES = {name for name, _, _ in SWITCHED}


def dry_run(target: tuple[str, ...], **variables: str) -> str:
    """What make would run. `lock` calls the example's make, which tells its own."""
    command = ["make", "-n", "-o", ".venv/.ready", "-o", "node_modules/.ready", *target]
    environment = {name: value for name, value in needed.without_make().items() if name not in NAMES} | variables
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "target", "switched"), SWITCHED)
def test_make_takes_no_for_no(name: str, target: tuple[str, ...], switched: str) -> None:
    without, given = dry_run(target), dry_run(target, **{name: "1"})
    assert switched not in without
    assert switched in given
    assert [value for value in NO if dry_run(target, **{name: value}) != without] == []
    assert [value for value in YES if dry_run(target, **{name: value}) != given] == []


def test_a_value_on_the_command_line_is_read_alike() -> None:
    assert " --keep" not in dry_run(("demo", "KEEP=0"))
    assert " --keep" in dry_run(("demo", "KEEP=1"))


@pytest.mark.parametrize("makefile", MAKEFILES)
def test_every_such_variable_of_a_makefile_is_read_by_on(makefile: str) -> None:
    text = (ROOT / makefile).read_text()
    assert set(re.findall(r"\b([A-Z][A-Z_]*)=1\b", text)) <= NAMES  # as the help and the comments show them
    read = "|".join(NAMES)
    assert re.findall(rf"\$\((?:{read})\)", text)
    assert re.findall(rf"(?<!\$\(call on,)\$\((?:{read})\)", text) == []


@pytest.mark.parametrize("value", [*NO, " no "])
def test_python_takes_no_for_no(value: str) -> None:
    assert not flags.on("CI", {"CI": value})
    assert not flags.on("CI", {})


@pytest.mark.parametrize("value", YES)
def test_python_takes_anything_else_for_yes(value: str) -> None:
    assert flags.on("CI", {"CI": value})


def test_nothing_in_python_reads_such_a_variable_itself() -> None:
    folders = ("cli", "functions", "layers/core", "local", "scripts", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and is_python(path)]
    assert ROOT / "scripts/check-workflows" in files
    read = "|".join(NAMES)
    itself = re.compile(rf"""environ(?:\.get\(|\[)["'](?:{read})["']|["'](?:{read})["'] (?:not )?in os\.environ""")
    assert [str(path.relative_to(ROOT)) for path in files if itself.search(path.read_text())] == []


def is_python(path: Path) -> bool:
    """Scripts have no ending."""
    if path.suffix:
        return path.suffix == ".py"
    return path.parent.name == "scripts" and path.read_text().startswith("#!/usr/bin/env python3")
