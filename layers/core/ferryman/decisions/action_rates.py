"""How often ECS may be asked to register a task definition or to update a service, and who has to keep to it. Pure.

The quotas are of the whole account (docs/reference/aws-facts.md#quotas-of-actions), so all deployments share them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.records import Deployment, Pace
from ferryman.records.step_keys import Direction

FREE = 10
"""Services and jobs of a deployment that takes no slots: half of what ECS takes at once. Several small deployments can
begin in one moment and still be throttled: then each of them takes a slot, as the large ones do."""
HOLD = timedelta(seconds=15)
"""For how long nobody gets a slot after ECS has throttled, more often than the client retries: others use the quota,
too. After that there is no burst, so that the bucket can fill again."""
NOTICED = timedelta(minutes=5)
"""For how long people are told of a throttle."""
LONGEST_QUEUE = timedelta(hours=1)
"""No slot is later than this; whoever finds none asks again."""
LONGEST_WAIT = timedelta(minutes=5)
"""After this an execution looks again, so that an abort is noticed."""


@dataclass(frozen=True)
class Rate:
    """What one action takes: somewhat less than AWS says, since clocks and latencies differ."""

    action: str
    """As AWS names it."""
    interval: timedelta
    burst: int
    """Calls at once."""

    @property
    def destination(self) -> str:
        """Its name in the table (`records.Pace`)."""
        return f"ecs#{self.action}"

    @property
    def ahead(self) -> timedelta:
        """By how much slots may begin before their place in an even row: the burst."""
        return (self.burst - 1) * self.interval


REGISTER = Rate("RegisterTaskDefinition", timedelta(seconds=1), 18)
UPDATE = Rate("UpdateService", timedelta(seconds=0.25), 45)
"""One a second is left for those that register first, which take no second slot."""
RATES = {rate.action: rate for rate in (REGISTER, UPDATE)}


def rate_of(deployment: Deployment, name: str, direction: Direction) -> Rate | None:
    """Return what limits the update of one service or job; None where the deployment is small enough to go ahead.

    Forward, a revision is registered for each. Back, there is one already, unless its images have to be pinned.
    """
    plan = deployment.require_plan()
    if len(plan.services) + len(plan.jobs) <= FREE:
        return None
    if direction == "forward":
        return REGISTER
    planned = deployment.planned_job(name) or deployment.planned(name)
    return REGISTER if planned.rollback_digests else UPDATE


def throttled_at(pace: Pace | None, now: datetime) -> datetime | None:
    """Return when ECS throttled what is paced so, if that was a moment ago."""
    if pace is None or pace.held_until is None or pace.held_until + NOTICED < now:
        return None
    return min(pace.held_until - HOLD, now)


def told(rate: Rate, pace: Pace, now: datetime) -> str:
    """Say for people what a throttle means for the deployments under way."""
    wait = max(timedelta(), pace.free_at - rate.ahead - now)
    return (
        f"ECS throttles {rate.action}: this account asks for more than its quota allows, here or elsewhere. Services "
        f"are updated one after the other; the next free turn is in {round(wait.total_seconds())} s. "
        "No action is needed"
    )
