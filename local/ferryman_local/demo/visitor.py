"""A client that requests a page continuously and records the responses, used during a rollout.

Over loopback, at most a few requests at once, and for a bounded time. Each request has its own connection, like
requests of different people, and is never retried: a failure counts.
"""

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from ferryman_local.demo.observe import version_in

EVERY_SECONDS = 0.1
AT_ONCE = 4
MOST_SECONDS = 640.0
"""Longer than the timeout of a deployment."""
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """One request: its start (seconds since the visitor's start), its duration, and its result."""

    at: float
    seconds: float
    version: str = ""
    """The version that the page shows; empty if the request failed."""
    problem: str = ""


@dataclass
class Visit:
    """The requests of a visitor and their results."""

    answers: list[Answer] = field(default_factory=list)
    late: int = 0
    """Number of requests that were skipped because too many were running."""

    @property
    def failures(self) -> list[Answer]:
        """The failed requests."""
        return [answer for answer in self.answers if answer.problem]

    @property
    def versions(self) -> list[str]:
        """Versions in the order in which they were first seen."""
        return list(dict.fromkeys(a.version for a in sorted(self.answers, key=lambda a: a.at) if a.version))

    def quantile(self, share: float) -> float:
        """Seconds within which this share of the requests got a response."""
        taken = sorted(answer.seconds for answer in self.answers)
        return taken[max(math.ceil(share * len(taken)) - 1, 0)] if taken else math.nan

    def first(self, version: str) -> float:
        """When a version was first seen, in seconds since the start."""
        return min(answer.at + answer.seconds for answer in self.answers if answer.version == version)

    def last(self, version: str) -> float:
        """When a version was last seen, in seconds since the start."""
        return max(answer.at + answer.seconds for answer in self.answers if answer.version == version)

    def told(self) -> str:
        """A summary in one line."""
        seen = ", then ".join(f"{v} ({self.first(v):.1f} s to {self.last(v):.1f} s)" for v in self.versions)
        late = f", {self.late} left out" if self.late else ""
        return (
            f"{len(self.answers)} requests, {len(self.failures)} failed{late}; p50 {self.quantile(0.5) * 1000:.0f} ms, "
            f"p99 {self.quantile(0.99) * 1000:.0f} ms; saw {seen or 'no page'}"
        )


class Visitor:
    """Requests one URL repeatedly from the start of the `with` block to its end."""

    def __init__(self, url: str) -> None:
        self._url, self.visit = url.rstrip("/") + "/", Visit()
        self._end = threading.Event()
        self._room = threading.Semaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._ask_on, name="visitor", daemon=True)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(_TIMEOUT + 5)

    def _ask_on(self) -> None:
        following = self._began
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not self._end.wait(max(following - time.monotonic(), 0.0)):
                following += EVERY_SECONDS
                if time.monotonic() - self._began > MOST_SECONDS:
                    return
                if self._room.acquire(blocking=False):
                    pool.submit(self._ask)
                else:
                    self.visit.late += 1

    def _ask(self) -> None:
        began = time.monotonic()
        version, problem = "", "the response was cut off"
        try:
            answer = httpx.get(self._url, timeout=_TIMEOUT, trust_env=False, headers={"Connection": "close"})
            version = version_in(answer.text) if answer.status_code == 200 else ""
            problem = "" if version else f"HTTP {answer.status_code}: {answer.text[:100]}"
        except Exception as error:  # noqa: BLE001 - whatever it is, this visitor saw no page
            version, problem = "", f"{type(error).__name__}: {error}"
        finally:
            self.visit.answers.append(Answer(began - self._began, time.monotonic() - began, version, problem))
            self._room.release()
