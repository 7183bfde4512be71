"""One container of the process engine: its output, its loopback address and its process. Used by engine.py."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ferryman_local.processes import kill_group, spawn
from ferryman_local.unpack import Image, ImageStore

NETWORK = "ferryman"
LOG_LIMIT = 256 * 1024


class StartError(Exception):
    """The image is there but its command cannot run."""


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

    def __init__(
        self,
        image: Image,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        name: str,
        labels: Mapping[str, str],
        store: ImageStore,
        addresses: Addresses,
    ) -> None:
        self.id = uuid.uuid4().hex + uuid.uuid4().hex
        self.name, self.image, self.labels = name, image, dict(labels)
        self.output = Output()
        self.removed = False
        self._store, self._addresses = store, addresses
        self._files = store.copy(image, self.id[:16])
        self.address = addresses.take()
        try:
            self._process = self._start(command, env)
        except BaseException:
            addresses.give_back(self.address)
            store.discard(self._files)
            raise
        self._done = threading.Event()
        threading.Thread(target=self._pump, name=f"ferryman-log-{name}", daemon=True).start()

    def _start(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        inside = self.image.config.get("WorkingDir") or "/"
        workdir = self._files / inside.lstrip("/")
        workdir.mkdir(parents=True, exist_ok=True)
        tools = str(Path(sys.executable).parent)
        full = {
            "HOME": str(self._files),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOSTNAME": self.id[:12],
            **_pairs(self.image.config.get("Env") or []),
            **env,
        }
        full["PATH"] = os.pathsep.join([tools, "/usr/local/bin", "/usr/bin", "/bin"])
        full["PYTHONPATH"] = str(workdir)
        full["BIND_ADDRESS"] = self.address
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
        reader.join(timeout=10.0)
        self.output.close()
        self._store.discard(self._files)
        self._addresses.give_back(self.address)
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

    def logs(
        self, *, stream: bool = False, follow: bool = False, tail: int | None = None, **_ignored: Any
    ) -> bytes | Iterator[bytes]:
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

    def kill(self, signal: int = signal.SIGKILL) -> None:
        """Send a signal to everything in it."""
        kill_group(self._process.pid, signal)

    def remove(self, *, force: bool = False, **_ignored: Any) -> None:
        """Forget it; with `force` also when it runs."""
        if force:
            self.stop(timeout=0)
        if not self._done.is_set():
            raise RuntimeError(f"container {self.name} is running: stop it first or remove it with force")
        self.removed = True


def _pairs(items: Sequence[str]) -> dict[str, str]:
    return dict(item.partition("=")[::2] for item in items)
