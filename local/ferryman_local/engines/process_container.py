"""One container of the process engine: a child process with its own files. Used by process_engine.py."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ferryman_local.engines.containers import Addresses, StartedContainer, StartError
from ferryman_local.engines.image_store import Image, ImageStore
from ferryman_local.processes import kill_group, spawn


class ProcessContainer(StartedContainer):
    """One child process, with the interface of docker-py's Container."""

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
        container_id = uuid.uuid4().hex + uuid.uuid4().hex
        self.image, self._store, self._addresses = image, store, addresses
        self._files = store.copy(image, container_id[:16])
        self._told_to_stop = threading.Lock()
        super().__init__(container_id, name, labels, addresses.take())
        try:
            self._process = self._start(command, env)
        except BaseException:
            addresses.give_back(self.address)
            store.discard(self._files)
            raise
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
    def exit_code(self) -> int | None:
        """The exit code as Docker reports it: 128 + signal for a killed process."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def stop(self, timeout: float = 10) -> None:
        """Send SIGTERM, once however often it is called, and SIGKILL after the grace period."""
        if self._done.is_set():
            return
        # A second SIGTERM would kill a process that is on its way out: Python no longer handles it by then.
        if self._told_to_stop.acquire(blocking=False):
            kill_group(self._process.pid, signal.SIGTERM)
        if not self._done.wait(timeout):
            kill_group(self._process.pid, signal.SIGKILL)
            self._done.wait(5)

    def remove(self, *, force: bool = False, **_ignored: Any) -> None:
        """Remove it; with `force`, also if it is running."""
        if force:
            self.stop(timeout=0)
        if not self._done.is_set():
            raise RuntimeError(f"container {self.name} is running: stop it first or remove it with force")
        self.removed = True


def _pairs(items: Sequence[str]) -> dict[str, str]:
    return dict(item.partition("=")[::2] for item in items)
