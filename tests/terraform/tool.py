"""Terraform as the tests run it, and what they plan."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
OFFLINE = Path(__file__).parent / "offline/bin/terraform-offline"
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
