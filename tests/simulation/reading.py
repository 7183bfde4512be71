"""The store as a sandbox has it: what was read before is not made again from the same item.

Items of the model of DynamoDB never change, and records are frozen, so that one record can stand for one item. Making
records from items would otherwise be a third of the work.
"""

from typing import Any

from ferryman.records import AppliedPlatform, Deployment, EnvironmentState, Record, Release
from ferryman.store import items
from ferryman.store.table import Store

Item = dict[str, Any]
KINDS: dict[tuple[str, str], type[Record]] = {
    ("RELEASE", ""): Release,
    ("PLATFORM", ""): AppliedPlatform,
    ("ENV", "STATE"): EnvironmentState,
    ("ENV", "DEPLOYMENT"): Deployment,
}
"""What is read most: (beginning of the partition, beginning of the sort key; `""`: any) → its kind."""


class Read:
    """What was made from items, of one world."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Item, Any]] = {}

    def of(self, item: Item) -> Any:
        """Return the record of an item where its kind is known, or else the item as plain data."""
        known = self._made.get(id(item))
        if known is not None and known[0] is item:
            return known[1]
        partition, sort = item["pk"]["S"].partition("#")[0], item["sk"]["S"].partition("#")[0]
        kind = KINDS.get((partition, "")) or KINDS.get((partition, sort))
        data = items.plain(item)
        if kind is None:
            return data
        self._made[id(item)] = item, kind.model_validate(data)
        return self._made[id(item)][1]


class Reading(Store):
    """The real store, which remembers. `Kind.model_validate` takes a record of its kind as it is."""

    def __init__(self, read: Read, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._read = read

    def _data(self, item: Item) -> Any:
        return self._read.of(item)
