"""What a sweep queues, in which order, and what is overdue. Pure.

A message says where to look, so a second one does no harm; a look that nobody queues does. In doubt it is queued.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ferryman.records import ScheduledLook

Place = tuple[str, str]
"""Platform and environment; without an environment: the platform as a whole; two empty names: all platforms."""

LOST_AFTER = timedelta(minutes=15)
"""A message that brought no look for so long counts as lost, and another one is queued."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def places(environments: Mapping[str, Sequence[str]]) -> list[Place]:
    """Return every place of these platforms (name → names of its environments), and the one that concerns all."""
    each = [(platform, name) for platform, names in environments.items() for name in ("", *names)]
    return [*each, ("", "")]


def due(wanted: Iterable[Place], known: Mapping[Place, ScheduledLook], now: datetime) -> list[ScheduledLook]:
    """Return what to queue now, as it is recorded then: what was looked at longest ago comes first.

    What a message is still on its way for is left out. A platform comes before its environments where both were looked
    at together: what it finds in ECR, they deploy.
    """
    looks = [known.get(place) or ScheduledLook(platform=place[0], environment=place[1]) for place in wanted]
    open_ = [look for look in looks if look.queued_at is None or now - look.queued_at >= LOST_AFTER]
    open_.sort(key=lambda look: (look.looked_at or _NEVER, _rank(look)))
    return [look.but(queued_at=now, due_since=look.due_since or now) for look in open_]


def _rank(look: ScheduledLook) -> int:
    if look.environment:
        return 1
    return 0 if look.platform else 2


def overdue_seconds(wanted: Iterable[Place], known: Mapping[Place, ScheduledLook], now: datetime) -> float:
    """Return for how long the look that is due longest has been due; 0 when every look of the last sweep has ended."""
    since = [look.due_since for place in wanted if (look := known.get(place)) and look.due_since]
    return max((now - moment).total_seconds() for moment in since) if since else 0.0


def is_answered(look: ScheduledLook | None, queued_at: datetime) -> bool:
    """Tell whether a look that began after this message was queued has ended: then the message has no work left."""
    return look is not None and look.looked_at is not None and look.looked_at >= queued_at


def ended(look: ScheduledLook, queued_at: datetime, began_at: datetime) -> ScheduledLook:
    """Return the record after a look that ended well. A message that was queued after it began stays on its way."""
    # Two clocks: the one that queued the message may be ahead.
    at = max(queued_at, began_at)
    newer = look.queued_at is not None and look.queued_at > at
    return look.but(
        looked_at=at, queued_at=look.queued_at if newer else None, due_since=look.queued_at if newer else None
    )
