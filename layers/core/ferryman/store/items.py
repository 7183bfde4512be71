"""Records as DynamoDB items and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from ferryman.clients.aws_types import Item
from ferryman.records import Record
from ferryman.store import keys

_serialize = TypeSerializer().serialize
_LARGE = 10**38
"""Whole numbers from here on do not fit into DynamoDB's 38 digits; boto3's serializer refuses them."""


def item(record: Record, **extra: int) -> Item:
    """Return a record as an item, key attributes included."""
    return attributes({**record.dump(), **keys.of(record), **extra})


def attributes(data: Mapping[str, Any]) -> Item:
    """Return plain data as DynamoDB attributes."""
    return {name: _storable(value) for name, value in data.items()}


def plain(item: Item) -> dict[str, Any]:
    """Return an item as plain data."""
    # Most attributes are texts. Each call of a function costs: deployments have thousands of attributes.
    return {name: value["S"] if "S" in value else _readable(value) for name, value in item.items()}


def _storable(value: Any) -> Any:
    """Return a value as an attribute: what boto3's serializer answers, in a fraction of its time."""
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: _storable(item) for name, item in value.items()}}
    if isinstance(value, list):
        return {"L": [_storable(item) for item in value]}
    if isinstance(value, int) and abs(value) < _LARGE:
        return {"N": str(value)}
    # DynamoDB's numbers are decimals. Floats occur only in what people write (`expect.json`).
    return _serialize(Decimal(str(value)) if isinstance(value, float) else value)


def _readable(attribute: Any) -> Any:
    """Return an attribute as plain data, its numbers as the numbers they were. Of the types that we write."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "M":
            return plain(value)
        case "L":
            return [_readable(item) for item in value]
        case "NULL":
            return None
        case "N":
            if value.isdecimal():
                return int(value)
            number = Decimal(value)
            return int(number) if number == number.to_integral_value() else float(number)
    raise TypeError(f"an attribute of type {kind} is none of ours")
