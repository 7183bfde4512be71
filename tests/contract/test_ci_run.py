"""`.ci/run`: every part runs, the table at the end tells how each went, and what it started it ends."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import needed
from contract.machine import ROOT

PARTS = ("check", "test", "example-ci", "test-invoke", "test-docker")
DOCKER = ("test-invoke", "test-docker")
MAKEFILE = """\
setup check test example-ci test-invoke test-docker test-terraform:
\t@echo $@$(if $(TERRAFORM), with $(TERRAFORM)) >> calls
\t@! [ -f skipped-$@ ] || cat skipped-$@ >> "$$CI_SKIPPED"
\t@test "$(CI)" = true
\t@! grep -qx $@ broken
.PHONY: setup check test example-ci test-invoke test-docker test-terraform
"""


class Checkout:
    """A checkout of stubs: `broken` has the targets that fail."""

    def __init__(self, home: Path, *, engine: str = "answers", broken: str = "") -> None:
        self.home = home
        (home / ".ci").mkdir(parents=True)
        (home / "scripts").mkdir()
        shutil.copy(ROOT / ".ci/run", home / ".ci/run")
        (home / "Makefile").write_text(MAKEFILE)
        (home / "broken").write_text(f"{broken}\n")
        self._script("ci-packages", "echo ci-packages >> calls")
        self._script("need", f"echo need $1 >> calls; {'exit 0' if engine == 'answers' else 'exit 3'}")
        status = {"starts": 0, "unavailable": 3, "breaks": 1}.get(engine, 0)
        self._script("docker-engine", f'echo docker-engine $1 >> calls; [ "$1" = stop ] || exit {status}')
        for program in ("python", "sam"):
            self._script(f"../.venv/bin/{program}", "echo boto3==1")

    def _script(self, name: str, body: str) -> None:
        path = self.home / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, **variables: str) -> tuple[int, dict[str, str], list[str]]:
        """Its exit status, its table, and what it called."""
        given = {name: value for name, value in needed.without_make().items() if not name.startswith("TERRAFORM")}
        environment = given | variables
        done = subprocess.run(
            [self.home / ".ci/run"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        self.table = done.stdout.partition("--- result, after ")[2].splitlines()[1:]
        results = {line[:14].strip(): re.sub(r", \d+ s$", "", line[15:]) for line in self.table}
        return done.returncode, results, (self.home / "calls").read_text().splitlines()


def test_everything_runs(tmp_path: Path) -> None:
    status, results, calls = Checkout(tmp_path / "here").run()
    assert (status, results) == (0, dict.fromkeys(PARTS, "ok"))
    assert calls == ["ci-packages", "setup", "need docker", *PARTS]  # somebody's engine is left alone


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_fails_does_not_keep_the_others_from_running(tmp_path: Path, part: str) -> None:
    status, results, calls = Checkout(tmp_path / "here", broken=part).run()
    assert status == 1
    assert results == dict.fromkeys(PARTS, "ok") | {part: "FAILED (2)"}
    assert calls[-len(PARTS) :] == list(PARTS)


def test_terraform_is_tested_with_the_real_provider_too_where_that_is_chosen(tmp_path: Path) -> None:
    for name, broken in (("good", ""), ("bad", "test-terraform")):
        status, results, calls = Checkout(tmp_path / name, broken=broken).run(TERRAFORM_PROVIDER="real")
        assert status == (1 if broken else 0)
        assert results == dict.fromkeys(PARTS, "ok") | {"terraform-real": "FAILED (2)" if broken else "ok"}
        assert calls[-3:] == ["test-terraform with terraform", *DOCKER]


def test_what_tests_left_out_is_told_once_beneath_their_part(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "here")
    (checkout.home / "skipped-test").write_text("no stand-in\nno phase of the moon\nno stand-in\n")
    status, _, _ = checkout.run()
    assert status == 0
    rows = [line.strip() for line in checkout.table]
    at = rows.index("skipped: no phase of the moon")
    assert rows[at - 1].startswith("test ")
    assert rows[at + 1] == "skipped: no stand-in"
    assert rows[at + 2].startswith("example-ci ")


def test_an_engine_that_it_started_is_ended(tmp_path: Path) -> None:
    for name, broken in (("good", ""), ("bad", "test-docker")):
        status, _, calls = Checkout(tmp_path / name, engine="starts", broken=broken).run()
        assert status == (1 if broken else 0)
        assert (calls[3], calls[-1]) == ("docker-engine start", "docker-engine stop")


def test_where_there_can_be_no_docker_the_table_says_what_was_skipped(tmp_path: Path) -> None:
    status, results, calls = Checkout(tmp_path / "here", engine="unavailable").run()
    assert status == 0
    reason = "skipped: no Docker engine is available"
    assert {name for name, told in results.items() if told.startswith(reason)} == set(DOCKER)
    assert not set(DOCKER) & set(calls)
    assert "docker-engine stop" not in calls


def test_an_engine_that_should_have_started_is_a_failure(tmp_path: Path) -> None:
    status, results, calls = Checkout(tmp_path / "here", engine="breaks").run()
    assert status == 1
    reason = "FAILED: the Docker engine did not start"
    assert {name for name, told in results.items() if told.startswith(reason)} == set(DOCKER)
    assert "test" in calls


def test_without_an_environment_nothing_runs(tmp_path: Path) -> None:
    status, results, calls = Checkout(tmp_path / "here", broken="setup").run()
    assert (status, results, calls) == (1, {}, ["ci-packages", "setup"])


def test_its_parts_are_targets() -> None:
    named = set(re.findall(r"^ *part ([a-z-]+) make \1$", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    assert named == set(PARTS) - set(DOCKER)
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"setup", *PARTS} <= set(targets)
