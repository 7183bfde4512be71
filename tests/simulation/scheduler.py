"""Virtual time and coroutines: everything that happens is one thing after the other, in an order that a seed decides.

An actor is a greenlet. It runs until it waits (for a time, or for a future) and gives the turn to the scheduler, which
goes on with whatever is next. So two handlers interleave at each of their calls, without threads.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""A Monday morning."""


class Future:
    """What an actor will have done: a value or an error, once."""

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self._waiting: list[Callable[[], None]] = []

    def set(self, value: Any = None, error: BaseException | None = None) -> None:
        """Say how it ended; what comes later changes nothing."""
        if self.done:
            return
        self.done, self.value, self.error = True, value, error
        for wake in self._waiting:
            wake()

    def when_done(self, wake: Callable[[], None]) -> None:
        """Call when it is done, or at once."""
        if self.done:
            wake()
        else:
            self._waiting.append(wake)

    def result(self) -> Any:
        """Return the value or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


class Scheduler:
    """The one clock, and what is due when."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._hub = getcurrent()

    def now(self) -> datetime:
        """Return the present."""
        return BEGINNING + timedelta(seconds=self.seconds)

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something later. What is due at the same moment happens in the order in which it was said."""
        self._count += 1
        heapq.heappush(self._due, (self.seconds + seconds, self._count, do))

    def spawn(self, work: Callable[[], Any], *, delay: float = 0.0) -> Future:
        """Have an actor work; return what it will have done."""
        future = Future()

        def body() -> None:
            try:
                value = work()
            except BaseException as error:
                future.set(error=error)
            else:
                future.set(value)

        actor = greenlet(body, parent=self._hub)
        self.after(delay, actor.switch)
        return future

    def sleep(self, seconds: float) -> None:
        """Let the others go on meanwhile. Called by actors."""
        self.after(seconds, getcurrent().switch)
        self._hub.switch()

    def wait(self, future: Future, timeout: float | None = None) -> bool:
        """Wait until a future is done; return False when it was not in time. Called by actors."""
        actor, woken = getcurrent(), [False]

        def wake() -> None:
            if not woken[0]:
                woken[0] = True
                self.after(0, actor.switch)

        future.when_done(wake)
        if timeout is not None and not future.done:
            self.after(timeout, wake)
        self._hub.switch()
        return future.done

    def step(self) -> bool:
        """Do the next thing; False when there is nothing left."""
        if not self._due:
            return False
        at, _, do = heapq.heappop(self._due)
        self.seconds = max(self.seconds, at)
        do()
        return True

    def next_at(self) -> float:
        """Return when the next thing is due, in seconds since the beginning."""
        return self._due[0][0] if self._due else float("inf")
