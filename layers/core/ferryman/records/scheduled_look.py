"""When the schedule last had something looked at, and whether a message about it is still on its way. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class ScheduledLook(Record):
    """One look that every sweep queues. It says when to look, never what is true."""

    platform: str
    """Empty: what concerns all platforms."""
    environment: str
    """Empty: what concerns the platform as a whole."""
    due_since: AwareDatetime | None = None
    """Since when a look is due that has not ended well yet; None when the last one has."""
    queued_at: AwareDatetime | None = None
    """When the last message about it was queued; None when a look has ended since."""
    looked_at: AwareDatetime | None = None
    """When the last look that ended well began."""
    rev: int = 0
