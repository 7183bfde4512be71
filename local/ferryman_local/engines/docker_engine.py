"""The Docker engine of the local AWS: docker-py's client with the features that ECS adds. Used by the emulator's ECS.

It has the interface of `ProcessEngine`, which runs images as processes. Each container runs on this emulator's own
network, reaches the emulator as `host.docker.internal`, and has its ports published on a loopback address.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import docker.errors  # type: ignore[import-untyped, unused-ignore]

from ferryman_local.engines import docker_client
from ferryman_local.engines.bridge import bridge_address
from ferryman_local.engines.containers import Addresses, RegistryData, StartedContainers, StartError
from ferryman_local.engines.docker_container import DockerContainer, PulledImage
from ferryman_local.engines.image_store import ImageStore, PullError, split_reference
from ferryman_local.engines.tcp_relay import TcpRelay

log = logging.getLogger("ferryman.engine")

OUTSIDE = "host.docker.internal"
"""The host name at which a container reaches this machine and thus the emulator."""


class Containers(StartedContainers[DockerContainer]):
    """docker-py's `client.containers`."""

    def __init__(self, engine: "DockerEngine") -> None:
        # Containers reach the emulator by name, so its address is none: that is what the emulator makes OUTSIDE of.
        super().__init__("")
        self._engine = engine

    def run(
        self,
        image: str,
        command: Sequence[str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        name: str = "container",
        read_only: bool = False,
        tmpfs: Mapping[str, str] | None = None,
        init: bool = False,
        **_theirs: Any,
    ) -> DockerContainer:
        """Pull if needed and start; always detached. Network and ports are set here and ignore the caller's."""
        self._refuse_when_closed()
        engine, started = self._engine, time.monotonic()
        pulled = engine.images.pull(image)
        address = engine.addresses.take()
        try:
            raw = self._start(
                pulled.raw.id,
                command=list(command) if command else None,
                environment=dict(environment or {}),
                labels={**(labels or {}), **engine.mark},
                name=name,
                network=engine.network,
                extra_hosts={OUTSIDE: engine.gateway},
                ports={f"{port}/tcp": (address, port) for port in pulled.ports},
                read_only=read_only,
                tmpfs=dict(tmpfs or {}),
                init=init,
            )
        except BaseException:
            engine.addresses.give_back(address)
            raise
        container = DockerContainer(raw, pulled, address, lambda: engine.addresses.give_back(address))
        self._keep(container)
        log.info("started %s on %s in %.0f ms", name, address, (time.monotonic() - started) * 1000)
        return container

    def _start(self, image: str, **settings: Any) -> Any:
        raw = None
        try:
            raw = self._engine.client.containers.create(image, **settings)
            raw.start()
        except docker.errors.APIError as error:
            if raw is not None:
                raw.remove(force=True, v=True)
            raise StartError(f"CannotStartContainerError: {error.explanation or error}") from error
        return raw


class Images:
    """docker-py's `client.images`."""

    def __init__(self, client: Any, store: ImageStore, registry: str) -> None:
        self._client, self._store, self._registry = client, store, registry

    def pull(self, reference: str, **_ignored: Any) -> PulledImage:
        """Pull it from the emulator's registry; raise PullError if that fails."""
        digest, platform_digest, _ = self._store.resolve(reference)
        repository, _ = split_reference(reference)
        try:
            # The registry is always ours, whatever host is named. By digest: a tag may move between look and pull.
            raw = self._client.images.pull(f"{self._registry}/{repository}", tag=digest)
        except docker.errors.APIError as error:
            raise PullError(f"{reference}: {error.explanation or error}") from None
        return PulledImage(reference, platform_digest, raw)

    def get(self, reference: str) -> PulledImage:
        """Same as pull, because the registry is always available."""
        return self.pull(reference)

    def get_registry_data(self, reference: str, **_ignored: Any) -> RegistryData:
        """The digest of a reference."""
        return RegistryData(self._store.resolve(reference)[0])


class DockerEngine:
    """The Docker client of this emulator."""

    def __init__(self, port: int, folder: Path, *, owner: str, host: str, architecture: str = "amd64") -> None:
        self.client = docker_client.connect(host)
        self.mark, self._owner, self._registry = docker_client.mark(owner), owner, f"localhost:{port}"
        self.addresses = Addresses(port)
        # The owner is in the name, because a killed emulator's network may still be there.
        made = self.client.networks.create(f"ferryman-{port}-{owner[:6]}", driver="bridge", labels=self.mark)
        made.reload()
        self.network = made.name
        inside = bridge_address(made.attrs)
        self._relay = TcpRelay.listening(inside, port, ("127.0.0.1", port)) if inside else None
        # Where the bridge's address is not this machine's (Docker Desktop), Docker itself knows the way.
        self.gateway = inside if inside and self._relay else "host-gateway"
        store = ImageStore(f"http://127.0.0.1:{port}", folder, architecture=architecture)
        self.images = Images(self.client, store, self._registry)
        self.containers = Containers(self)

    def end(self) -> None:
        """Remove everything that this emulator created."""
        if self._relay:
            self._relay.stop()
        docker_client.remove_all(self.client, self._owner, self._registry)
