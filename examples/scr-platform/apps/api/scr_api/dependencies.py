"""How the things that the API needs are doing: each looked at side by side, none waited for longer than the limit."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Literal

from pydantic import BaseModel

LIMIT_SECONDS = 2.0

Check = Callable[[], None]
"""Returns when all is well; raises when not."""


class Dependency(BaseModel):
    status: Literal["ok", "unavailable", "not configured"]
    latency_ms: float | None = None
    """How long a healthy answer took."""
    reason: str | None = None


class Checks:
    """Named checks. One that hangs is not started a second time until it has ended: it would only pile up."""

    def __init__(self, checks: Mapping[str, Check | None], limit_seconds: float = LIMIT_SECONDS) -> None:
        self._checks = checks
        self._limit = limit_seconds
        self._lock = Lock()
        self._running: dict[str, Future[float]] = {}

    def run(self) -> dict[str, Dependency]:
        """Within the limit, whatever hangs. None as a check: not configured."""
        futures = {name: self._start(name, check) for name, check in self._checks.items() if check}
        wait(futures.values(), timeout=self._limit)
        return {
            name: self._told(futures[name]) if name in futures else Dependency(status="not configured")
            for name in self._checks
        }

    def _start(self, name: str, check: Check) -> "Future[float]":
        with self._lock:
            running = self._running.get(name)
            if running and not running.done():
                return running
            future: Future[float] = Future()
            self._running[name] = future
        # A thread of its own, that the end of the process does not wait for.
        Thread(target=_time, args=(check, future), name=f"check-{name}", daemon=True).start()
        return future

    def _told(self, future: "Future[float]") -> Dependency:
        if not future.done():
            return Dependency(status="unavailable", reason=f"no answer within {self._limit:g} s")
        if error := future.exception():
            return Dependency(status="unavailable", reason=first_line(error))
        return Dependency(status="ok", latency_ms=round(future.result() * 1000, 1))


def first_line(error: BaseException) -> str:
    """What an error says first; its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _time(check: Check, future: "Future[float]") -> None:
    started = time.perf_counter()
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        future.set_exception(error)
    else:
        future.set_result(time.perf_counter() - started)
