"""What a semver tag means. Pure."""

from typing import Literal

from pydantic import AwareDatetime

from ferryman.records.base import Record


class SemverName(Record):
    """What a semver tag means: the one record that says which release it names, so that no two can."""

    platform: str
    name: str
    status: Literal["Waiting", "Bound", "Refused"]
    version: str | None = None
    message: str = ""
    """What it waits for, or why it was refused; of a bound one, why its move to other images was."""
    first_seen_at: AwareDatetime
    rev: int = 0
