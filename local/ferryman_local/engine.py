"""The process engine: what the emulator takes for a Docker client. Images run as child processes of the emulator.

The emulator's ECS asks a Docker client for few things; each public name here is one of them. Isolation is not the
aim: a "container" is a process with the image's files, environment and command, and a loopback address of its own
(`BIND_ADDRESS`), so that many tasks can listen on one port.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ferryman_local.processes import kill_group, spawn
from ferryman_local.unpack import Image, ImageStore

log = logging.getLogger("ferryman.engine")

NETWORK = "ferryman"
LOG_LIMIT = 256 * 1024
KEPT_EXITED = 32
"""Exited containers whose output stays readable; older ones are forgotten."""


class Output:
    """What a container wrote: the last LOG_LIMIT bytes, followable while it runs."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def write(self, chunk: bytes) -> None:
        """Append; the oldest bytes go when it gets too long."""
        with self._changed:
            self._data += chunk
            excess = len(self._data) - LOG_LIMIT
            if excess > 0:
                del self._data[:excess]
                self._dropped += excess
            self._changed.notify_all()

    def close(self) -> None:
        """No more is coming: followers end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def tail(self, lines: int | None) -> bytes:
        """The last lines, or all that is kept."""
        with self._changed:
            data = bytes(self._data)
        return data if lines is None else b"".join(data.splitlines(keepends=True)[-lines:])

    def follow(self) -> Iterator[bytes]:
        """Whole lines as they come, from the start to the end."""
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
    """Hands out loopback addresses, the longest unused first. The emulator's port is in them: several can run."""

    def __init__(self, port: int) -> None:
        prefix = f"127.{max(port >> 8, 1)}.{port & 255}"
        self._free = OrderedDict((f"{prefix}.{n}", None) for n in range(2, 255))
        self._lock = threading.Lock()

    def take(self) -> str:
        """An address that nothing uses."""
        with self._lock:
            if not self._free:
                raise RuntimeError("all 253 loopback addresses are in use: stop some tasks")
            return self._free.popitem(last=False)[0]

    def give_back(self, address: str) -> None:
        """It is free again; it goes to the end of the queue."""
        with self._lock:
            self._free[address] = None


