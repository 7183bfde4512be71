"""What differs between two documents, field by field, for whoever applies one. Pure.

`compare` judges changes and words them for approvers. This lists them as data, and marks those that it judged to be
weaker.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ferryman.decisions.document_changes.change import Change, shown

_NAMED_BY = ("name", "service", "container", "schedule", "component")
"""Fields that tell the items of a list apart, the first that all of them have."""


@dataclass(frozen=True)
class FieldChange:
    """One field that has another value. `None`: the field is not there, or not any more."""

    path: str
    """Dotted, as in the document; an item of a list of named things is `[its name]`."""
    before: str | None
    after: str | None
    loosens: bool = False
    """Whether it is part of what weakens a gate."""


def fields(before: Mapping[str, Any] | None, after: Mapping[str, Any], judged: Iterable[Change]) -> list[FieldChange]:
    """Compare two documents with their defaults written out; `before` is None where nothing was applied.

    A thing that is there in one of them only is one change, without its parts.
    """
    if before is None:
        return []
    looser = [change.path for change in judged if change.effect == "looser"]
    return [
        FieldChange(path, old, new, any(_about(path, weaker) for weaker in looser))
        for path, old, new in _mapping("", before, after)
    ]


def _about(path: str, judged: str) -> bool:
    """Whether a judgement is about a field: about the field, a part of it, or what it is a part of."""
    plain = path.replace("[", ".").replace("]", "")
    return plain == judged or plain.startswith(f"{judged}.") or judged.startswith(f"{plain}.")


def _value(path: str, before: Any, after: Any) -> Iterator[tuple[str, str | None, str | None]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mapping(path, before, after)
    elif (by := _name_of_items(before, after)) is not None:
        old, new = ({item[by]: item for item in items} for items in (before, after))
        if old == new:
            yield path, f"order {shown(list(old))}", f"order {shown(list(new))}"
        yield from _items(path, old, new)
    else:
        yield path, _shown(before), _shown(after)


def _mapping(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, str | None, str | None]]:
    for key in dict.fromkeys([*before, *after]):
        yield from _value(f"{path}.{key}" if path else key, before.get(key), after.get(key))


def _items(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, str | None, str | None]]:
    for key in dict.fromkeys([*before, *after]):
        yield from _value(f"{path}[{key}]", before.get(key), after.get(key))


def _name_of_items(before: Any, after: Any) -> str | None:
    """Return the field that names the items of both lists; None where items have no names, or share one."""
    if not (isinstance(before, Sequence) and isinstance(after, Sequence)) or isinstance(before, str):
        return None
    items = [*before, *after]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    for by in _NAMED_BY:
        if all(isinstance(item.get(by), str) for item in items) and all(
            len({item[by] for item in some}) == len(some) for some in (before, after)
        ):
            return by
    return None


def _shown(value: Any) -> str | None:
    return None if value is None else shown(value)
