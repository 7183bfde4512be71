"""The process engine: what the emulator takes for a Docker client. Images run as child processes of the emulator.

The emulator's ECS asks a Docker client for few things; each public name here is one of them. Isolation is not the
aim: a "container" is a process with the image's files, environment and command, and a loopback address of its own
(`BIND_ADDRESS`), so that many tasks can listen on one port.
"""

import logging
import os
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ferryman_local.container import NETWORK, Addresses, Container, StartError
from ferryman_local.unpack import Image, ImageStore

log = logging.getLogger("ferryman.engine")

KEPT_EXITED = 32
"""Exited containers whose output stays readable; older ones are forgotten."""


class Containers:
    """docker-py's `client.containers`."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._all: OrderedDict[str, Container] = OrderedDict()
        self._lock = threading.Lock()

    def run(
        self,
        image: str,
        command: Sequence[str] | None = None,
        *,
        environment: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        name: str = "container",
        **_docker_only: Any,
    ) -> Container:
        """Pull if needed and start; always detached."""
        pulled = self._engine.images.pull(image)
        wanted = list(command or [])
        argv = [*(pulled.config.get("Entrypoint") or []), *(wanted or pulled.config.get("Cmd") or [])]
        if not argv:
            raise StartError(f"CannotStartContainerError: {image} has no command")
        started = time.monotonic()
        container = Container(
            pulled,
            argv,
            {**(environment or {}), **self._engine.mark},
            name=name,
            labels=labels or {},
            store=self._engine.store,
            addresses=self._engine.addresses,
        )
        with self._lock:
            self._all[container.id] = container
            for old in [c for c in self._all.values() if c.removed]:
                del self._all[old.id]
            exited = [c for c in self._all.values() if c.status == "exited"]
            for old in exited[: max(len(exited) - KEPT_EXITED, 0)]:
                del self._all[old.id]
        log.info("started %s on %s in %.0f ms", name, container.address, (time.monotonic() - started) * 1000)
        return container

    def get(self, container_id: str) -> Any:
        """A container by id, or the emulator itself: it asks for its own host name to learn its address."""
        if container_id == os.environ.get("HOSTNAME", ""):
            return _Self()
        with self._lock:
            return self._all[container_id]

    def list(
        self,
        all: bool = False,  # noqa: A002 - docker-py's name
        filters: dict[str, Any] | None = None,
        **_ignored: Any,
    ) -> "list[Container]":
        """Containers that run, or `all`, that carry the labels of the filter."""
        wanted = dict(item.partition("=")[::2] for item in (filters or {}).get("label", []))
        with self._lock:
            found = [c for c in self._all.values() if not c.removed and (all or c.status == "running")]
        return [c for c in found if all_in(wanted, c.labels)]

    def stop_all(self) -> None:
        """End everything at once, on the emulator's way out."""
        with self._lock:
            running = list(self._all.values())
        for container in running:
            container.kill(signal.SIGKILL)


class _Self:
    attrs: ClassVar[dict[str, Any]] = {"NetworkSettings": {"Networks": {NETWORK: {"IPAddress": "127.0.0.1"}}}}


class Images:
    """docker-py's `client.images`."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def pull(self, reference: str, **_ignored: Any) -> Image:
        """Fetch and unpack."""
        return self._store.pull(reference)

    def get(self, reference: str) -> Image:
        """The registry is always at hand, so a local image is a pulled one."""
        return self._store.pull(reference)

    def get_registry_data(self, reference: str, **_ignored: Any) -> "RegistryData":
        """The digest a reference stands for."""
        return RegistryData(self._store.resolve(reference)[0])


class RegistryData:
    """docker-py's RegistryData: only the digest is asked for."""

    def __init__(self, digest: str) -> None:
        self.id = digest


class Engine:
    """The Docker client look-alike."""

    def __init__(self, port: int, folder: Path, *, mark: dict[str, str], architecture: str = "amd64") -> None:
        self.store = ImageStore(f"http://127.0.0.1:{port}", folder, architecture=architecture)
        self.addresses = Addresses(port)
        self.mark = mark
        self.images = Images(self.store)
        self.containers = Containers(self)

    def ping(self) -> bool:
        """Always there."""
        return True


def all_in(wanted: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether every wanted label is there; an empty value means any."""
    return all(key in labels and (not value or labels[key] == value) for key, value in wanted.items())
