"""Faults and recorded requests: the part of the proxy that tests use."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ferryman_local.proxy.answers import Transform
from ferryman_local.proxy.identify import Call

type FaultKind = Literal["lost_response", "throttle", "stale", "delay", "timeout", "error"]
type Match = Callable[[dict[str, Any]], bool]
type Key = tuple[str, str, bytes]

_REMEMBERED = 512  # answers kept for `stale`
_KEPT = 50_000  # requests kept


@dataclass(eq=False)
class Request:
    """One request to the proxy. `status` is None while it runs, and if it got no response."""

    service: str
    action: str
    access_key: str
    method: str
    path: str
    arguments: dict[str, Any]
    user_agent: str = ""
    at: float = 0.0  # time.monotonic()
    status: int | None = None  # as the client saw it, or as it would have: a lost response has one
    error: str = ""  # code of AWS's own refusal, where the answer tells one
    forwarded: bool = False  # the emulator got it
    done: bool = False  # a moment after the client has its answer
    faults: tuple[FaultKind, ...] = ()


@dataclass(eq=False)
class Fault:
    """The handle of a fault: how often it applied (`hits`), and how to end it (`remove`)."""

    kind: FaultKind
    service: str
    action: str
    times: int | None
    seconds: float
    lasting: float | None  # seconds from the first hit
    match: Match | None
    status: int | None
    code: str
    message: str
    transform: Transform | None
    forward: bool
    answers: dict[Key, bytes] = field(default_factory=dict, repr=False)
    hits: int = 0
    first_hit_at: float = 0.0  # time.monotonic()
    removed: bool = False

    def remove(self) -> None:
        """End the fault."""
        self.removed = True

    def strikes(self, call: Call, key: Key) -> bool:
        return (
            not self.removed
            and (self.times is None or self.hits < self.times)
            and not self._over()
            and self.service in ("*", call.service)
            and self.action in ("*", call.action)
            and (self.match is None or self.match(call.arguments))
            # Without an earlier answer there is nothing stale to tell.
            and (self.kind != "stale" or self.transform is not None or key in self.answers)
        )

    def hit(self) -> None:
        self.first_hit_at = self.first_hit_at or time.monotonic()
        self.hits += 1

    def _over(self) -> bool:
        return self.lasting is not None and self.hits > 0 and time.monotonic() > self.first_hit_at + self.lasting


class Book:
    """Active faults, recorded requests and stored responses. Thread-safe: tests and the proxy's loop share it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._faults: list[Fault] = []
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self._answers: OrderedDict[Key, bytes] = OrderedDict()

    def arm(self, fault: Fault) -> Fault:
        with self._changed:
            if fault.kind == "stale":
                fault.answers = dict(self._answers)
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._changed:
            self._faults.clear()

    def open(self, request: Request, call: Call, key: Key) -> list[Fault]:
        """Record a request; return its faults: any delays and at most one other fault, in the order of creation."""
        struck: list[Fault] = []
        with self._changed:
            for fault in self._faults:
                if fault.strikes(call, key):
                    fault.hit()
                    struck.append(fault)
                    if fault.kind != "delay":
                        break
            request.faults = tuple(fault.kind for fault in struck)
            self._requests.append(request)
            self._changed.notify_all()
        return struck

    def close(self, request: Request) -> None:
        """Mark the request as ended."""
        with self._changed:
            request.done = True
            self._changed.notify_all()

    def remember(self, key: Key, answer: bytes) -> None:
        with self._changed:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)

    @property
    def requests(self) -> list[Request]:
        with self._changed:
            return list(self._requests)

    def forget_requests(self) -> None:
        with self._changed:
            self._requests.clear()

    def wait_for(self, predicate: Callable[[Request], bool], timeout: float) -> Request:
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for request in self._requests:
                    if predicate(request):
                        return request
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no such request within {timeout} s among {len(self._requests)}")
                self._changed.wait(left)
