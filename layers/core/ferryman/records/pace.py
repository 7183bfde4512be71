"""When a destination of messages takes the next one. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class Pace(Record):
    """The next free slot of one destination. All runs of notify take their slots here, so they share one pace."""

    destination: str
    """As `notify.pacing.limit_of` names it."""
    free_at: AwareDatetime
    """The first moment that nobody has taken."""
    held_until: AwareDatetime | None = None
    """Until then the destination asked not to be called: slots that were taken before it asked are void."""
    rev: int = 0
