"""Finds Terraform, and plans every root once for all tests.

They run Terraform with the offline stand-in for the AWS provider (`offline/`), which needs no network and no account.
TERRAFORM names another program: with TERRAFORM=terraform it is the real provider. Where there is no Terraform the tests
are skipped; in CI (CI=true) that is an error. What only the stand-in can do is skipped with the real one, in CI, too.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from needed import missing, require, skip_in_ci_too

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
OFFLINE = Path(__file__).parent / "offline/bin/terraform-offline"
NO_STAND_IN = "TERRAFORM is not the offline stand-in for the AWS provider"
PLANS = {
    "shared": ("shared", "shared.tfvars"),
    "platform": ("platform", "scr.tfvars"),
    "staging": ("environment", "staging.tfvars"),
    "production": ("environment", "production.tfvars"),
}


def variables_of(name: str) -> list[str]:
    """The example's variables of a plan."""
    return [f"-var-file=../examples/{file}" for file in ("platforms.tfvars", PLANS[name][1])]


@dataclass(frozen=True)
class Tool:
    """Terraform, real or offline."""

    program: str
    locks: Path

    @property
    def offline(self) -> bool:
        """Whether it asks nothing of AWS."""
        return Path(self.program).name == OFFLINE.name

    def run(self, folder: Path, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run one command in a folder; its output is text without colours."""
        environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        # The stand-in runs on the interpreter of the tests, and keeps each run's state with that run.
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment["TF_OFFLINE_WORK"] = str(self.locks / "terraform-offline")
        file = environment.get("TF_CLI_CONFIG_FILE")
        if file and not Path(file).exists():
            del environment["TF_CLI_CONFIG_FILE"]  # Terraform would warn about it, and a warning fails a test here
        return subprocess.run(
            [self.program, f"-chdir={folder}", *arguments],
            capture_output=True, text=True, env=environment, timeout=timeout, check=False,
        )  # fmt: skip

    def clean(self, folder: Path, *arguments: str) -> str:
        """Run one command; anything but success without a warning fails the test."""
        done = self.run(folder, *arguments)
        told = f"{' '.join(arguments)} in {folder.relative_to(ROOT)}:\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, told
        # The first init without a lock file says this of any provider that comes from a mirror, as the stand-in does.
        warned = (done.stdout + done.stderr).replace("Warning: Incomplete lock file information for providers", "")
        assert "Warning:" not in warned, told
        return done.stdout

    @contextmanager
    def alone(self, folder: Path) -> Iterator[None]:
        """One process at a time in a folder: two that initialise it disturb each other."""
        with (self.locks / folder.relative_to(ROOT).as_posix().replace("/", "-")).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def initialise(self, folder: Path) -> None:
        """Make a folder ready, once: providers and modules, no state."""
        done = self.locks / f"initialised-{folder.relative_to(ROOT).as_posix().replace('/', '-')}"
        if not done.exists():
            self.clean(folder, "init", "-backend=false", "-no-color")
            done.touch()


def find() -> str | None:
    """The program to use, or None."""
    if named := os.environ.get("TERRAFORM"):
        return shutil.which(named, path=f"{ROOT}:{os.environ['PATH']}") or shutil.which(str(ROOT / named))
    plain = shutil.which(os.environ.get("TF_OFFLINE_TERRAFORM", "terraform"))
    return str(OFFLINE) if plain else None


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def terraform(shared_tmp: Path) -> Tool:
    """Terraform, or a skip."""
    program = find()
    if program is None:
        require("terraform")
        missing("TERRAFORM names a program that does not exist")
    return Tool(str(program), shared_tmp)


@pytest.fixture(scope="session")
def stand_in(shared_tmp: Path) -> Tool:
    """The offline stand-in, whatever TERRAFORM names, with its Python environment made; or a skip."""
    require("terraform")
    tool = Tool(str(OFFLINE), shared_tmp)
    tool.clean(OFFLINE.parents[1] / "samples/platform", "get")
    return tool


@pytest.fixture(scope="session")
def planner(terraform: Tool) -> Tool:
    """Terraform that can plan: offline, or with credentials (planning only reads)."""
    if not terraform.offline and not ({"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} & set(os.environ)):
        skip_in_ci_too(f"Terraform plans no root and no module: {NO_STAND_IN}, and there are no AWS credentials")
    return terraform


@pytest.fixture(scope="session")
def plan(planner: Tool, shared_tmp: Path) -> Callable[[str], dict[str, Any]]:
    """The plan of `shared`, `platform`, `staging` or `production` with the example's variables; made once."""

    def made(name: str) -> dict[str, Any]:
        folder, kept = TERRAFORM / PLANS[name][0], shared_tmp / f"{name}.json"
        if not planner.offline:
            # A plain terraform would ask for their state first.
            skip_in_ci_too(f"Terraform's roots are not planned: {NO_STAND_IN}")
        with planner.alone(folder):
            if not kept.exists():
                planner.initialise(folder)
                planner.clean(folder, "plan", "-no-color", *variables_of(name), f"-out=test-{name}.plan")
                kept.write_text(planner.clean(folder, "show", "-json", f"test-{name}.plan"))
        found: dict[str, Any] = json.loads(kept.read_text())
        return found

    return made
