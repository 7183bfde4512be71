"""The largest that a record can become, from the limits of its fields. Pure.

Called by `store.capacity`, and by the test that holds every record below what DynamoDB takes.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime

from ferryman.records import Record
from ferryman.records.limits import COUNTS, DETAILS, KNOWN, TEXTS, TOTALS

NUMBER = 2**53 - 1


def largest(model: type[Record], *, without: Collection[str] = (), known: Mapping[str, int] | None = None) -> Any:
    """Return plain data, as it is stored, in which every field has its greatest length.

    `without`: fields (`Record.field`) that are left out. `known`: lengths that are known better than in the limits.
    Raise LookupError for a field that has no limit.
    """
    lengths = {**KNOWN, **TEXTS, **(known or {})}
    return {
        field.alias or name: _value(f"{model.__name__}.{name}", field.annotation, without, lengths)
        for name, field in model.model_fields.items()
        if f"{model.__name__}.{name}" not in without
    }


def _value(place: str, wanted: Any, without: Collection[str], lengths: Mapping[str, int]) -> Any:
    total = TOTALS.get(place) or DETAILS.get(place)
    if total is not None:
        return "x" * total
    kind, arguments = get_origin(wanted), get_args(wanted)
    if kind in (Union, UnionType):
        choices = [_value(place, item, without, lengths) for item in arguments if item is not NoneType]
        return max(choices, key=lambda value: len(str(value)))
    if kind is Literal:
        return max((str(item) for item in arguments), key=len)
    if kind is Annotated:
        return _value(place, arguments[0], without, lengths)
    if kind is list:
        return [_value(place, arguments[0], without, lengths)] * _count(place)
    if kind is tuple:
        return "x" * _length(place, lengths)
    if kind is dict:
        value, width = _value(place, arguments[1], without, lengths), _length(f"{place}:key", lengths)
        return {str(number).rjust(width, "k"): value for number in range(_count(place))}
    if wanted is AwareDatetime:
        return "2026-12-01T02:15:00.123456+00:00"
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return max((str(item) for item in wanted), key=len)
    if isinstance(wanted, type) and issubclass(wanted, Record):
        return largest(wanted, without=without, known=lengths)
    if wanted is str:
        return "x" * _length(place, lengths)
    return {int: NUMBER, bool: True}[wanted]


def _count(place: str) -> int:
    if place not in COUNTS:
        raise LookupError(f"{place} has no most entries: put it into COUNTS (or TOTALS) of records.limits")
    return COUNTS[place]


def _length(place: str, lengths: Mapping[str, int]) -> int:
    own = place.partition(".")[2]
    if place not in lengths and own not in lengths:
        raise LookupError(f"{place} has no greatest length: put it into TEXTS or KNOWN of records.limits")
    return lengths[place] if place in lengths else lengths[own]
