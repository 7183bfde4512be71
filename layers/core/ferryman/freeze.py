"""Is an environment frozen, why, and until when? Pure: windows of the document, and a person's word."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ferryman.platform import Environment, FreezePolicy, FreezeWindow
from ferryman.platform.policies import DAYS, local_time
from ferryman.records import EnvironmentState

_HORIZON = 60
"""Changes of windows that are looked at for the end of a freeze; beyond them it is unknown."""


@dataclass(frozen=True)
class Frozen:
    """A time in which nothing starts."""

    reason: Literal["FrozenByPerson", "FreezeWindow", "OutsideAllowWindow"]
    message: str
    """For people: why, and until when."""
    until: datetime | None


def frozen(environment: Environment, state: EnvironmentState, now: datetime) -> Frozen | None:
    """Return why nothing may start now, or None. A person's freeze comes first, then the document's windows."""
    freeze = state.freeze
    if freeze is not None and (freeze.until is None or freeze.until > now):
        end = f"until {_shown(freeze.until)}" if freeze.until else f"until `ferryman thaw {state.environment}`"
        return Frozen("FrozenByPerson", f"frozen {end} by {freeze.who}: {freeze.reason}", freeze.until)
    policy = environment.freeze
    if policy is None:
        return None
    found = _judge(policy, now)
    if found is None:
        return None
    window, reason = found
    until = _end(policy, now)
    end = f" until {_shown(until)}" if until else ""
    why = f"freeze window {window}" if reason == "FreezeWindow" else "outside of every window that allows deployments"
    return Frozen(reason, f"frozen{end}: {why}", until)


def _judge(policy: FreezePolicy, at: datetime) -> tuple[str, Literal["FreezeWindow", "OutsideAllowWindow"]] | None:
    """Deny beats allow; where windows allow, nothing starts outside of them."""
    zone = ZoneInfo(policy.time_zone)
    allowing = [window for window in policy.windows if window.kind == "allow"]
    denied = next((w for w in policy.windows if w.kind == "deny" and _covers(w, at, zone)), None)
    if denied is not None:
        return denied.name, "FreezeWindow"
    if allowing and not any(_covers(window, at, zone) for window in allowing):
        return allowing[0].name, "OutsideAllowWindow"
    return None


def _covers(window: FreezeWindow, at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a moment lies in a window; its beginning belongs to it, its end does not."""
    return any(start <= at < end for start, end in _occurrences(window, at, zone))


def _occurrences(window: FreezeWindow, near: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return the times of a window: of the weeks around a moment, or its only one. Local times, so DST moves them."""
    start, end = window.ends
    if window.dates is not None:
        return [(local_time(start).replace(tzinfo=zone), local_time(end).replace(tzinfo=zone))]
    local = near.astimezone(zone)
    monday = (local - timedelta(days=local.weekday())).date()
    found = []
    for week in (-1, 0, 1):
        first, last = _of_week(start), _of_week(end)
        length = last - first if last > first else last - first + timedelta(days=7)
        # Days and times of day, not hours: a window that begins at 16:00 does so in every week.
        begins = datetime.combine(monday, time()) + timedelta(weeks=week) + first
        found.append((begins.replace(tzinfo=zone), (begins + length).replace(tzinfo=zone)))
    return found


def _of_week(text: str) -> timedelta:
    day, _, clock = text.partition(" ")
    hours, minutes = clock.split(":")
    return timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


def _end(policy: FreezePolicy, now: datetime) -> datetime | None:
    """Return when the windows stop freezing: the first change of any window after which nothing freezes."""
    zone, at = ZoneInfo(policy.time_zone), now
    for _ in range(_HORIZON):
        edges = [edge for w in policy.windows for times in _occurrences(w, at, zone) for edge in times if edge > at]
        if not edges:
            return None
        at = min(edges)
        if _judge(policy, at) is None:
            return at
    return None


def _shown(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d %H:%M} {at.tzname() or 'UTC'}"
