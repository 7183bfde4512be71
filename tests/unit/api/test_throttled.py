"""What `ferryman status` says while ECS throttles the account."""

from datetime import timedelta

import pytest

from ferryman.api import throttled
from ferryman.decisions.action_rates import HOLD, NOTICED, REGISTER
from ferryman.store import paces
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock
from unit.fakes.dynamodb import TABLE, FakeDynamoDb


@pytest.fixture
def store(clock: FakeClock) -> Store:
    """A table in which ECS throttled registrations just now."""
    made = Store(FakeDynamoDb(), TABLE)
    paces.hold(made, REGISTER.destination, clock() + HOLD, ahead=REGISTER.ahead)
    return made


def test_a_deployment_under_way_is_told_which_action_is_throttled(store: Store, clock: FakeClock) -> None:
    (found,) = throttled.notices(store, make.deployment(), clock())
    assert (found.type, found.at, found.deployment) == ("UpdatesThrottled", clock(), make.deployment().id)
    assert "RegisterTaskDefinition" in found.message
    assert "in 15 s" in found.message


def test_nothing_is_told_where_nothing_is_under_way(store: Store, clock: FakeClock) -> None:
    assert throttled.notices(store, None, clock()) == []


def test_it_is_forgotten_after_some_minutes(store: Store, clock: FakeClock) -> None:
    later = clock() + HOLD + NOTICED + timedelta(seconds=1)
    assert throttled.notices(store, make.deployment(), later) == []
