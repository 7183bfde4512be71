"""What people are told while ECS throttles the account and services wait for their turns."""

from datetime import datetime

from ferryman.api.views.environment import Notice
from ferryman.decisions import action_rates
from ferryman.records import Deployment
from ferryman.store.table import Store


def notices(store: Store, active: Deployment | None, now: datetime) -> list[Notice]:
    """Return what ECS throttles while this deployment is under way; nothing is read for none."""
    if active is None:
        return []
    found = []
    for rate in action_rates.RATES.values():
        pace = store.pace(rate.destination)
        at = action_rates.throttled_at(pace, now)
        if pace is not None and at is not None:
            message = action_rates.told(rate, pace, now)
            found.append(Notice(at=at, type="UpdatesThrottled", deployment=active.id, message=message))
    return found
