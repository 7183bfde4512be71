"""How events reach functions: rules, the schedule, asynchronous invocations. Queues and the stream: `queues`.

Each delivery can be lost, doubled or late, and each failure comes again as AWS would have it come again.
"""

from typing import Any

from simulation.choices import Choices
from simulation.queues import Dead, Invoke
from simulation.scheduler import Scheduler

ASYNC_PAUSES = (60.0, 120.0)
"""Seconds before Lambda tries a failed asynchronous invocation again: twice."""
DELIVERIES = ("once", "lost", "twice", "late")


class Delivery:
    """Everything between AWS's services and the functions."""

    def __init__(self, scheduler: Scheduler, choices: Choices, invoke: Invoke, chance: float, dead: Dead) -> None:
        """`dead`: takes what was given up."""
        self._scheduler, self._choices, self._invoke, self._chance = scheduler, choices, invoke, chance
        self._dead = dead

    # ── events and asynchronous invocations ──

    def event(self, function: str, payload: Any, about: str) -> None:
        """Have a rule invoke a function. At least once where it is not lost, in any order."""
        how = self._choices.pick(f"event {about} to {function}", DELIVERIES, self._chance)
        for delay in {"once": [0.5], "lost": [], "twice": [0.5, 0.6], "late": [90.0]}[how]:
            self._scheduler.after(delay, lambda: self.asynchronously(function, payload))

    def asynchronously(self, function: str, payload: Any) -> None:
        """Invoke a function asynchronously; a failure is tried again twice."""
        self._scheduler.spawn(lambda: self._tries(function, payload))

    def _tries(self, function: str, payload: Any) -> None:
        for pause in (*ASYNC_PAUSES, None):
            future = self._invoke(function, payload)
            self._scheduler.wait(future)
            if future.error is None:
                return
            if pause is not None:
                self._scheduler.sleep(pause)
        self._dead.append((function, payload))
