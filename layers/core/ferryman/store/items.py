"""Records as DynamoDB items and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ferryman.clients.aws_types import Item
from ferryman.records import Record
from ferryman.store import keys

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def item(record: Record, **extra: int) -> Item:
    """Return a record as an item, key attributes included."""
    return attributes({**record.dump(), **keys.of(record), **extra})


def attributes(data: Mapping[str, Any]) -> Item:
    """Return plain data as DynamoDB attributes."""
    return {name: _serialize(_storable(value)) for name, value in data.items()}


def plain(item: Item) -> dict[str, Any]:
    """Return an item as plain data."""
    return {name: _readable(_deserialize(value)) for name, value in item.items()}


def _storable(value: Any) -> Any:
    """Make floats storable: DynamoDB numbers are decimals. They occur only in what people write (`expect.json`)."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _readable(value: Any) -> Any:
    """Turn DynamoDB's decimals back into the numbers they were."""
    if isinstance(value, dict):
        return {name: _readable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
