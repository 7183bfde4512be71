"""`image.yaml` and `faults.yaml`, read as their README says: an image as a folder, ready to run."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PLATFORM = Path(__file__).parents[2] / "examples" / "scr-platform"
FOLDERS = {"api": "apps/api", "web": "apps/web", "ai-gateway": "services/ai-gateway"}


@dataclass(frozen=True)
class Image:
    """What the builder would push: files, environment, command."""

    folder: Path
    env: dict[str, str]
    cmd: list[str]
    port: int

    def run(self, *command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """To its end, with both outputs in `stdout`."""
        return subprocess.run(
            command or self.cmd,
            cwd=self.folder,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def started(self, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
        """Running until the block ends."""
        process = subprocess.Popen(
            self.cmd,
            cwd=self.folder,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def faults() -> dict[str, dict[str, Any]]:
    declared: dict[str, dict[str, Any]] = read(PLATFORM / "faults" / "faults.yaml")["faults"]
    return declared


def build(component: str, version: str, fault: str | None, target: Path) -> Image:
    app = PLATFORM / FOLDERS[component]
    image = read(app / "image.yaml")
    for pattern in image["include"]:
        for file in app.glob(pattern):
            copy = target / file.relative_to(app)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
    env = {name: value.replace("{version}", version) for name, value in image["env"].items()}
    if fault:
        change = faults()[fault]
        assert change["component"] == component
        if change["overlay"]:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(PLATFORM / "faults" / change["overlay"], target, dirs_exist_ok=True, ignore=ignored)
        env |= change["env"]
    return Image(folder=target, env=env, cmd=image["cmd"], port=image["port"])
