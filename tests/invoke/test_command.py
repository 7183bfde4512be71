"""`make invoke`'s mistakes: each is one clear line, before anything slow begins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
        ((), "which function? make invoke FN=… EVENT=…; there are: admit_deployment, begin_deployment, "),
        (("check_rollout", "completed"), "there is no function 'check_rollout'; there are: admit_deployment, "),
        (("smoke_test",), "which event? events of smoke_test: aborted, malformed, "),
        (("SmokeTest", "nope"), "smoke_test has no event 'nope'; there are: aborted, malformed, "),
        (("smoke_test", "../notify/sweep"), "smoke_test has no event '../notify/sweep'; there are: "),
        (("smoke_test", "round", "--set", "fence"), "--set wants FIELD=VALUE of an event that is an object, not "),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    status, said = run(*arguments)
    assert (status, said.count("\n")) == (MISUSED, 1)
    assert said.startswith(f"sam-invoke: {told}")


def test_an_event_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"platform": "scr",')
    status, said = run("smoke_test", str(tmp_path / "mine.json"))
    assert (status, said.count("\n")) == (MISUSED, 1)
    assert "mine.json is no JSON: " in said


def test_without_docker_it_tells_how_to_get_it(tmp_path: Path) -> None:
    """Nobody's engine answers at such an address."""
    status, said = run("smoke_test", "round", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert status == UNAVAILABLE
    assert "no Docker engine answers" in said
    assert "apt-get install docker.io" in said


def test_an_engine_that_can_not_be_had_has_a_status_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    for script, arguments in (("docker-engine", ["status"]), ("docker-base-image", []), ("docker-runtime-image", [])):
        done = subprocess.run(
            [ROOT / "scripts" / script, *arguments], env=environment, capture_output=True, check=False
        )
        assert done.returncode == UNAVAILABLE, script
