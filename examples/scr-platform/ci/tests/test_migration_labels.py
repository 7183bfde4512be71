"""Labels from migration files of any tree."""

import subprocess
import sys
from pathlib import Path

import migration_labels
import pytest
from release import ReleaseError

FIRST = "revision = 'a1'\ndown_revision = None\n"
SECOND = "revision: str = 'b2'\ndown_revision: str | None = 'a1'\nrollback_safe = False\n"
THIRD = "revision = 'c3'\ndown_revision = 'b2'\nrollback_safe = True\n"


def tree(folder: Path, *migrations: str) -> Path:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    for number, text in enumerate(migrations):
        (versions / f"m{number}.py").write_text(text, encoding="utf-8")
    return folder


def test_oldest_first_whatever_the_files_are_called(tmp_path: Path) -> None:
    assert migration_labels.labels(tree(tmp_path, THIRD, SECOND, FIRST)) == {
        "dev.ferryman.migrations": "a1,b2,c3",
        "dev.ferryman.migrations.not-rollback-safe": "b2",
    }


def test_no_migration_yet(tmp_path: Path) -> None:
    assert set(migration_labels.labels(tree(tmp_path)).values()) == {""}


def test_nothing_of_a_file_is_run(tmp_path: Path) -> None:
    assert migration_labels.labels(tree(tmp_path, FIRST + "raise SystemExit('run')\n"))


@pytest.mark.parametrize(
    ("migrations", "message"),
    [
        pytest.param([FIRST, SECOND, SECOND.replace("b2", "x")], "m1.py and m2.py both come after a1", id="fork"),
        pytest.param([FIRST, FIRST.replace("a1", "x")], "m0.py and m1.py both come first", id="two-firsts"),
        pytest.param([FIRST, THIRD], "m1.py: the down_revision does not exist", id="gap"),
        pytest.param([SECOND.replace("a1", "b2")], "m0.py: the down_revision", id="circle"),
        pytest.param(["revision = 'a1'"], "m0.py: revision must be a string, and down_revision", id="no-parent"),
        pytest.param([FIRST + "rollback_safe = 'no'"], "m0.py: rollback_safe must be True or False", id="safe-text"),
        pytest.param(["revision = make()\ndown_revision = None"], "m0.py cannot be read: revision", id="not-plain"),
        pytest.param(["def"], "m0.py cannot be read: ", id="no-python"),
    ],
)
def test_what_is_no_single_line_is_refused(tmp_path: Path, migrations: list[str], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        migration_labels.labels(tree(tmp_path, *migrations))


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(migration_labels.__file__)]

    here = subprocess.run(command, capture_output=True, text=True, check=False)
    there = subprocess.run([*command, str(tree(tmp_path, FIRST))], capture_output=True, text=True, check=False)
    nowhere = subprocess.run([*command, "/nowhere"], capture_output=True, text=True, check=False)

    assert here.stdout.splitlines() == [f"{name}={value}" for name, value in migration_labels.labels().items()]
    assert there.stdout == "dev.ferryman.migrations=a1\ndev.ferryman.migrations.not-rollback-safe=\n"
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
