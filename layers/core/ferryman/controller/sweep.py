"""What the schedule does: it queues one look per environment, per platform, and one for all platforms together.

Called by reconcile. It looks at nothing itself, so that no look waits for another. It is ready in seconds; should it
die on the way, what was looked at longest ago has been queued, and the next run queues the rest.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ferryman.clients.nudge import BATCH
from ferryman.decisions import sweep_order
from ferryman.decisions.sweep_order import Place
from ferryman.effects import Gauge
from ferryman.errors import Conflict, TransientError
from ferryman.ids import Clock
from ferryman.records import ScheduledLook
from ferryman.store import scheduled_looks
from ferryman.store.table import Store

OLDEST = "OldestUnreconciled"
"""Metric: seconds. An alarm takes silence for trouble."""

_LOG = logging.getLogger("ferryman")


class Outbox(Protocol):
    """What `clients.nudge.Outbox` offers."""

    def drain(self) -> None:
        """Have unsent messages sent."""


class Queue(Protocol):
    """What `clients.nudge.Looks` offers."""

    def queue(self, places: Sequence[Place], queued_at: datetime) -> list[Place]:
        """Queue up to ten looks; return those that were taken."""


@dataclass(frozen=True)
class Sweep:
    """Queues what is due."""

    store: Store
    queue: Queue
    outbox: Outbox
    clock: Clock
    gauge: Gauge

    def run(self) -> None:
        """Queue every look for which no message is on its way. Raise TransientError when the queue did not take all."""
        now = self.clock()
        wanted = sweep_order.places(self.store.environments())
        known = {(look.platform, look.environment): look for look in self.store.scheduled_looks()}
        due = sweep_order.due(wanted, known, now)
        taken = sum(self._queue(due[start : start + BATCH], now) for start in range(0, len(due), BATCH))
        if self.store.unsent(limit=1):
            self.outbox.drain()
        if taken < len(due):
            raise TransientError(f"{len(due) - taken} of {len(due)} looks were not queued; the next sweep queues them")
        # Only now: who dies on the way writes no metric, and the alarm on it takes that for trouble.
        self.gauge(OLDEST, sweep_order.overdue_seconds(wanted, known, now))
        _LOG.info("%d of %d looks queued", len(due), len(wanted))

    def _queue(self, looks: Sequence[ScheduledLook], now: datetime) -> int:
        """Queue first and note it then: who dies in between queues a second message, which finds its look done."""
        taken = self.queue.queue([(look.platform, look.environment) for look in looks], now)
        noted = [look for look in looks if (look.platform, look.environment) in set(taken)]
        try:
            scheduled_looks.save(self.store, noted)
        except Conflict:
            for look in noted:
                self._note(look)
        return len(taken)

    def _note(self, look: ScheduledLook) -> None:
        try:
            scheduled_looks.save(self.store, [look])
        except Conflict:
            _LOG.debug("looked at meanwhile", extra={"platform": look.platform, "environment": look.environment})
