"""Records within their bounds: what `records.limits` says about their texts, applied before they are written. Pure.

Called by `store.table`. What a record's texts lose is only ever their middle.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ferryman.records import Record
from ferryman.records.limits import DETAILS, TEXTS
from ferryman.text import byte_length, shortened

Edit = Callable[[str, Any], Any]
"""Called with `Record.field` and its value; returns what takes its place."""

_LONG = 500
"""Bytes to which the texts of a detail that is too large are cut."""


def within[R: Record](record: R) -> R:
    """Return a record whose texts and details are as long as they may be; the same one if they are."""
    return edited(record, _within)


def edited[R: Record](record: R, edit: Edit) -> R:
    """Return a record with `edit("Record.field", value)` in place of each value that is no record."""
    changes: dict[str, Any] = {}
    kind = type(record).__name__
    for name in type(record).model_fields:
        before = getattr(record, name)
        after = _edited(f"{kind}.{name}", before, edit)
        if after is not before:
            changes[name] = after
    return record.but(**changes) if changes else record


def _edited(place: str, value: Any, edit: Edit) -> Any:
    if isinstance(value, Record):
        return edited(value, edit)
    if isinstance(value, dict) and any(isinstance(item, Record) for item in value.values()):
        items = {key: _edited(place, item, edit) for key, item in value.items()}
        value = items if any(items[key] is not item for key, item in value.items()) else value
    elif isinstance(value, list) and any(isinstance(item, Record) for item in value):
        entries = [_edited(place, item, edit) for item in value]
        value = entries if any(after is not before for after, before in zip(entries, value, strict=True)) else value
    return edit(place, value)


def _within(place: str, value: Any) -> Any:
    if isinstance(value, str):
        limit = TEXTS.get(place)
        return value if limit is None else shortened(value, limit)
    limit = DETAILS.get(place)
    return value if limit is None else detail(value, limit)


def detail(value: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return an open map of at most `limit` bytes: its texts are cut first; then it loses its largest entries."""
    if _weight(value) <= limit:
        return value
    value = {name: _cut(item) for name, item in value.items()}
    for name in sorted(value, key=lambda name: _weight(value[name]), reverse=True):
        if _weight(value) <= limit:
            break
        del value[name]
    return value


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return shortened(value, _LONG)
    if isinstance(value, Mapping):
        return {name: _cut(item) for name, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list | tuple) else value


def _weight(value: Any) -> int:
    """Return at least the bytes that a value takes in an item."""
    if isinstance(value, str):
        return byte_length(value) + 1
    if isinstance(value, Mapping):
        return 4 + sum(_weight(str(name)) + _weight(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return 4 + sum(_weight(item) for item in value)
    return 24
