"""Old tasks that are protected from scale-in: ECS stops none of them before its protection ends. Pure.

Source: the ECS Developer Guide ("Protect your Amazon ECS tasks from being terminated by scale-in events").
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Protection:
    """What is known of the protection of a service's old tasks."""

    tasks: int = 0
    """How many of them are protected."""
    until: datetime | None = None
    """When the last protection ends, if no task extends it."""
    unread: str = ""
    """Why nobody can tell; empty when it was read."""


def in_words(found: Protection) -> str:
    """Say which old tasks ECS may not stop yet, and until when; empty when there are none."""
    if found.unread:
        return f"whether old tasks are protected from scale-in could not be read: {found.unread}"
    if not found.tasks or found.until is None:
        return ""
    which = "1 old task is" if found.tasks == 1 else f"{found.tasks} old tasks are"
    last = "" if found.tasks == 1 else "at the latest "
    return f"{which} protected from scale-in until {last}{found.until:%Y-%m-%d %H:%M:%S} UTC"


def seconds_left(found: Protection, now: datetime) -> int:
    """Return for how long old tasks are protected from now on."""
    return max(0, round((found.until - now).total_seconds())) if found.tasks and found.until is not None else 0
