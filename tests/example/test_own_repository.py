"""The example as a repository of its own: what git takes of it, and what its test script does to a database."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .images import PLATFORM

SCRIPT = PLATFORM / "ci" / "test_api.sh"


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # What a person has git ignore everywhere is not the example's doing.
    command = ["git", "-C", str(folder), "-c", f"core.excludesFile={os.devnull}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".venv/bin/python",
        "ci/__pycache__/audit.pyc",
        "apps/api/scr.db",
        "apps/api/scr.db-journal",
        "apps/web/node_modules/next/package.json",
        "apps/web/.next/BUILD_ID",
    ],
)
def test_git_leaves_out_what_is_made_and_what_is_secret(tmp_path: Path, path: str) -> None:
    ignore_files = [file.relative_to(PLATFORM) for file in (PLATFORM / ".gitignore", PLATFORM / "apps/web/.gitignore")]
    for file in ignore_files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PLATFORM / file, tmp_path / file)
    assert git(tmp_path, "init", "--quiet").returncode == 0

    assert git(tmp_path, "check-ignore", "--quiet", path).returncode == 0
    assert git(tmp_path, "check-ignore", "--quiet", ".env.example").returncode == 1


def test_the_tests_change_nothing_in_a_database_that_is_given(tmp_path: Path) -> None:
    """Each makes its own on that server; what DATABASE_URL names may be somebody's."""
    interpreter, calls = tmp_path / "python", tmp_path / "calls"
    interpreter.write_text(f'#!/bin/sh\necho "$*" >>"{calls}"\n')
    interpreter.chmod(0o755)
    given = {"DATABASE_URL": "postgresql://somebody@database.example/theirs", "REDIS_URL": "redis://redis.example/0"}

    done = subprocess.run(
        [SCRIPT, interpreter], env=os.environ | given, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    (call,) = calls.read_text().splitlines()
    assert call.startswith("-m pytest ")
