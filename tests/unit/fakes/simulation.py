"""Several runs of the operator at the same time, without a race: one goes on at a time, until it waits."""

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from unit.fakes.clock import FakeClock


class Killed(BaseException):
    """A Lambda died: nothing in the code may catch it."""


class Simulation:
    """A clock that moves from one wake-up to the next. The order of what happens depends on `seed` only."""

    def __init__(self, clock: FakeClock, seed: int = 0) -> None:
        self.clock, self.random = clock, random.Random(seed)
        self._tasks: list[_Task] = []
        self._current: _Task | None = None

    def start(self, at: datetime, work: Callable[[], Any]) -> None:
        self._tasks.append(_Task(at, work, threading.Semaphore(0), threading.Semaphore(0)))

    def sleep(self, seconds: float) -> None:
        """Let the others go on for some time."""
        task = self._current
        assert task is not None
        task.wakes = self.clock() + timedelta(seconds=seconds)
        task.waits.release()
        task.goes_on.acquire()

    def run(self) -> None:
        """Run everything to its end."""
        while self._tasks:
            task = min(self._tasks, key=lambda each: (each.wakes, self.random.random()))
            self.clock.at = max(self.clock.at, task.wakes)
            self._current = task
            task.go_on()
            if task.done:
                self._tasks.remove(task)
            if task.failure is not None:
                raise task.failure


class _Task:
    def __init__(
        self, wakes: datetime, work: Callable[[], Any], goes_on: threading.Semaphore, waits: threading.Semaphore
    ) -> None:
        self.wakes, self.goes_on, self.waits = wakes, goes_on, waits
        self.done = False
        self.failure: Exception | None = None
        self._work = work
        self._thread: threading.Thread | None = None

    def go_on(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self.goes_on.release()
        self.waits.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except Killed:
            pass
        except Exception as error:
            self.failure = error
        self.done = True
        self.waits.release()


class SlowTable:
    """A DynamoDB client whose every call takes a moment, in which others go on."""

    def __init__(self, dynamodb: Any, simulation: Simulation) -> None:
        self._dynamodb, self._simulation = dynamodb, simulation

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self._simulation.sleep(self._simulation.random.uniform(0.003, 0.03))
            return getattr(self._dynamodb, name)(**arguments)

        return call
