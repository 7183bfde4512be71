"""One container of the Docker engine, with the interface that the emulator's ECS expects. Used by docker_engine.py.

Docker publishes its ports on its own loopback address. The emulator's load balancer and health checks reach it there;
other machines cannot.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker.errors  # type: ignore[import-untyped, unused-ignore]

from ferryman_local.engines.containers import StartedContainer

LAST_WORDS_SECONDS = 5.0
"""Seconds that Docker may take to deliver the rest of the log of an ended container."""
LOST = 137
"""Exit code of a container that disappeared without one: it was killed and removed."""


@dataclass(frozen=True)
class PulledImage:
    """An image in the engine. `platform_digest` is the manifest that runs, an index's child."""

    reference: str
    platform_digest: str
    raw: Any
    """docker-py's Image."""

    @property
    def id(self) -> str:
        """The id in Docker."""
        return str(self.raw.id)

    @property
    def ports(self) -> list[int]:
        """The exposed TCP ports."""
        exposed = (self.raw.attrs.get("Config") or {}).get("ExposedPorts") or {}
        return [int(port.partition("/")[0]) for port in exposed if port.partition("/")[2] in ("", "tcp")]

    def tag(self, repository: str, **_ignored: Any) -> bool:
        """Docker's re-tag after a pull; does nothing, because names are looked up in the registry each time."""
        return bool(repository)


class DockerContainer(StartedContainer):
    """A started container. One thread waits for its end and one reads its log, so that nothing polls Docker."""

    def __init__(self, raw: Any, image: PulledImage, address: str, ended: Callable[[], None]) -> None:
        super().__init__(str(raw.id), str(raw.name), raw.labels or {}, address)
        self.image, self._raw, self._ended = image, raw, ended
        self._code: int | None = None
        self._log_read = threading.Event()
        self._log_lock, self._log_bytes, self._log_cut = threading.Lock(), 0, False
        for work in (self._read, self._watch):
            threading.Thread(target=work, name=f"ferryman-{work.__name__}-{self.name}", daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(Exception):  # whatever breaks the stream, this was its log
            for chunk in self._raw.logs(stream=True, follow=True, stdout=True, stderr=True):
                with self._log_lock:
                    if self._log_cut:
                        return
                    self._log_bytes += len(chunk)
                    self.output.write(chunk)
        self._log_read.set()

    def _read_rest(self) -> None:
        """Read the missing end of a followed log: Docker may close it before the last bytes of an ended container."""
        with self._log_lock, contextlib.suppress(Exception):  # the container may be gone
            self._log_cut = True
            whole: bytes = self._raw.logs(stdout=True, stderr=True)
            self.output.write(whole[self._log_bytes :])

    def _watch(self) -> None:
        while self._code is None:
            try:
                self._code = int(self._raw.wait()["StatusCode"])
            except docker.errors.NotFound:
                self._code = LOST
            except Exception:  # noqa: BLE001 - the engine restarts, a connection breaks: that is no end of the container
                time.sleep(0.5)
        self._log_read.wait(LAST_WORDS_SECONDS)
        self._read_rest()
        self.output.close()
        self._done.set()
        self._ended()

    @property
    def exit_code(self) -> int | None:
        """As Docker reports it."""
        return self._code

    def stop(self, timeout: float = 10) -> None:
        """Send SIGTERM, and SIGKILL after the grace period."""
        if self._done.is_set():
            return
        with contextlib.suppress(docker.errors.APIError):
            self._raw.stop(timeout=int(timeout))
        self._done.wait(5)

    def remove(self, *, force: bool = False, v: bool = True, **_ignored: Any) -> None:
        """Remove it; with `force`, also if it is running."""
        with contextlib.suppress(docker.errors.NotFound):
            self._raw.remove(v=v, force=force)
        self.removed = True
