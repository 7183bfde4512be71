"""The process engine: a replacement for the Docker client. Images run as child processes of the emulator.

It does not isolate: a "container" is a process with the image's files, environment and command. It has its own
loopback address (`BIND_ADDRESS`), so that many tasks can listen on one port.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ferryman_local.engines.containers import Addresses, RegistryData, StartedContainers, StartError
from ferryman_local.engines.image_store import Image, ImageStore
from ferryman_local.engines.process_container import ProcessContainer
from ferryman_local.processes import OWNER_VARIABLE

log = logging.getLogger("ferryman.engine")

KEPT_EXITED = 32
"""Number of exited containers whose output stays readable."""


class Containers(StartedContainers[ProcessContainer]):
    """docker-py's `client.containers`."""

    def __init__(self, engine: "ProcessEngine") -> None:
        super().__init__("127.0.0.1")
        self._engine = engine

    def run(
        self,
        image: str,
        command: Sequence[str] | None = None,
        *,
        environment: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        name: str = "container",
        **_docker_only: Any,
    ) -> ProcessContainer:
        """Pull if needed and start; always detached."""
        self._refuse_when_closed()
        pulled = self._engine.images.pull(image)
        wanted = list(command or [])
        argv = [*(pulled.config.get("Entrypoint") or []), *(wanted or pulled.config.get("Cmd") or [])]
        if not argv:
            raise StartError(f"CannotStartContainerError: {image} has no command")
        started = time.monotonic()
        container = ProcessContainer(
            pulled,
            argv,
            {**(environment or {}), **self._engine.mark},
            name=name,
            labels=labels or {},
            store=self._engine.store,
            addresses=self._engine.addresses,
        )
        self._keep(container)
        with self._lock:
            exited = [c for c in self._all.values() if c.status == "exited"]
            for old in exited[: max(len(exited) - KEPT_EXITED, 0)]:
                del self._all[old.id]
        log.info("started %s on %s in %.0f ms", name, container.address, (time.monotonic() - started) * 1000)
        return container


class Images:
    """docker-py's `client.images`."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def pull(self, reference: str, **_ignored: Any) -> Image:
        """Pull and unpack."""
        return self._store.pull(reference)

    def get(self, reference: str) -> Image:
        """Same as pull, because the registry is always available."""
        return self._store.pull(reference)

    def get_registry_data(self, reference: str, **_ignored: Any) -> RegistryData:
        """The digest of a reference."""
        return RegistryData(self._store.resolve(reference)[0])


class ProcessEngine:
    """The replacement for the Docker client."""

    def __init__(self, port: int, folder: Path, *, owner: str, architecture: str = "amd64") -> None:
        self.store = ImageStore(f"http://127.0.0.1:{port}", folder, architecture=architecture)
        self.addresses = Addresses(port)
        self.mark = {OWNER_VARIABLE: owner}
        self.images = Images(self.store)
        self.containers = Containers(self)

    def end(self) -> None:
        """Does nothing: its processes are stopped with all others of this owner."""
