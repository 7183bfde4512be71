"""How large an item is, as DynamoDB counts it. Pure.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

_COLLECTION = 3
"""Bytes of a list or a map, whatever it holds; each of its elements takes one more."""
_DIGITS = Context(prec=40)
"""DynamoDB's numbers have up to 38 digits."""


def of_item(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: the names of its attributes and their values."""
    return sum(_of_text(name) + of_value(value) for name, value in item.items())


def of_value(value: Mapping[str, Any]) -> int:
    """Return the bytes of one attribute, `{"S": "text"}`, without its name."""
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return _of_text(held)
        case "N":
            return _of_number(held)
        case "B":
            return len(held)
        case "BOOL" | "NULL":
            return 1
        case "M":
            return _COLLECTION + sum(1 + _of_text(name) + of_value(item) for name, item in held.items())
        case "L":
            return _COLLECTION + sum(1 + of_value(item) for item in held)
    raise TypeError(f"no attribute of ours is a {kind}")


def _of_text(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _of_number(text: str) -> int:
    """Two significant digits take a byte, counted from the decimal point, and there is one more, or two below zero."""
    _, digits, exponent = Decimal(text).normalize(_DIGITS).as_tuple()
    if not any(digits):
        return 1
    before = len(digits) + int(exponent)
    pairs = (before + 1) // 2 - int(exponent) // 2
    return 1 + pairs + text.startswith("-")