class Container:
    """One child process, as docker-py's Container shows it."""

    def __init__(self, engine: "Engine", image: Image, command: Sequence[str], env: dict[str, str],
                 labels: dict[str, str], name: str) -> None:
        self.id = uuid.uuid4().hex + uuid.uuid4().hex
        self.name, self.image, self.labels = name, image, labels
        self.output = Output()
        self._engine = engine
        self._files = engine.store.copy(image, self.id[:16])
        self.address = engine.addresses.take()
        try:
            self._process = self._start(command, env)
        except BaseException:
            engine.addresses.give_back(self.address)
            engine.store.discard(self._files)
            raise
        self._done = threading.Event()
        threading.Thread(target=self._pump, name=f"ferryman-log-{name}", daemon=True).start()

    def _start(self, command: Sequence[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        inside = self.image.config.get("WorkingDir") or "/"
        workdir = self._files / inside.lstrip("/")
        workdir.mkdir(parents=True, exist_ok=True)
        tools = str(Path(sys.executable).parent)
        full = {
            "HOME": str(self._files), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
            "HOSTNAME": self.id[:12], **_pairs(self.image.config.get("Env") or []), **env,
        }
        full["PATH"] = os.pathsep.join([tools, "/usr/local/bin", "/usr/bin", "/bin"])
        full["PYTHONPATH"] = str(workdir)
        full["BIND_ADDRESS"] = self.address
        full.update(self._engine.mark)
        if shutil.which(command[0], path=full["PATH"]) is None and not (workdir / command[0]).exists():
            raise StartError(f'CannotStartContainerError: exec: "{command[0]}": executable file not found in $PATH')
        return spawn(command, env=full, cwd=workdir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _pump(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        reader = threading.Thread(target=self._read, args=(pipe.fileno(),), daemon=True)
        reader.start()
        self._process.wait()
        kill_group(self._process.pid, signal.SIGKILL)  # what it left behind goes with it, as in a container
        reader.join(timeout=1.0)
        self.output.close()
        self._engine.store.discard(self._files)
        self._engine.addresses.give_back(self.address)
        self._done.set()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while chunk := os.read(descriptor, 65536):
                self.output.write(chunk)

    @property
    def status(self) -> str:
        """`running` or `exited`, and only once its output is complete."""
        return "exited" if self._done.is_set() else "running"

    @property
    def exit_code(self) -> int | None:
        """As Docker reports it: 128 + signal for a killed process."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    @property
    def attrs(self) -> dict[str, Any]:
        """What `docker inspect` shows, as far as it is read."""
        return {
            "NetworkSettings": {"Networks": {NETWORK: {"IPAddress": self.address}}},
            "State": {"Status": self.status, "ExitCode": self.exit_code or 0, "Running": self.status == "running"},
            "Config": {"Labels": self.labels},
        }

    def reload(self) -> None:
        """Nothing is cached here."""

    def wait(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait for its end; answers `{"StatusCode": n}`."""
        if not self._done.wait(timeout):
            raise TimeoutError(f"container {self.name} still runs after {timeout} s")
        return {"StatusCode": self.exit_code or 0}

    def logs(self, *, stream: bool = False, follow: bool = False, tail: int | None = None,
             **_ignored: Any) -> bytes | Iterator[bytes]:
        """What it wrote to stdout and stderr."""
        return self.output.follow() if stream and follow else self.output.tail(tail)

    def stop(self, timeout: float = 10) -> None:
        """SIGTERM, and SIGKILL after the grace time."""
        if self._done.is_set():
            return
        kill_group(self._process.pid, signal.SIGTERM)
        if not self._done.wait(timeout):
            kill_group(self._process.pid, signal.SIGKILL)
            self._done.wait(5)

    def kill(self, signal: int = signal.SIGKILL) -> None:  # noqa: A002 - docker-py's name
        """Send a signal to everything in it."""
        kill_group(self._process.pid, signal)

    def remove(self, *, force: bool = False, v: bool = False) -> None:
        """Forget it; with `force` also when it runs."""
        if force:
            self.stop(timeout=0)
        if not self._done.is_set():
            raise RuntimeError(f"container {self.name} is running: stop it first or remove it with force")
        self._engine.containers.forget(self)


class StartError(Exception):
    """The image is there but its command cannot run."""


class Containers:
    """docker-py's `client.containers`."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._all: OrderedDict[str, Container] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, image: str, command: Sequence[str] | None = None, *, environment: dict[str, str] | None = None,
            labels: dict[str, str] | None = None, name: str = "container", **_docker_only: Any) -> Container:
        """Pull if needed and start; always detached."""
        pulled = self._engine.images.pull(image)
        wanted = list(command or [])
        argv = [*(pulled.config.get("Entrypoint") or []), *(wanted or pulled.config.get("Cmd") or [])]
        if not argv:
            raise StartError(f"CannotStartContainerError: {image} has no command")
        started = time.monotonic()
        container = Container(self._engine, pulled, argv, dict(environment or {}), dict(labels or {}), name)
        with self._lock:
            self._all[container.id] = container
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

    def list(self, all: bool = False, filters: dict[str, Any] | None = None,  # noqa: A002 - docker-py's name
             **_ignored: Any) -> "list[Container]":
        """Containers that run, or `all`, that carry the labels of the filter."""
        wanted = dict(item.partition("=")[::2] for item in (filters or {}).get("label", []))
        with self._lock:
            found = [c for c in self._all.values() if all or c.status == "running"]
        return [c for c in found if all_in(wanted, c.labels)]

    def forget(self, container: Container) -> None:
        """Drop a removed one."""
        with self._lock:
            self._all.pop(container.id, None)

    def stop_all(self) -> None:
        """End everything at once, on the emulator's way out."""
        with self._lock:
            running = list(self._all.values())
        for container in running:
            container.kill(signal.SIGKILL)


class _Self:
    attrs = {"NetworkSettings": {"Networks": {NETWORK: {"IPAddress": "127.0.0.1"}}}}


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


def _pairs(items: Sequence[str]) -> dict[str, str]:
    return dict(item.partition("=")[::2] for item in items)


def all_in(wanted: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether every wanted label is there; an empty value means any."""
    return all(key in labels and (not value or labels[key] == value) for key, value in wanted.items())
