"""Records as DynamoDB items and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from ferryman.clients.aws_types import Item
from ferryman.records import Record
from ferryman.store import keys

_serialize = TypeSerializer().serialize


def item(record: Record, **extra: int) -> Item:
    """Return a record as an item, key attributes included."""
    return attributes({**record.dump(), **keys.of(record), **extra})


def attributes(data: Mapping[str, Any]) -> Item:
    """Return plain data as DynamoDB attributes."""
    return {name: _serialize(_storable(value)) for name, value in data.items()}


def plain(item: Item) -> dict[str, Any]:
    """Return an item as plain data."""
    return {name: _readable(value) for name, value in item.items()}


def _storable(value: Any) -> Any:
    """Make floats storable: DynamoDB numbers are decimals. They occur only in what people write (`expect.json`)."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _readable(attribute: Any) -> Any:
    """Return an attribute as plain data, its numbers as the numbers they were. Of the types that we write."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            number = Decimal(value)
            return int(number) if number == number.to_integral_value() else float(number)
        case "M":
            return {name: _readable(item) for name, item in value.items()}
        case "L":
            return [_readable(item) for item in value]
        case "NULL":
            return None
    raise TypeError(f"an attribute of type {kind} is none of ours")
