"""The engines that run the local AWS's containers: `process` and `docker`. Docker's client is imported only for that.

Used by the emulator's process, by who starts it, and by the commands.
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
    """Where the Docker engine is. Its client is imported only where it is wanted."""
    from ferryman_local.engines import docker_client

    return docker_client.host()


def remove_containers(owner: str, registry: str = "") -> list[str]:
    """Remove what a local AWS has in Docker; what could not be removed.

    While no engine answers, nobody knows what is left: stopped containers, networks and names of images come back with
    the engine. So that is something left.
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
    """End and remove all that a local AWS has left, its containers also when processes stay; what could not be."""
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
    """`amd64` or `arm64`, as image indexes name it."""
    return MACHINES.get(platform.machine(), "amd64")


class Engine(Protocol):
    """What the emulator takes for a Docker client."""

    mark: dict[str, str]
    """The owner's name and id, as variable of a process or label of a container."""

    @property
    def containers(self) -> StartedContainers[Any]:
        """docker-py's `client.containers`."""

    def end(self) -> None:
        """Remove what is left when the processes of the emulator's owner have ended. `containers` is closed before."""


def make_engine(port: int, folder: Path, owner: str) -> Engine:
    """The engine that the environment asks for."""
    if os.environ.get("FERRYMAN_LOCAL_ENGINE") == DOCKER:
        from ferryman_local.engines.docker_engine import DockerEngine

        address = os.environ["FERRYMAN_LOCAL_DOCKER_HOST"]
        return DockerEngine(port, folder, owner=owner, host=address, architecture=host_architecture())
    from ferryman_local.engines.process_engine import ProcessEngine

    return ProcessEngine(port, folder, owner=owner, architecture=host_architecture())
