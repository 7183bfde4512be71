"""Fixtures of the website's tests; those of the unit tests serve here, too."""

from typing import Any

import pytest

from ferryman.store.table import Store
from pages.site_world import Site, made
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, SharedDynamoDb
from unit.fixtures import clock, new_id, no_real_aws, scr_document, store

__all__ = ["clock", "new_id", "no_real_aws", "scr_document", "store"]


@pytest.fixture
def site(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> Site:
    return made(store, clock, new_id, scr_document)


@pytest.fixture
def crowded(clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> Site:
    """The same for many threads."""
    return made(Store(SharedDynamoDb(), TABLE), clock, new_id, scr_document)
