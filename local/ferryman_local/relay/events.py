"""The event shapes of EventBridge: what changed (pure) and the envelope around it.

The watcher's diffs return `Change`s without id, time, account or region, so that they can be tested with tables.
`Relay` adds these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

type Event = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A change that AWS would report on the default event bus."""

    source: str
    detail_type: str
    detail: Mapping[str, Any]
    resources: Sequence[str] = field(default=())


def envelope(change: Change, *, event_id: str, now: datetime, account: str, region: str) -> Event:
    """The event as a rule's target receives it. `time` has whole seconds and a `Z`, as on AWS."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": change.detail_type,
        "source": change.source,
        "account": account,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(change.resources),
        "detail": dict(change.detail),
    }


def iso_millis(epoch: float) -> str:
    """A time inside an event's detail: ECS writes milliseconds there (`2020-05-23T11:11:11.000Z`)."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_epochs(value: Any, key: str = "") -> Any:
    """A described resource as it appears in an event: the API's epoch seconds become ISO strings."""
    if isinstance(value, dict):
        return {name: without_epochs(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [without_epochs(item) for item in value]
    if key.endswith("At") and isinstance(value, int | float) and not isinstance(value, bool):
        return iso_millis(value)
    return value
