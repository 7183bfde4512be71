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
        """Have the base images: pulled, or stand-ins made of what is on this machine."""
        began = time.monotonic()
        bases = self._images()
        self._report(f"base images are there, after {time.monotonic() - began:.0f} s: {', '.join(bases.values())}")

    def image(self, name: str) -> str:
        """The image behind a name (POSTGRES_IMAGE)."""
        return self._images()[name]

    def _images(self) -> dict[str, str]:
        with self._lock:  # asked for once, however many builds run side by side
            self._bases = self._bases or self._asked()
            return self._bases

    def _asked(self) -> dict[str, str]:
        need_command()
        failed = "there are no base images for the engine `docker`"
        # It may pull for minutes, and tells what it does.
        status, found, said = self._commands.ask([SCRIPT], BASES_SECONDS, failed, self._report)
        if status:
            kind = NoDockerError if status == UNAVAILABLE else ImageError
            raise kind(f"{failed}:\n{said.strip()}")
        return dict(line.split("=", 1) for line in found.splitlines() if "=" in line)

    def cancel(self) -> None:
        """End the builds that run, and begin no more."""
        self._commands.cancel()

    def build(self, wanted: Wanted) -> None:
        """Build it, unless that was done; several may be built side by side."""
        with self._lock:
            turn = self._waiting.setdefault(wanted, threading.Lock())
        with turn:
            if wanted not in self._built:
                self._built[wanted] = self._build(wanted)

    def _build(self, wanted: Wanted) -> str:
        name, began = f"{wanted.repository}:{wanted.version}", time.monotonic()
        if not (wanted.app / "Dockerfile").is_file():
            raise ImageError(f"there is no Dockerfile in {wanted.app}: the engine `docker` builds from it")
        told = {"APP_VERSION": wanted.version, **dict(wanted.env)}
        self._report(f"building {name}")
        reference = f"localhost:{self._port}/{name}"
        with tree(wanted.app, wanted.overlay) as folder:
            marks = {REVISION: wanted.version, **labels(self._platform, folder)}
            self._docker_build(folder, reference, told, marks)
        self._report(f"building {name} … {time.monotonic() - began:.0f} s")
        return reference

    def _docker_build(self, folder: Path, reference: str, told: dict[str, str], marks: dict[str, str]) -> None:
        bases = {name: self.image(name) for name in BASES}
        arguments = [f"--build-arg={name}={value}" for name, value in {**bases, **told}.items()]
        arguments += [f"--label={name}={value}" for name, value in marks.items()]
        if any(base.startswith(STAND_IN) for base in bases.values()):
            arguments.append("--network=host")  # where nothing can be pulled, the way out is this machine's own
        # BuildKit has no containers that a failed build could leave, and takes the option all the same.
        command = ["docker", "build", "--force-rm", *arguments, "-t", reference, str(folder)]
        self._commands.run(command, BUILD_SECONDS, f"{reference} was not built", env={**os.environ, **PLAIN})

    def push(self, wanted: Wanted, tag: str, *, index: bool = False) -> str:
        """Push it, built if it was not; its digest."""
        if index:
            raise ImageError("the engine `docker` builds for this machine only, so it pushes no index")
        self.build(wanted)
        reference = f"localhost:{self._port}/{wanted.repository}:{tag}"
        if reference != self._built[wanted]:
            command = ["docker", "tag", self._built[wanted], reference]
            self._commands.run(command, PUSH_SECONDS, f"{reference} was not tagged")
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
        self._commands.run(["docker", "push", "-q", reference], PUSH_SECONDS, f"{reference} was not pushed")
        return oci.digest_at(self._port, repository, tag)
