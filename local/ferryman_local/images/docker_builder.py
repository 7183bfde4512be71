"""Builds the example's images from its Dockerfiles, for the Docker engine. Used by LocalAws.

The `docker` command builds: BuildKit where it is there, the older builder elsewhere.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ferryman_local.engines.docker_client import NoDockerError, need_command
from ferryman_local.images import oci
from ferryman_local.images.builders import Wanted, labels, tree
from ferryman_local.images.docker_command import Commands
from ferryman_local.images.oci import ImageError

SCRIPT = Path(__file__).parents[3] / "scripts" / "docker-images"
BASES = ("PYTHON_IMAGE", "NODE_IMAGE")
BUILD_SECONDS, PUSH_SECONDS = 900.0, 300.0
BASES_SECONDS = 900.0
"""For all base images. `ferryman local up` waits for them and for the rest of the start: commands.UP_SECONDS."""
UNAVAILABLE = 3
STAND_IN = "ferryman-local/"
REVISION = "org.opencontainers.image.revision"
PLAIN = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
"""As the example's CI builds: a plain image, not an index of an image and its attestation."""
PLACEHOLDER = f"""ARG PYTHON_IMAGE
FROM $PYTHON_IMAGE
WORKDIR /app
COPY server.py .
USER 10001
ARG PORT
ENV PORT=$PORT APP_VERSION={oci.BOOTSTRAP}
EXPOSE $PORT
CMD ["python", "server.py"]
"""

Report = Callable[[str], None]


class DockerBuilder:
    """Images from Dockerfiles."""

    def __init__(self, port: int, platform: Path, report: Report) -> None:
        self._port, self._platform, self._report = port, platform, report
        self._bases: dict[str, str] = {}
        self._built: dict[Wanted, str] = {}
        self._lock = threading.Lock()
        self._waiting: dict[Wanted, threading.Lock] = {}
        self._commands = Commands()

    def prepare(self) -> None:
        """Get the base images: pull them, or make stand-ins from what is on this machine."""
        began = time.monotonic()
        bases = self._images()
        self._report(f"base images are ready after {time.monotonic() - began:.0f} s: {', '.join(bases.values())}")

    def image(self, name: str) -> str:
        """The base image with this name (POSTGRES_IMAGE)."""
        return self._images()[name]

    def _images(self) -> dict[str, str]:
        with self._lock:  # determined once, even if builds run in parallel
            self._bases = self._bases or self._asked()
            return self._bases

    def _asked(self) -> dict[str, str]:
        need_command()
        failed = "base images for the engine `docker` are not available"
        # It may pull for minutes, and reports its progress.
        status, found, said = self._commands.ask([SCRIPT], BASES_SECONDS, failed, self._report)
        if status:
            kind = NoDockerError if status == UNAVAILABLE else ImageError
            raise kind(f"{failed}:\n{said.strip()}")
        return dict(line.split("=", 1) for line in found.splitlines() if "=" in line)

    def cancel(self) -> None:
        """Stop the running builds, and start no new ones."""
        self._commands.cancel()

    def build(self, wanted: Wanted) -> None:
        """Build it unless it is built; several images can be built in parallel."""
        with self._lock:
            turn = self._waiting.setdefault(wanted, threading.Lock())
        with turn:
            if wanted not in self._built:
                self._built[wanted] = self._build(wanted)

    def _build(self, wanted: Wanted) -> str:
        name, began = f"{wanted.repository}:{wanted.version}", time.monotonic()
        if not (wanted.app / "Dockerfile").is_file():
            raise ImageError(f"{wanted.app} has no Dockerfile, which the engine `docker` needs")
        told = {"APP_VERSION": wanted.version, **dict(wanted.env)}
        self._report(f"building {name}")
        reference = f"localhost:{self._port}/{name}"
        with tree(wanted.app, wanted.overlay) as folder:
            marks = {REVISION: wanted.version, **labels(self._platform, folder)}
            self._docker_build(folder, reference, told, marks)
        self._report(f"built {name} in {time.monotonic() - began:.0f} s")
        return reference

    def _docker_build(self, folder: Path, reference: str, told: dict[str, str], marks: dict[str, str]) -> None:
        bases = {name: self.image(name) for name in BASES}
        arguments = [f"--build-arg={name}={value}" for name, value in {**bases, **told}.items()]
        arguments += [f"--label={name}={value}" for name, value in marks.items()]
        if any(base.startswith(STAND_IN) for base in bases.values()):
            arguments.append("--network=host")  # nothing can be pulled, so the build uses this machine's network
        # BuildKit leaves no containers of a failed build, but accepts the option.
        command = ["docker", "build", "--force-rm", *arguments, "-t", reference, str(folder)]
        self._commands.run(command, BUILD_SECONDS, f"could not build {reference}", env={**os.environ, **PLAIN})

    def push(self, wanted: Wanted, tag: str, *, index: bool = False) -> str:
        """Push it, and build it first if necessary; return its digest."""
        if index:
            raise ImageError("the engine `docker` builds for this machine only and cannot push an index")
        self.build(wanted)
        reference = f"localhost:{self._port}/{wanted.repository}:{tag}"
        if reference != self._built[wanted]:
            command = ["docker", "tag", self._built[wanted], reference]
            self._commands.run(command, PUSH_SECONDS, f"could not tag {reference}")
        return self._push(wanted.repository, tag)

    def placeholder(self, repository: str, port: int) -> None:
        """A server in Python's standard library, in the base image of the api."""
        reference = f"localhost:{self._port}/{repository}:{oci.BOOTSTRAP}"
        with tempfile.TemporaryDirectory(prefix="ferryman-build-") as scratch:
            shutil.copy(oci.BOOTSTRAP_APP / "server.py", scratch)
            (Path(scratch) / "Dockerfile").write_text(PLACEHOLDER)
            self._docker_build(Path(scratch), reference, {"PORT": str(port)}, {})
        self._push(repository, oci.BOOTSTRAP)

    def _push(self, repository: str, tag: str) -> str:
        reference = f"localhost:{self._port}/{repository}:{tag}"
        self._commands.run(["docker", "push", "-q", reference], PUSH_SECONDS, f"could not push {reference}")
        return oci.digest_at(self._port, repository, tag)
