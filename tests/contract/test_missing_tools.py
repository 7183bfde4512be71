"""A machine without Docker, Node, Terraform, Chromium, Redis: each target says what is missing, and how to get it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import needed
from contract.machine import ROOT

Without = Callable[..., str]
SAID = {
    "docker": "need: no Docker engine answers\n",
    "node": "need: there is no node with npm on the PATH\n",
    "terraform": "need: there is no terraform on the PATH\n",
    "chromium": "need: there is no Chromium on the PATH\n",
    "redis-server": "need: there is no redis-server on the PATH\n",
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
    return said.count(SAID[tool]) == 1 and said.count("To get it: ") == 1 and said.count("Without it: ") == 1


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
    assert said.splitlines()[0] == "demo: there is no engine 'podman'; ENGINE=process or ENGINE=docker"

    done = subprocess.run(["scripts/need", "podman"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("tool", ["docker", "node", "terraform", "chromium", "redis", "postgres"])
def test_every_message_says_how_to_get_it_and_what_works_without(tool: str) -> None:
    done = subprocess.run(["scripts/need", "--how", tool], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("  To get it: ")
    assert "\n  Without it: no " in done.stdout
    assert "All else works: `make demo`" in done.stdout or "(all other tests run)" in done.stdout
    targets = set(needed_targets(done.stdout))
    known = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": " in line}
    assert targets <= known, targets - known


def needed_targets(text: str) -> list[str]:
    return [word.split("`")[0].split()[0] for word in text.split("`make ")[1:]]
