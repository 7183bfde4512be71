"""Taking turns at ECS: a slot for each update of a large deployment, and after each throttle. Called by update_service.

Nobody sleeps here: `Paced` names the slot, and the state machine waits and comes back with it. A slot whose Lambda dies
is lost, and nothing else; so is one that was taken twice because an answer was lost.
"""

import math
from datetime import timedelta

from ferryman.contracts import UpdateServiceInput
from ferryman.decisions import action_rates
from ferryman.decisions.action_rates import Rate
from ferryman.errors import Paced, Throttled
from ferryman.ids import Clock
from ferryman.records import Deployment
from ferryman.store import paces
from ferryman.store.table import Store

_NEAR = timedelta(seconds=1)
"""A slot that begins so soon is as good as now; ECS's own burst has room for it."""


def take_turn(event: UpdateServiceInput, deployment: Deployment, store: Store, clock: Clock) -> None:
    """Return when this service may be updated now; raise Paced when its slot is later."""
    if event.slot is None:
        return  # A state machine of an earlier version: it can't wait.
    if event.slot:
        left = timedelta(seconds=int(event.slot) - clock().timestamp())
        if left > _NEAR:
            raise _paced(event.slot, left, event.service)
        return
    rate = action_rates.rate_of(deployment, event.service, event.direction)
    if rate is not None:
        _take(rate, event, store, clock)


def after_throttle(error: Throttled, event: UpdateServiceInput, store: Store, clock: Clock) -> None:
    """Slow down for everybody and raise Paced, when ECS has throttled what is paced; return for any other call."""
    rate = action_rates.RATES.get(error.operation)
    if rate is None or event.slot is None:
        return
    paces.hold(store, rate.destination, clock() + action_rates.HOLD, ahead=rate.ahead)
    _take(rate, event, store, clock)


def _take(rate: Rate, event: UpdateServiceInput, store: Store, clock: Clock) -> None:
    until = clock() + action_rates.LONGEST_QUEUE
    slot = paces.reserve(store, rate.destination, rate.interval, clock=clock, until=until, ahead=rate.ahead)
    if slot is None:
        raise _paced("", action_rates.LONGEST_WAIT, event.service)
    left = slot - clock()
    if left > _NEAR:
        raise _paced(str(math.ceil(slot.timestamp())), left, event.service)


def _paced(slot: str, left: timedelta, service: str) -> Paced:
    return Paced(service, math.ceil(min(left, action_rates.LONGEST_WAIT).total_seconds()), slot)
