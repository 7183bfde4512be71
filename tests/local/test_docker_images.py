"""scripts/docker-images against a `docker` that a test makes up: which images it takes, and what it says. No Docker."""

import os
import subprocess
from pathlib import Path

import pytest

import needed

DOCKER = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$1 $2" in
    "info "*) ;;
    "image inspect") [[ $* == *ferryman-local/debian* ]] ;;
    "manifest inspect") [ "$(grep -c '^manifest' "$CALLS")" -ge "$ANSWERS_AT" ] ;;
    "pull -q" | "build -q") ;;
    *) exit 9 ;;
esac
"""


@pytest.mark.parametrize(
    ("answers_at", "image", "tries"),
    [
        pytest.param(1, "redis:7", 1, id="at-once"),
        pytest.param(2, "redis:7", 2, id="at-the-second-try"),
        pytest.param(3, "ferryman-local/redis:7", 2, id="never"),
    ],
)
def test_one_slow_answer_of_the_registry_decides_nothing(
    tmp_path: Path, answers_at: int, image: str, tries: int
) -> None:
    docker, calls = tmp_path / "docker", tmp_path / "calls"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CALLS": str(calls),
        "ANSWERS_AT": str(answers_at),
    }
    command = [needed.ROOT / "scripts/docker-images", "REDIS_IMAGE"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"REDIS_IMAGE={image}\n"), done.stderr
    assert sum(line.startswith("manifest") for line in calls.read_text().splitlines()) == tries
    assert ("the registry did not answer" in done.stderr) == (image != "redis:7")
