"""When a hold ends by itself, and when people are reminded of one. Pure; part of `decisions.decide`."""

import math
from datetime import datetime, timedelta

from ferryman.decisions.actions import LiftHold, RemindHold, RequeueAfter
from ferryman.records import EnvironmentState

REMINDED_EVERY = timedelta(days=1)


def due(state: EnvironmentState, now: datetime) -> LiftHold | RemindHold | None:
    """Return what is due about a hold. Until reconcile has lifted it, one whose time is over still holds."""
    hold = state.hold
    if hold is None:
        return None
    if hold.until is not None and hold.until <= now:
        return LiftHold()
    return RemindHold() if now - (hold.reminded_at or hold.at) >= REMINDED_EVERY else None


def looked_at_again(state: EnvironmentState, now: datetime) -> RequeueAfter | None:
    """Return when to look again because a hold ends; sweeps find the reminders."""
    until = state.hold.until if state.hold is not None else None
    return RequeueAfter(max(1, math.ceil((until - now).total_seconds()))) if until is not None else None
