"""Fixtures of the website's tests; those of the unit tests serve here, too."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.store.table import Store
from pages import asking
from pages.site_world import Site
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.fixtures import clock, new_id, no_real_aws, scr_document, store

__all__ = ["clock", "new_id", "no_real_aws", "scr_document", "store"]


class SharedDynamoDb:
    """The fake table for many threads: one call at a time, as one partition does it."""

    def __init__(self) -> None:
        self._table, self._lock = FakeDynamoDb(), threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._table, name)(**arguments)

        return call


def made(store: Store, clock: FakeClock, new_id: FakeIds, document: dict[str, Any]) -> Site:
    asking.ask(store, document)
    asking.forward(clock)
    return Site(store, clock, new_id)


@pytest.fixture
def site(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> Site:
    return made(store, clock, new_id, scr_document)


@pytest.fixture
def crowded(clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> Site:
    """The same for many threads."""
    return made(Store(SharedDynamoDb(), TABLE), clock, new_id, scr_document)
