"""Is an environment frozen, why, and until when? Pure: windows of the document, and a person's word.

Everything is compared in UTC: two times of one zone compare as the clock on the wall shows them, which is wrong in the
hours around a change to or from summer time. People read times in the document's zone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from ferryman.platform import Environment, FreezePolicy, FreezeWindow
from ferryman.platform.policies import DAYS, local_time
from ferryman.records import EnvironmentState

_JUMPS = 120
"""From one window's end to the next: windows that still freeze after so many do so for ever."""
_WEEKS = (-1, 0, 1)
"""A window of the week before may reach into this one; the next one tells when deployments are allowed again."""

Span = tuple[datetime, datetime]
"""Beginning and end in UTC; the beginning belongs to it, the end does not."""


@dataclass(frozen=True)
class Frozen:
    """A time in which nothing starts."""

    reason: Literal["FrozenByPerson", "FreezeWindow", "OutsideAllowWindow"]
    message: str
    """For people: why, and until when."""
    until: datetime | None
    """None: no end is known."""


def frozen(environment: Environment, state: EnvironmentState, now: datetime) -> Frozen | None:
    """Return why nothing may start now, or None. A person's freeze comes first, then the document's windows."""
    freeze, policy = state.freeze, environment.freeze
    zone: tzinfo = ZoneInfo(policy.time_zone) if policy else UTC
    if freeze is not None and (freeze.until is None or freeze.until > now):
        end = f"until {_shown(freeze.until, zone)}" if freeze.until else f"until `ferryman thaw {state.environment}`"
        return Frozen("FrozenByPerson", f"frozen {end} by {freeze.who}: {freeze.reason}", freeze.until)
    if policy is None:
        return None
    at = now.astimezone(UTC)
    denied = next((window for window in policy.windows if window.kind == "deny" and _covers(window, at, zone)), None)
    if denied is None and not _outside(policy, at, zone):
        return None
    until = _end(policy, at, zone)
    end = f" until {_shown(until, zone)}" if until else ""
    if denied is not None:
        return Frozen("FreezeWindow", f"frozen{end}: freeze window {denied.name}", until)
    names = ", ".join(window.name for window in policy.windows if window.kind == "allow")
    outside = f"outside of every window that allows deployments ({names})"
    return Frozen("OutsideAllowWindow", f"frozen{end}: {outside}", until)


def _outside(policy: FreezePolicy, at: datetime, zone: tzinfo) -> bool:
    """Tell whether there are windows that allow, and none of them does now."""
    allowing = [window for window in policy.windows if window.kind == "allow"]
    return bool(allowing) and not any(_covers(window, at, zone) for window in allowing)


def _covers(window: FreezeWindow, at: datetime, zone: tzinfo) -> bool:
    return any(begin <= at < end for begin, end in _spans(window, at, zone))


def _end(policy: FreezePolicy, at: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment from which nothing freezes any more; None when there is none, or it is too far away."""
    for _ in range(_JUMPS):
        spans = [(window.kind, *span) for window in policy.windows for span in _spans(window, at, zone)]
        denied = [end for kind, begin, end in spans if kind == "deny" and begin <= at < end]
        if denied:
            at = max(denied)
            continue
        if not _outside(policy, at, zone):
            return at
        opening = [begin for kind, begin, end in spans if kind == "allow" and at < begin < end]
        if not opening:
            return None
        at = min(opening)
    return None


def _spans(window: FreezeWindow, near: datetime, zone: tzinfo) -> list[Span]:
    """Return the times of a window: those of the weeks around a moment, or its only one."""
    start, end = window.ends
    if window.dates is not None:
        return [_span(window, local_time(start), local_time(end), zone)]
    local = near.astimezone(zone)
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), time())
    first, last = _of_week(start), _of_week(end)
    length = last - first if last > first else last - first + timedelta(days=7)
    # Days and times of day, not hours: a window that begins at 16:00 does so in every week.
    return [
        _span(window, begin, begin + length, zone)
        for begin in (monday + timedelta(weeks=week) + first for week in _WEEKS)
    ]


def _span(window: FreezeWindow, begin: datetime, end: datetime, zone: tzinfo) -> Span:
    """Put local times into UTC. Where a time exists twice, or not at all, nothing starts in doubt."""
    deny = window.kind == "deny"
    first, last = _moments(begin, zone), _moments(end, zone)
    return (min(first), max(last)) if deny else (max(first), min(last))


def _moments(local: datetime, zone: tzinfo) -> list[datetime]:
    return [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]


def _of_week(text: str) -> timedelta:
    day, _, clock = text.partition(" ")
    hours, minutes = clock.split(":")
    return timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


def _shown(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a %Y-%m-%d %H:%M} {local.tzname() or 'UTC'}"
