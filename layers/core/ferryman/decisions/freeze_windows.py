"""Whether an environment is frozen, why, and until when: by the document's windows or by a person. Pure.

Everything is compared in UTC: Python compares two times of one zone by wall clock, which is wrong in the hours around a
change to or from summer time. Messages show times in the document's zone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from ferryman.platform import Environment, FreezePolicy, FreezeWindow
from ferryman.platform.policies import DAYS, local_time
from ferryman.records import EnvironmentState
from ferryman.suggestions import suggest
from ferryman.text import person

_JUMPS = 120
"""Most jumps from one window's end to the next. Windows that still freeze after these are taken to never end."""
_WEEKS = (-1, 0, 1)
"""A window of last week may reach into this one; next week's tell when deployments are allowed again."""

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
        thaw = f"until a person runs {suggest('thaw', state.environment, p=state.platform)}"
        end = f"until {_shown(freeze.until, zone)}" if freeze.until else thaw
        return Frozen("FrozenByPerson", f"frozen by {person(freeze.who)} {end}: {freeze.reason}", freeze.until)
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
    outside = f"outside all windows that allow deployments ({names})"
    return Frozen("OutsideAllowWindow", f"frozen{end}: {outside}", until)


def _outside(policy: FreezePolicy, at: datetime, zone: tzinfo) -> bool:
    """Tell whether there are windows that allow deployments, but none of them is open now."""
    allowing = [window for window in policy.windows if window.kind == "allow"]
    return bool(allowing) and not any(_covers(window, at, zone) for window in allowing)


def _covers(window: FreezeWindow, at: datetime, zone: tzinfo) -> bool:
    return any(begin <= at < end for begin, end in _spans(window, at, zone))


def _end(policy: FreezePolicy, at: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment at which no window freezes; None when there is none, or it is too far away."""
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
    # Calendar days and local times, not hours: a window starts at 16:00 in every week, also after a clock change.
    return [
        _span(window, begin, begin + length, zone)
        for begin in (monday + timedelta(weeks=week) + first for week in _WEEKS)
    ]


def _span(window: FreezeWindow, begin: datetime, end: datetime, zone: tzinfo) -> Span:
    """Convert local times to UTC. When a local time is ambiguous or does not exist, the longer freeze counts."""
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
