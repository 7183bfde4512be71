"""The engines that run the local AWS's containers: `process` and `docker`. Only `docker` imports Docker's client.

Used by the emulator's process, by its parent, and by the commands.
"""

import os
import platform
from pathlib import Path
from typing import Any, Literal, Protocol

from ferryman_local.engines.containers import StartedContainers
from ferryman_local.processes import OWNER_VARIABLE, end_all

EngineName = Literal["process", "docker"]
PROCESS: EngineName = "process"
DOCKER: EngineName = "docker"
MACHINES = {"aarch64": "arm64", "arm64": "arm64"}


def docker_host() -> str:
    """The module of the Docker engine; its client is imported only when needed."""
    from ferryman_local.engines import docker_client

    return docker_client.host()


def remove_containers(owner: str, registry: str = "") -> list[str]:
    """Remove what a local AWS created in Docker; return what could not be removed.

    While no engine responds, the remaining objects are unknown: stopped containers, networks and image names come back
    when the engine starts. So this counts as something that could not be removed.
    """
    from ferryman_local.engines import docker_client

    unknown = [f"Docker objects with the label {OWNER_VARIABLE}={owner} (no engine responds now)"]
    try:
        client = docker_client.connect()
    except docker_client.NoDockerError:
        return unknown
    try:
        return docker_client.remove_all(client, owner, registry)
    except docker_client.BROKEN:
        return unknown
    finally:
        client.close()


def remove_left(owner: str, engine: EngineName, registry: str) -> str:
    """Stop and remove everything that a local AWS left behind; return what could not be removed, and what to do."""
    problems = []
    if owner and (left := end_all(owner)):
        problems.append(f"processes {left} of the local AWS could not be stopped; stop them by hand")
    if engine == DOCKER and (rest := remove_containers(owner, registry)):
        names = ", ".join(rest)
        problems.append(
            f"these objects of the local AWS could not be removed: {names}; start Docker, or remove them with `docker`"
        )
    return "; ".join(problems)


def host_architecture() -> str:
    """The host's architecture as in image indexes: `amd64` or `arm64`."""
    return MACHINES.get(platform.machine(), "amd64")


class Engine(Protocol):
    """The interface that the emulator uses as a Docker client."""

    mark: dict[str, str]
    """The owner's mark, as an environment variable of a process or a label of a container."""

    @property
    def containers(self) -> StartedContainers[Any]:
        """docker-py's `client.containers`."""

    def end(self) -> None:
        """Remove the rest after the processes of the emulator's owner have ended. `containers` is closed before."""


def make_engine(port: int, folder: Path, owner: str) -> Engine:
    """The engine that the environment variables select."""
    if os.environ.get("FERRYMAN_LOCAL_ENGINE") == DOCKER:
        from ferryman_local.engines.docker_engine import DockerEngine

        address = os.environ["FERRYMAN_LOCAL_DOCKER_HOST"]
        return DockerEngine(port, folder, owner=owner, host=address, architecture=host_architecture())
    from ferryman_local.engines.process_engine import ProcessEngine

    return ProcessEngine(port, folder, owner=owner, architecture=host_architecture())
