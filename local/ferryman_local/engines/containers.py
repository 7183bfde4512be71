"""The parts of a container that both engines share. The emulator's ECS uses few functions of a Docker client.

Each public name is one of docker-py's, as far as the emulator uses it. Used by process_engine.py and docker_engine.py.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

NETWORK = "ferryman"
LOG_LIMIT = 256 * 1024


class StartError(Exception):
    """The image exists but its command cannot run."""


class Output:
    """What a container wrote: the last LOG_LIMIT bytes, followable while it runs."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def write(self, chunk: bytes) -> None:
        """Append bytes; the oldest ones are dropped when the log gets too long."""
        with self._changed:
            self._data += chunk
            excess = len(self._data) - LOG_LIMIT
            if excess > 0:
                del self._data[:excess]
                self._dropped += excess
            self._changed.notify_all()

    def close(self) -> None:
        """Close the log, so that followers end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def tail(self, lines: int | None) -> bytes:
        """The last lines, or the whole log."""
        with self._changed:
            data = bytes(self._data)
        return data if lines is None else b"".join(data.splitlines(keepends=True)[-lines:])

    def follow(self) -> Iterator[bytes]:
        """Whole lines as they arrive, from the start to the end."""
        position, rest = 0, b""
        while True:
            with self._changed:
                while not self._closed and self._dropped + len(self._data) <= position:
                    self._changed.wait()
                start = max(position - self._dropped, 0)
                fresh = bytes(self._data[start:])
                position = self._dropped + len(self._data)
                ended = self._closed
            head, newline, rest = (rest + fresh).rpartition(b"\n")
            if newline:
                yield head + newline
            if ended and not fresh:
                if rest:
                    yield rest
                return


class Addresses:
    """Assigns loopback addresses, the longest unused first. They depend on the emulator's port, so several can run."""

    def __init__(self, port: int) -> None:
        prefix = f"127.{max(port >> 8, 1)}.{port & 255}"
        self._free = OrderedDict((f"{prefix}.{n}", None) for n in range(2, 255))
        self._lock = threading.Lock()

    def take(self) -> str:
        """Return an unused address."""
        with self._lock:
            if not self._free:
                raise RuntimeError("all 253 loopback addresses are in use; stop some tasks")
            return self._free.popitem(last=False)[0]

    def give_back(self, address: str) -> None:
        """Release an address; it goes to the end of the queue."""
        with self._lock:
            self._free[address] = None


class StartedContainer(ABC):
    """A started container, with the interface of docker-py's Container. Its creator sets `_done` when it ends."""

    def __init__(self, container_id: str, name: str, labels: Mapping[str, str], address: str) -> None:
        self.id, self.name, self.labels, self.address = container_id, name, dict(labels), address
        self.output = Output()
        self.removed = False
        self._done = threading.Event()

    @property
    @abstractmethod
    def exit_code(self) -> int | None:
        """The exit code as Docker reports it: 128 + signal for a killed container, None while it runs."""

    @property
    def status(self) -> str:
        """`running` or `exited`, and only once its output is complete."""
        return "exited" if self._done.is_set() else "running"

    @property
    def attrs(self) -> dict[str, Any]:
        """The output of `docker inspect`, as far as it is used; the address is the one on loopback."""
        return {
            "NetworkSettings": {"Networks": {NETWORK: {"IPAddress": self.address}}},
            "State": {"Status": self.status, "ExitCode": self.exit_code or 0, "Running": self.status == "running"},
            "Config": {"Labels": self.labels},
        }

    def reload(self) -> None:  # noqa: B027 - there is nothing that an engine should do
        """Does nothing, because nothing is cached."""

    def wait(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until it ends; return `{"StatusCode": n}`."""
        if not self._done.wait(timeout):
            raise TimeoutError(f"container {self.name} is still running after {timeout} s")
        return {"StatusCode": self.exit_code or 0}

    def logs(
        self, *, stream: bool = False, follow: bool = False, tail: int | None = None, **_ignored: Any
    ) -> bytes | Iterator[bytes]:
        """Its stdout and stderr, in whole lines if it is followed."""
        return self.output.follow() if stream and follow else self.output.tail(tail)


class StartedContainers[C: StartedContainer]:
    """docker-py's `client.containers`, except for `run`, which each engine implements."""

    def __init__(self, own_address: str) -> None:
        self._own_address = own_address
        self._all: OrderedDict[str, C] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Start no more containers and report no more ends: the scheduler would replace the ended containers."""
        self._closed = True

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StartError("the local AWS is stopping")

    def _keep(self, container: C) -> None:
        with self._lock:
            self._all[container.id] = container
            for old in [c for c in self._all.values() if c.removed]:
                del self._all[old.id]

    def get(self, container_id: str) -> Any:
        """A container by id, or the emulator itself, which looks up its own host name to find its address."""
        if container_id == os.environ.get("HOSTNAME", ""):
            return _Self(self._own_address)
        if self._closed:
            raise KeyError(container_id)
        with self._lock:
            return self._all[container_id]

    def list(
        self,
        all: bool = False,  # noqa: A002 - docker-py's name
        filters: dict[str, Any] | None = None,
        **_ignored: Any,
    ) -> "list[C]":
        """Running containers, or `all`, with the labels of the filter."""
        wanted = dict(item.partition("=")[::2] for item in (filters or {}).get("label", []))
        with self._lock:
            found = [c for c in self._all.values() if not c.removed and (all or c.status == "running")]
        return [c for c in found if _all_in(wanted, c.labels)]


class _Self:
    def __init__(self, address: str) -> None:
        self.attrs = {"NetworkSettings": {"Networks": {NETWORK: {"IPAddress": address}}}}


class RegistryData:
    """docker-py's RegistryData; only the digest is used."""

    def __init__(self, digest: str) -> None:
        self.id = digest


def _all_in(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all wanted labels exist; an empty value means any value."""
    return all(key in labels and (not value or labels[key] == value) for key, value in wanted.items())
