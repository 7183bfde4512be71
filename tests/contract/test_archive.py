"""The repository stands alone: nothing in it refers to what lies beside a checkout.

The archive is what git would commit, with changes that are not committed yet, in a folder that is empty otherwise.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import needed
from contract.machine import ROOT

STAND_IN = Path("tests/terraform/offline/bin/terraform-offline")
# A relative path that goes up and then names something: ../x, ../../x. No part of a longer path or of an ellipsis.
UPWARDS = re.compile(r"(?<![\w./}-])((?:\.\./)+)\w[\w.-]*")
# What begins at the top of the checkout, in Python, make and shell.
FROM_THE_TOP = re.compile(r"""ROOT\b.*["/ ]\.\./\w|(CURDIR|PWD|root)[)}"]*/\.\./\w""")
BESIDE = re.compile(r"\.\./shared\b")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work under test, in a folder of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("alone") / "archive"
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_dir():  # a link to one, of somebody's own
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # deleted, and still in the index; or another test's, and gone meanwhile
            shutil.copy2(source, target)
    return folder


def outside(name: str, line: str) -> bool:
    """Whether a line of a file refers to what is outside of the checkout."""
    depth = name.count("/")
    climbs = any(found[1].count("../") > depth for found in UPWARDS.finditer(line))
    return climbs or bool(FROM_THE_TOP.search(line)) or bool(BESIDE.search(line))


def lines(archive: Path) -> Iterator[tuple[str, str]]:
    """Every line of every text file, with the file's name."""
    for path in sorted(archive.rglob("*")):
        if path.is_file():
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield from ((path.relative_to(archive).as_posix(), line) for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "line", "found"),
    [
        ("Makefile", "TOOL ?= ../beside/tool", True),
        ("docs/a.md", "[notes](../../notes.md)", True),
        ("tests/unit/test_a.py", 'TOOL = ROOT / os.environ.get("TOOL", "../beside/tool")', True),
        ("tests/unit/test_a.py", 'TOOL = "' + "../" + 'shared/tools/a"', True),
        ("scripts/a", 'tool="$root/../beside/tool"', True),
        ("scripts/a", 'cd "$(dirname "$0")/.."', False),
        ("docs/a.md", "[the template](../template.yaml), .../x", False),
        ("terraform/shared/main.tf", 'source = "../modules/names"', False),
    ],
)
def test_a_reference_to_the_outside_is_found(name: str, line: str, found: bool) -> None:
    assert outside(name, line) is found


def test_no_file_refers_to_what_is_outside(archive: Path) -> None:
    this = Path(__file__).relative_to(ROOT).as_posix()
    assert [f"{name}: {line}" for name, line in lines(archive) if name != this and outside(name, line)] == []


def make(archive: Path, *arguments: str) -> str:
    """What make prints in the archive, on a machine on which nothing is set up."""
    # `make test`, which runs this, exports its own PYTHON, and a PATH that begins with this checkout's .venv.
    ours = ("TERRAFORM", "PYTHON")
    given = {name: value for name, value in needed.without_make().items() if not name.startswith(ours)}
    path = os.environ["PATH"].split(os.pathsep)
    given["PATH"] = os.pathsep.join(folder for folder in path if not Path(folder).is_relative_to(ROOT))
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=archive, env=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_make_says_and_would_run_is_inside(archive: Path) -> None:
    # Without the environment, which make prints too, and which is the machine's own.
    printed = re.sub(r"^# environment\n.*\n", "", make(archive, "-pn", "test-terraform"), flags=re.MULTILINE)
    assert "pytest -n" in printed
    assert [line for line in printed.splitlines() if outside("Makefile", line)] == []
    assert [line for line in printed.splitlines() if f"{ROOT}/" in line] == []


def test_terraform_runs_with_the_stand_in_of_the_archive(archive: Path, tmp_path: Path) -> None:
    (told,) = make(archive, "--eval", "show: ; @echo $(TERRAFORM)", "show").splitlines()
    assert (archive / told).resolve() == (archive / STAND_IN).resolve()
    assert os.access(archive / STAND_IN, os.X_OK)

    # The tests have the same default; there only has to be a Terraform.
    terraform = tmp_path / "terraform"
    terraform.write_text("#!/bin/sh\n")
    terraform.chmod(0o755)
    find = "import sys; sys.path[:0] = ['tests', 'tests/terraform']; import conftest; print(conftest.find())"
    for given, found in ({}, archive / STAND_IN), ({"TERRAFORM": "terraform"}, terraform):
        done = subprocess.run(
            [sys.executable, "-B", "-c", find],
            cwd=archive, env={"PATH": str(tmp_path), **given}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == f"{found}\n"
