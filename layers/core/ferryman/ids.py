"""Clock and ids, as arguments: handlers pass the real ones, tests their own."""

from collections.abc import Callable
from datetime import UTC, datetime

from ulid import ULID

Clock = Callable[[], datetime]
NewId = Callable[[], str]


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A ULID: unique, sortable by time."""
    return str(ULID())
