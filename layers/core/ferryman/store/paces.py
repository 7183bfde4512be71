"""Slots in the pace of a destination, shared by all runs of notify through one conditional item (`records.Pace`)."""

from datetime import datetime, timedelta

from ferryman.errors import Conflict
from ferryman.ids import Clock
from ferryman.records import Pace
from ferryman.records.writes import Save
from ferryman.store.table import Store

_RETENTION = timedelta(days=7)
"""For how long the item outlives its last slot. Without the item, the destination is free."""

_EVENLY = timedelta()


def reserve(
    store: Store, destination: str, interval: timedelta, *, clock: Clock, until: datetime, ahead: timedelta = _EVENLY
) -> datetime | None:
    """Take the next free slot and return when it begins; None, and nothing taken, when none is free before `until`.

    Without an interval nothing is taken: the answer is when the destination may be called again. After a pause, slots
    begin up to `ahead` before their place in the row: a burst. Raise Conflict when others were faster, repeatedly.
    """
    for _ in store.attempts():
        pace, now = store.pace(destination), clock()
        place = max(now, pace.free_at) if pace else now
        slot = max(now, place - ahead, (pace and pace.held_until) or now)
        if slot > until:
            return None
        if not interval:
            return slot
        after = (pace or Pace(destination=destination, free_at=place)).but(free_at=place + interval)
        try:
            store.write(_saved(after))
        except Conflict:
            continue
        return slot
    raise Conflict(f"the pace of {destination} kept changing")


def is_held(store: Store, destination: str, now: datetime) -> bool:
    """Tell whether the destination asked, perhaps after a slot was taken, not to be called at this time."""
    pace = store.pace(destination)
    return pace is not None and pace.held_until is not None and pace.held_until > now


def hold(store: Store, destination: str, until: datetime, *, ahead: timedelta = _EVENLY) -> None:
    """Give out no slot before `until`, and make those void that were taken before it. Then there is no burst."""
    for _ in store.attempts():
        pace = store.pace(destination) or Pace(destination=destination, free_at=until)
        after = pace.but(free_at=max(pace.free_at, until + ahead), held_until=max(pace.held_until or until, until))
        try:
            store.write(_saved(after))
        except Conflict:
            continue
        return
    raise Conflict(f"the pace of {destination} kept changing")


def _saved(pace: Pace) -> Save:
    return Save(pace, expires_at=int((pace.free_at + _RETENTION).timestamp()))
