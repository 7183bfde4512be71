"""A machine without Docker, Node, Terraform, Chromium, Redis: each target says what is missing, and how to get it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import needed
from contract.machine import ROOT

Without = Callable[..., str]
SAID = {
    "docker": "need: no Docker engine is available\n",
    "node": "need: node with npm is not on the PATH\n",
    "terraform": "need: terraform is not on the PATH\n",
    "chromium": "need: Chromium is not on the PATH\n",
    "redis-server": "need: redis-server is not on the PATH\n",
}
ALSO = {"chromium": {"chromium-browser", "google-chrome"}}


@pytest.fixture
def without(tmp_path: Path) -> Without:
    """A PATH on which some programs are not."""

    def path(*names: str) -> str:
        hidden = set(names).union(*(ALSO.get(name, ()) for name in names))
        folder = tmp_path / "bin"
        folder.mkdir()
        for entry in os.environ["PATH"].split(os.pathsep):
            for program in Path(entry).glob("*") if entry else ():
                link = folder / program.name
                if program.name not in hidden and not link.is_symlink():
                    link.symlink_to(program)
        return str(folder)

    return path


def make(path: str, *arguments: str, ci: str = "") -> tuple[int, str]:
    """Run a target of a checkout that is set up; what it said."""
    environment = {"PATH": path, "HOME": os.environ["HOME"], "CI": ci}
    command = ["make", "-o", ".venv/.ready", "-o", "node_modules/.ready", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.returncode, done.stdout


def says_all(said: str, tool: str) -> bool:
    """Once, whatever else this machine lacks and the target says of it."""
    _, *told = said.split(SAID[tool])
    if len(told) != 1:
        return False
    about_it = told[0].partition("\nneed: ")[0]
    return about_it.count("To get it: ") == 1 and about_it.count("Without it, ") == 1


@pytest.mark.parametrize(
    ("target", "tool"),
    [
        ("demo ENGINE=docker", "docker"),
        ("docker-images", "docker"),
        ("pictures", "chromium"),
        ("example-ci", "node"),
        ("example-ci", "redis-server"),
    ],
)
def test_what_a_person_asked_for_fails(without: Without, target: str, tool: str) -> None:
    status, said = make(without(tool), *target.split())
    assert status != 0
    assert says_all(said, tool), said


def test_each_of_several_is_told_of(without: Without) -> None:
    status, said = make(without("node", "redis-server"), "example-ci")
    assert status != 0
    assert says_all(said, "node"), said
    assert says_all(said, "redis-server"), said


@pytest.mark.parametrize(
    ("target", "tool"),
    [
        ("test-invoke", "docker"),
        ("test-docker", "docker"),
        ("test-terraform", "terraform"),
        ("terraform-fmt", "terraform"),
    ],
)
def test_tests_and_checks_are_skipped_but_not_in_ci(without: Without, target: str, tool: str) -> None:
    path = without(tool)
    status, said = make(path, target)
    assert (status, said.splitlines()[-1]) == (0, f"{target}: skipped"), said
    assert says_all(said, tool), said

    status, said = make(path, target, ci="true")
    assert status != 0
    assert f"{target}: CI must not skip this\n" in said
    assert says_all(said, tool), said


def test_the_other_linters_run_without_node(without: Without) -> None:
    path = without("node")
    status, said = make(path, "asl")
    assert status == 0
    assert "0 with problems (asl-validator skipped" in said
    assert says_all(said, "node"), said

    status, said = make(path, "asl", ci="true")
    assert status != 0


@pytest.mark.parametrize("tool", ["docker", "chromium", "redis-server"])
def test_a_test_is_skipped_with_the_reason_but_not_in_ci(
    without: Without, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.setenv("PATH", without(tool))
    monkeypatch.delenv("CHROMIUM", raising=False)
    name, reason = tool.removesuffix("-server"), SAID[tool].removeprefix("need: ").strip()
    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match=rf"{reason} \(`scripts/need {name}` says how to get it\)"):
            needed.require(name)


def test_an_engine_that_does_not_answer_is_none(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = subprocess.run(["scripts/need", "docker"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert says_all(done.stderr, "docker")


def test_an_unknown_engine_or_tool_is_one_line() -> None:
    status, said = make(os.environ["PATH"], "demo", "ENGINE=podman")
    assert status != 0
    assert said.splitlines()[0] == "demo: unknown engine 'podman'; use ENGINE=process or ENGINE=docker"

    done = subprocess.run(["scripts/need", "podman"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("tool", ["docker", "node", "terraform", "chromium", "redis", "postgres"])
def test_every_message_says_how_to_get_it_and_what_works_without(tool: str) -> None:
    done = subprocess.run(["scripts/need", "--how", tool], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("  To get it: ")
    assert "\n  Without it, you cannot run " in done.stdout
    assert "Everything else works: `make demo`" in done.stdout or "(all other\n  tests run)" in done.stdout
    targets = set(needed_targets(done.stdout))
    known = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": " in line}
    assert targets <= known, targets - known


def needed_targets(text: str) -> list[str]:
    return [word.split("`")[0].split()[0] for word in text.split("`make ")[1:]]


NO_STAND_IN = "TERRAFORM is not the offline stand-in for the AWS provider"


def planned(tmp_path: Path, **variables: str) -> tuple[int, str]:
    """The test of one plan and of one module, with a terraform that can nothing."""
    terraform = tmp_path / "terraform"
    terraform.write_text("#!/bin/sh\necho the terraform of a test >&2\nexit 1\n")
    terraform.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": os.environ["HOME"], "CI": "true"}
    tests = [
        f"tests/terraform/test_terraform.py::{name}" for name in ("test_plans[shared]", "test_its_own_tests[shared]")
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-o",
        f"cache_dir={tmp_path}/cache",
        f"--basetemp={tmp_path}/run",
        *tests,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=environment | variables, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def test_ci_with_the_real_provider_skips_plans_and_says_so(tmp_path: Path) -> None:
    told = tmp_path / "told"
    status, said = planned(tmp_path, TERRAFORM="terraform", CI_SKIPPED=str(told))
    reason = f"Terraform plans no root and no module: {NO_STAND_IN}, and there are no AWS credentials"
    assert (status, "2 skipped" in said, reason in said) == (0, True, True), said
    assert set(told.read_text().splitlines()) == {reason}


def test_with_credentials_modules_are_tested_and_roots_are_still_not_planned(tmp_path: Path) -> None:
    status, said = planned(tmp_path, TERRAFORM="terraform", AWS_PROFILE="a-profile")
    assert (status, "the terraform of a test" in said, "1 failed, 1 skipped" in said) == (1, True, True), said
    assert f"Terraform's roots are not planned: {NO_STAND_IN}" in said


def test_the_stand_in_may_lie_anywhere(tmp_path: Path) -> None:
    stand_in = tmp_path / "elsewhere/terraform-offline"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho the stand-in of a test >&2\nexit 1\n")
    stand_in.chmod(0o755)
    status, said = planned(tmp_path, TERRAFORM=str(stand_in))
    assert (status, "the stand-in of a test" in said, "skipped" in said) == (1, True, False), said

    show = ["--eval", "show: ; @echo $(TERRAFORM)", "show"]
    assert make(os.environ["PATH"], *show, f"TERRAFORM={stand_in}") == (0, f"{stand_in}\n")
    assert make(os.environ["PATH"], *show, "TERRAFORM=terraform") == (0, "terraform\n")


def test_ci_without_terraform_fails(tmp_path: Path) -> None:
    status, said = planned(tmp_path, TERRAFORM="nowhere/terraform")
    assert (status, "CI must not skip this: TERRAFORM names a program that does not exist" in said) == (1, True), said
