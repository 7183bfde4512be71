"""Records as items: what we write is what boto3's serializer would write, and it is read as it was."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as some

from ferryman.store import items

WHOLE = some.integers(-(10**38) + 1, 10**38 - 1)
NUMBERS = WHOLE | some.floats(-1e15, 1e15, allow_nan=False).map(lambda number: round(number, 6))
PLAIN = some.recursive(
    some.none() | some.booleans() | NUMBERS | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


def storable(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


@given(PLAIN)
def test_what_is_written_is_what_boto3_writes(value: Any) -> None:
    assert items.attributes({"a": value}) == {"a": TypeSerializer().serialize(storable(value))}


@given(PLAIN)
def test_what_is_read_is_what_was_written(value: Any) -> None:
    assert items.plain(items.attributes({"a": value})) == {"a": value}


def test_what_boto3_reads_is_the_same() -> None:
    found = {"a": [1, -2, "three", None, True, {"four": "5"}]}
    assert TypeDeserializer().deserialize({"M": items.attributes(found)}) == found


@pytest.mark.parametrize("value", [10**38 + 1, object()])
def test_what_dynamodb_has_no_place_for_is_refused(value: Any) -> None:
    with pytest.raises(Exception, match=r"Inexact|Rounded|Unsupported type"):
        items.attributes({"a": value})
