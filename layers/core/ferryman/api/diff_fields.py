"""Which fields of a task definition would change, by name. Pure.

Values of fields that may hold a secret are never told: just that they change.
"""

from typing import Any

from ferryman.clients import task_definitions
from ferryman.clients.task_definitions import Definition
from ferryman.records import Record

HIDDEN = "(hidden)"
_SECRETIVE = frozenset({"environment", "command", "entryPoint", "dockerLabels", "options", "systemControls"})
"""Fields in which people put passwords, whatever they were made for. `secrets` hold just the names of such."""
_NAMES = ("name", "key", "containerPort", "sourceVolume")
"""What tells the items of a list apart, where one of these does."""
_WIDTH = 300


class FieldChange(Record):
    """One field; None: it is not there."""

    field: str
    """`containerDefinitions.api.image`."""
    before: str | None
    after: str | None


def changes(before: Definition | None, after: Definition) -> list[FieldChange]:
    """Return the fields that differ between two definitions, described or registrable, by name."""
    old = _flat(task_definitions.canonical(before)) if before else {}
    new = _flat(task_definitions.canonical(after))
    return [
        FieldChange(field=".".join(path), before=_shown(path, old.get(path)), after=_shown(path, new.get(path)))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _flat(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    items = _items(value)
    if items is None:
        return {path: value}
    return {place: leaf for name, item in items.items() for place, leaf in _flat(item, (*path, name)).items()}


def _items(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return None
    for name in _NAMES:
        names = [str(item[name]) for item in value if name in item]
        if len(set(names)) == len(value):
            rest = [{key: part for key, part in item.items() if key != name} for item in value]
            return dict(zip(names, rest, strict=True))
    return None


def _shown(path: tuple[str, ...], value: Any) -> str | None:
    if value is None:
        return None
    if _SECRETIVE.intersection(path):
        return HIDDEN
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
