"""The local AWS counts the bytes of an item, and refuses what is too large, as DynamoDB does."""

from typing import Any, get_args, get_type_hints

import pytest

from ferryman.records import Deployment, Record, limits
from ferryman.records.writes import Add, Once, Save
from ferryman.store import items, sizes
from ferryman.store.largest import largest
from ferryman_local.patches.private_attributes import module

HINTS = [get_type_hints(write)["record"] for write in (Save, Add, Once)]
KINDS = [kind for hint in HINTS for kind in get_args(hint) or (hint,)]


@pytest.fixture(scope="module")
def emulated() -> Any:
    return module("services.dynamodb")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_record_has_the_same_size_there(emulated: Any, kind: type[Record]) -> None:
    without = ("Deployment.plan", "Deployment.steps") if kind is Deployment else ()
    item = items.attributes(largest(kind, without=without))
    assert emulated._item_size_bytes(item) == sizes.of_item(item)


def test_it_has_dynamodbs_limits(emulated: Any) -> None:
    found = (emulated._DDB_ITEM_MAX_BYTES, emulated._DDB_TXN_WRITE_MAX_ITEMS, emulated._DDB_TXN_MAX_BYTES)
    assert found == (limits.ITEM, limits.ACTIONS, limits.TRANSACTION)
