"""Finds the Docker engine, and removes what a local AWS created in it. Used only with the engine `docker`.

Everything that a local AWS creates in Docker has its owner mark as a label, so that what one of another owner is is
never touched, and what a killed one left behind is found.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped, unused-ignore]
import docker.errors  # type: ignore[import-untyped, unused-ignore]
import requests  # type: ignore[import-untyped, unused-ignore]

from ferryman_local.errors import EmulatorError
from ferryman_local.processes import OWNER_VARIABLE

CALL_SECONDS = 60
CONNECTIONS = 64
"""Each running container needs two connections: one waits for its end, one reads its log."""
NEED = Path(__file__).parents[3] / "scripts" / "need"
DEFAULT_HOST = "unix:///var/run/docker.sock"
REMOVE_SECONDS, LOOK_EVERY = 30.0, 0.2
"""Seconds that Docker may take to remove objects, and the polling interval."""
BROKEN = (docker.errors.DockerException, requests.RequestException)
"""Errors of docker-py: Docker refuses a call, or does not respond (a read timeout comes from requests)."""


class NoDockerError(EmulatorError):
    """No Docker engine can be used; the message says what is missing, how to install it, and what works without it."""


def host() -> str:
    """The address of the engine that the `docker` command uses: DOCKER_HOST, or that of its context."""
    if given := os.environ.get("DOCKER_HOST"):
        return given
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.strip() or DEFAULT_HOST
    return DEFAULT_HOST


def connect(address: str | None = None) -> Any:
    """Return a client of a running engine; raise NoDockerError if there is none."""
    address = address or host()
    try:
        client = docker.DockerClient(base_url=address, timeout=CALL_SECONDS, max_pool_size=CONNECTIONS)
        client.ping()
    except (*BROKEN, OSError):
        raise NoDockerError(missing(f"no engine responds at {address}")) from None
    return client


def need_command() -> None:
    """Raise NoDockerError if the `docker` command, which builds and pushes, is missing."""
    if shutil.which("docker") is None:
        raise NoDockerError(missing("the `docker` command is not on the PATH"))


def missing(what: str) -> str:
    """A message about Docker: what is missing, how to install it, and what works without it."""
    done = subprocess.run([NEED, "--how", "docker"], capture_output=True, text=True, timeout=10, check=False)
    return (
        f"the engine `docker` needs Docker, but {what}.\n{done.stdout.rstrip()}\n"
        "  The local AWS also works without Docker: omit --engine docker (ENGINE=docker) to run processes."
    )


def mark(owner: str) -> dict[str, str]:
    """The label of everything that belongs to a local AWS."""
    return {OWNER_VARIABLE: owner}


def having(owner: str) -> dict[str, str]:
    """The filter for what belongs to a local AWS."""
    return {"label": f"{OWNER_VARIABLE}={owner}"}


def owned(client: Any, owner: str) -> list[str]:
    """The names of an owner's containers and networks."""
    label = having(owner)
    containers = [name for entry in client.api.containers(all=True, filters=label) for name in entry["Names"]]
    networks = [network["Name"] for network in client.api.networks(filters=label)]
    return [*(f"container {name.lstrip('/')}" for name in containers), *(f"network {name}" for name in networks)]


def remove_all(client: Any, owner: str, registry: str = "") -> list[str]:
    """Remove an owner's objects, and image names of its registry; return what could not be removed.

    An image without a name stays until `docker image prune`, so that the next build can use its layers. Base images and
    stand-ins stay, too.
    """
    label = having(owner)
    deadline = time.monotonic() + REMOVE_SECONDS
    while True:  # one may be just starting, and Docker lists what it is still removing
        ids = [entry["Id"] for entry in client.api.containers(all=True, filters=label)]
        _each(lambda found: client.api.remove_container(found, v=True, force=True), ids)
        _each(client.api.remove_network, [network["Id"] for network in client.api.networks(filters=label)])
        left = owned(client, owner)
        if not left or time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY)
    if registry:
        names = [
            name
            for image in client.api.images()
            for name in [*(image.get("RepoTags") or []), *(image.get("RepoDigests") or [])]
            if name.startswith(f"{registry}/")
        ]
        _each(lambda name: client.api.remove_image(name, noprune=True), names, at_once=1)
    return left


def _each(remove: Callable[[str], Any], names: Iterable[str], at_once: int = 8) -> None:
    def quietly(name: str) -> None:
        with contextlib.suppress(*BROKEN):  # gone by itself, another one is just removing it, or Docker is slow
            remove(name)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(quietly, names))
