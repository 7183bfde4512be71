"""What comes with time: sweeps, notify's own schedule, and TTL. Looks in vain are left out or come more seldom."""

from typing import Any

from simulation.aws.table import Table
from simulation.choices import Choices
from simulation.delivery import Delivery
from simulation.scheduler import Scheduler

Item = dict[str, Any]
SWEEP_EVERY = 300.0
"""Seconds: the template's SweepRate."""
SELDOM = 1800.0
"""Seconds between sweeps in the end, while nothing changes."""
NOTIFY_EVERY = 60.0
"""Seconds: the template's rate of notify's schedule."""
EXPIRES_EVERY, EXPIRES = 600.0, 0.3
"""Seconds between the moments at which TTL may delete items, and how likely it does."""
BOOKKEEPING = frozenset({"health", "listed", "reconciledAt", "rev"})
"""What reconcile writes with each look at an environment, also when there was nothing to do."""
LOOKS = "LOOK"
"""Partition of what a sweep has queued, and when each look was made."""


def bookkeeping(before: Item | None, after: Item | None) -> bool:
    """Tell whether a write changes nothing else."""
    if (after or before or {})["pk"]["S"] == LOOKS:
        return True
    if before is None or after is None or before.keys() != after.keys():
        return False
    return all(name in BOOKKEEPING or before[name] == value for name, value in after.items())


class Schedules:
    """The clock's part."""

    def __init__(self, scheduler: Scheduler, choices: Choices, delivery: Delivery, table: Table) -> None:
        self._scheduler, self._choices, self._delivery, self._table = scheduler, choices, delivery, table
        self.changed_at = 0.0
        """When the table was changed last, but for bookkeeping."""
        self._unsent: set[tuple[str, str]] = set()
        self._sweep_due, self._pause = 0.0, SWEEP_EVERY
        self._plan_sweep(SWEEP_EVERY)
        scheduler.after(NOTIFY_EVERY, self._send_what_waits)
        scheduler.after(EXPIRES_EVERY, self._expire)

    def _expire(self) -> None:
        """Have TTL delete what has expired, or do so later."""
        if self._choices.pick("expiry", ("later", "now"), EXPIRES) == "now":
            self._table.expire(self._scheduler.now().timestamp())
        self._scheduler.after(EXPIRES_EVERY, self._expire)

    def written(self, before: Item | None, after: Item | None) -> None:
        """Take a change of the table."""
        found = after or before or {}
        key = (found["pk"]["S"], found["sk"]["S"])
        if after is not None and "pending" in after:
            self._unsent.add(key)
        else:
            self._unsent.discard(key)
        if bookkeeping(before, after):
            return
        self.changed_at, self._pause = self._scheduler.seconds, SWEEP_EVERY
        if self._sweep_due > self._scheduler.seconds + SWEEP_EVERY:
            self._plan_sweep(SWEEP_EVERY)

    def _send_what_waits(self) -> None:
        """Have notify's own schedule run; a run with nothing to send changes nothing, and is left out."""
        if self._unsent:
            self._delivery.event("Notify", {"sweep": True}, "schedule")
        self._scheduler.after(NOTIFY_EVERY, self._send_what_waits)

    def _plan_sweep(self, pause: float) -> None:
        due = self._sweep_due = self._scheduler.seconds + pause
        self._scheduler.after(pause, lambda: self._sweep(due))

    def _sweep(self, due: float) -> None:
        """Have reconcile's schedule run; more and more seldom when nothing fails any more and nothing changes."""
        if due != self._sweep_due:
            return  # Something changed since, and there was an earlier one.
        self._delivery.event("Reconcile", {"sweep": True}, "sweep")
        if self._choices.faults == 0.0:
            self._pause = min(2 * self._pause, SELDOM)
        self._plan_sweep(self._pause)
