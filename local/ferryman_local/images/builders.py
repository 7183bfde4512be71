"""Builds and pushes the images of a release: one builder for each engine. Used by LocalAws.

The process engine's images are folders (image.yaml); the Docker engine's, in docker_builder.py, come from Dockerfiles.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ferryman_local.images import oci
from ferryman_local.images.oci import ImageError

MIGRATION_LABELS = Path("ci", "migration_labels.py")
MIGRATIONS = "migrations"
LEFT_OUT = shutil.ignore_patterns(
    "node_modules", ".next", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", "*.pyc", "*.tsbuildinfo"
)


@dataclass(frozen=True)
class Wanted:
    """An image that is to be made: whose source, which version, and what of a fault."""

    component: str
    app: Path
    repository: str
    version: str
    overlay: Path | None = None
    env: tuple[tuple[str, str], ...] = ()
    """Wins over the image's own."""


class Builder(Protocol):
    """Makes images and puts them into the emulator's registry."""

    def prepare(self) -> None:
        """Have what every build needs."""

    def build(self, wanted: Wanted) -> None:
        """Have it built, so that `push` only has to push."""

    def push(self, wanted: Wanted, tag: str, *, index: bool = False) -> str:
        """Push it, built if it was not; its digest."""

    def cancel(self) -> None:
        """End the builds that run, whichever threads wait for them."""

    def placeholder(self, repository: str, port: int) -> None:
        """Push what a service runs before its first release."""


def labels(platform: Path, app: Path, overlay: Path | None = None) -> dict[str, str]:
    """The image labels that tell an app's migrations, by the platform's own script; none for an app without any."""
    script = platform / MIGRATION_LABELS
    if not (app / MIGRATIONS).is_dir() or not script.is_file():
        return {}
    with contextlib.nullcontext(app) if overlay is None else tree(app, overlay) as folder:
        done = subprocess.run(
            [sys.executable, str(script), str(folder)], capture_output=True, text=True, timeout=60, check=False
        )
    if done.returncode:
        raise ImageError(f"{script} failed for {app}: {(done.stderr or done.stdout).strip()[-500:]}")
    lines = (line.partition("=") for line in done.stdout.splitlines() if "=" in line)
    return {name: value for name, _, value in lines}


@contextlib.contextmanager
def tree(app: Path, overlay: Path | None) -> Iterator[Path]:
    """A copy of an app's folder, with the files of an overlay over it."""
    with tempfile.TemporaryDirectory(prefix="ferryman-build-") as scratch:
        folder = Path(scratch) / app.name
        shutil.copytree(app, folder, ignore=LEFT_OUT, symlinks=True)
        if overlay is not None:
            shutil.copytree(overlay, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
        yield folder


class ProcessBuilder:
    """Folders as images: nothing is installed, nothing takes time."""

    def __init__(self, port: int, platform: Path) -> None:
        self._port, self._platform = port, platform

    def prepare(self) -> None:
        """Nothing is needed."""

    def build(self, wanted: Wanted) -> None:
        """It takes milliseconds: `push` does it."""

    def cancel(self) -> None:
        """Nothing that takes milliseconds has to be ended."""

    def push(self, wanted: Wanted, tag: str, *, index: bool = False) -> str:
        """Build and push."""
        built = oci.build(
            wanted.app,
            wanted.version,
            overlay=wanted.overlay,
            labels=labels(self._platform, wanted.app, wanted.overlay),
            **dict(wanted.env),
        )
        send = oci.push_index if index else oci.push
        return send(self._port, wanted.repository, tag, built)

    def placeholder(self, repository: str, port: int) -> None:
        """A server in Python's standard library."""
        oci.push_image(
            self._port,
            repository,
            oci.BOOTSTRAP,
            oci.BOOTSTRAP_APP,
            cmd=["python", "server.py"],
            env={"PORT": str(port), "APP_VERSION": oci.BOOTSTRAP},
            exposed=port,
        )
