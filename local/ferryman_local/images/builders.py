"""Builds and pushes the images of a release: one builder for each engine. Used by LocalAws.

The process engine builds images from folders (image.yaml); docker_builder.py builds them from Dockerfiles.
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
    """An image to build: its source, its version, and the changes of a fault."""

    component: str
    app: Path
    repository: str
    version: str
    overlay: Path | None = None
    env: tuple[tuple[str, str], ...] = ()
    """Overrides the image's own environment."""


class Builder(Protocol):
    """Builds images and pushes them to the emulator's registry."""

    def prepare(self) -> None:
        """Get what every build needs."""

    def build(self, wanted: Wanted) -> None:
        """Build it, so that `push` only has to push."""

    def push(self, wanted: Wanted, tag: str, *, index: bool = False) -> str:
        """Push it, and build it first if necessary; return its digest."""

    def cancel(self) -> None:
        """Stop the running builds, whichever threads wait for them."""

    def placeholder(self, repository: str, port: int) -> None:
        """Push the image that a service runs before its first release."""


def labels(platform: Path, app: Path, overlay: Path | None = None) -> dict[str, str]:
    """The image labels with an app's migrations, from the platform's own script; empty if the app has none."""
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
    """A copy of an app's folder with the files of an overlay."""
    with tempfile.TemporaryDirectory(prefix="ferryman-build-") as scratch:
        folder = Path(scratch) / app.name
        shutil.copytree(app, folder, ignore=LEFT_OUT, symlinks=True)
        if overlay is not None:
            shutil.copytree(overlay, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
        yield folder


class ProcessBuilder:
    """Images of folders; nothing is installed, so a build takes milliseconds."""

    def __init__(self, port: int, platform: Path) -> None:
        self._port, self._platform = port, platform

    def prepare(self) -> None:
        """Does nothing."""

    def build(self, wanted: Wanted) -> None:
        """Does nothing: `push` builds within milliseconds."""

    def cancel(self) -> None:
        """Does nothing: builds take milliseconds."""

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
