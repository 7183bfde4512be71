"""`make invoke`'s mistakes: each is one clear line, before anything slow begins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from needed import without_make

ROOT = Path(__file__).parents[2]
MISUSED, UNAVAILABLE = 2, 3


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "sam-invoke", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert not done.stdout
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no function given; use make invoke FN=… EVENT=… with one of: admit_deployment, begin_deployment, "),
        (("check_rollout", "completed"), "unknown function 'check_rollout'; known functions: admit_deployment, "),
        (("smoke_test",), "no event given; events of smoke_test: aborted, malformed, "),
        (("SmokeTest", "nope"), "smoke_test has no event 'nope'; its events: aborted, malformed, "),
        (("smoke_test", "../notify/sweep"), "smoke_test has no event '../notify/sweep'; its events: "),
        (
            ("", "round"),
            "no function given; use make invoke FN=… EVENT=… with one of: admit_deployment, begin_deployment, ",
        ),
        (("smoke_test", "nowhere/mine.json"), "smoke_test has no event 'nowhere/mine.json'; its events: aborted, "),
        (("smoke_test", "round", "--set", "fence"), "--set needs FIELD=VALUE and an event that is a JSON object, not "),
        (("smoke_test", "round", "--set", "fence=two"), "--set fence=two: in the event, this field is "),
        (("smoke_test", "round", "--variable", "LEVEL"), "--variable needs NAME=VALUE, not 'LEVEL'"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    status, said = run(*arguments)
    assert (status, said.count("\n")) == (MISUSED, 1)
    assert said.startswith(f"sam-invoke: {told}")


@pytest.mark.parametrize("content", [b'{"platform": "scr",', b"", b"\xff\xfe", b"[" * 200_000], ids=range(4))
def test_an_event_that_is_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.json").write_bytes(content)
    status, said = run("smoke_test", str(tmp_path / "mine.json"))
    assert (status, said.count("\n")) == (MISUSED, 1)
    assert "mine.json is not JSON: " in said


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ((), "no function given; use make invoke FN="),
        (("EVENT=round",), "no function given; use make invoke FN="),
        (("FN=smoke_test",), "no event given; events of smoke_test: "),
        (("FN=nope", "EVENT=round"), "unknown function 'nope'; known functions: "),
        (("FN=smoke_test", "EVENT=no such"), "smoke_test has no event 'no such'; its events: "),
    ],
)
def test_a_mistake_of_make_invoke_is_one_line(variables: tuple[str, ...], told: str) -> None:
    command = ["make", "-o", ".venv/.ready", "invoke", *variables]
    environment = without_make()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert (done.returncode, len(said)) == (MISUSED, 1), done.stderr
    assert said[0].startswith(f"sam-invoke: {told}")


def test_without_docker_it_tells_how_to_get_it(tmp_path: Path) -> None:
    """Nobody's engine answers at such an address."""
    status, said = run("smoke_test", "round", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert status == UNAVAILABLE
    assert "no Docker engine is available" in said
    assert "apt-get install docker.io" in said


def test_an_engine_that_can_not_be_had_has_a_status_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    for script, arguments in (("docker-engine", ["status"]), ("docker-base-image", []), ("docker-runtime-image", [])):
        done = subprocess.run(
            [ROOT / "scripts" / script, *arguments], env=environment, capture_output=True, check=False
        )
        assert done.returncode == UNAVAILABLE, script
