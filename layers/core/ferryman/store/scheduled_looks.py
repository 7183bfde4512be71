"""Note which looks are on their way, and which have ended (`records.ScheduledLook`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ferryman.decisions import sweep_order
from ferryman.errors import Conflict
from ferryman.records import ScheduledLook
from ferryman.records.writes import Save
from ferryman.store.table import Store

_RETENTION = timedelta(days=7)
"""For how long the record of an environment outlives its last look: one that was removed is forgotten."""


def save(store: Store, looks: Sequence[ScheduledLook]) -> None:
    """Write what is on its way, all or nothing. Raise Conflict when one of them changed meanwhile."""
    if looks:
        store.write(*(_saved(look) for look in looks))


def end(store: Store, look: ScheduledLook, queued_at: datetime, began_at: datetime) -> None:
    """Note that a look ended well: as it was known before it, when its message was queued, and when it began.

    Raise Conflict after many tries.
    """
    for attempt in store.attempts():
        before = store.scheduled_look(look.platform, look.environment) if attempt else look
        try:
            store.write(_saved(sweep_order.ended(before or look.but(rev=0), queued_at, began_at)))
        except Conflict:
            continue
        return
    raise Conflict(f"the look at {look.platform}/{look.environment} kept changing")


def _saved(look: ScheduledLook) -> Save:
    last = max(moment for moment in (look.queued_at, look.looked_at) if moment is not None)
    return Save(look, expires_at=int((last + _RETENTION).timestamp()))
