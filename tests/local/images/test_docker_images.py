"""scripts/docker-images and scripts/docker-runtime-image against a `docker` that a test makes up: which images they
take, and what they say. No Docker.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import needed

DOCKER = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$1 $2" in
    "info "*) ;;
    "image inspect") echo; [[ $* == *"$THERE"* ]] ;; # the empty line is what Docker prints of a missing one, too
    "manifest inspect") [ "$(grep -c '^manifest' "$CALLS")" -ge "$ANSWERS_AT" ] ;;
    "pull -q" | "build -q") ;;
    *) exit 9 ;;
esac
"""


def run(tmp_path: Path, script: str, *arguments: str, **environment: str) -> tuple[str, list[str], str]:
    """What it printed, what it asked of Docker, and what it said beside."""
    docker, calls = tmp_path / "docker", tmp_path / "calls"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment |= {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "CALLS": str(calls),
        "PYTHON": sys.executable,
    }
    command = [needed.ROOT / "scripts" / script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, calls.read_text().splitlines(), done.stderr


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
    printed, calls, said = run(
        tmp_path, "docker-images", "REDIS_IMAGE", THERE="ferryman-local/debian", ANSWERS_AT=str(answers_at)
    )
    assert printed == f"REDIS_IMAGE={image}\n"
    assert sum(line.startswith("manifest") for line in calls) == tries
    assert ("the registry did not respond" in said) == (image != "redis:7")


@pytest.mark.parametrize(
    ("there", "pulled"), [pytest.param("no such image", 1, id="missing"), pytest.param("lambda/python", 0, id="there")]
)
def test_lambdas_own_image_is_pulled_where_it_is_missing(tmp_path: Path, there: str, pulled: int) -> None:
    printed, calls, _ = run(tmp_path, "docker-runtime-image", THERE=there)
    assert printed.startswith("public.ecr.aws/lambda/python:3.13")
    assert sum(line == f"pull -q {printed.strip()}" for line in calls) == pulled
