"""What DynamoDB refuses because others write: transactions in flight on the same item, and a hot partition.

Facts: docs/reference/aws-facts.md#dynamodb, and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (a transaction conflicts with
each other one in flight that has one of its items, checks included; its writes cost two units per KB).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simulation.aws.errors import refusal
from simulation.aws.table import Table
from simulation.quotas.buckets import Bucket, Quota

PARTITION = Quota(1000, 1000)
"""Write units of one partition: a second's worth at once. AWS may allow more for a while, and promises none of it."""
Key = tuple[str, str]
Request = dict[str, Any]


class Contention:
    """Writes in flight, and the write units of each partition."""

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table, self._clock = table, clock
        self._flying: Counter[Key] = Counter()
        self._partitions: dict[str, Bucket] = {}
        self.conflicts = 0
        """Writes that were refused because another one was in flight."""
        self.throttled = 0
        """Writes that were refused because their partition was out of write units."""
        self.units: Counter[str] = Counter()
        """Partition → write units used."""

    @contextmanager
    def writing(self, operation: str, request: Request) -> Iterator[Exception | None]:
        """Hold a write's items while its call lasts; the value is the refusal that it ends with, if any."""
        actions = _actions(request)
        keys = [_key(how.get("Item") or how["Key"]) for how in actions]
        refused = self._refused(operation, keys, actions)
        if refused is not None:
            yield refused
            return
        self._flying.update(keys)
        try:
            yield None
        finally:
            self._flying.subtract(keys)

    def _refused(self, operation: str, keys: list[Key], actions: list[Request]) -> Exception | None:
        together = operation == "transact_write_items"
        hit = [self._flying[key] > 0 for key in keys]
        if any(hit):
            self.conflicts += 1
            if not together:
                return refusal("UpdateItem", "TransactionConflictException", "Transaction is ongoing for the item")
            return self._table.cancelled(["TransactionConflict" if one else "None" for one in hit])
        needed: Counter[str] = Counter()
        for key, how in zip(keys, actions, strict=True):
            needed[key[0]] += (2 if together else 1) * self._units(key, how)
        if all(self._partition(name).take(units) for name, units in needed.items()):
            self.units.update(needed)
            return None
        self.throttled += 1
        if not together:
            return refusal("UpdateItem", "ThrottlingException", "the partition is hot")
        return self._table.cancelled(["ThrottlingError"] * len(keys))

    def _units(self, key: Key, how: Request) -> int:
        item = how.get("Item") or self._table.get(*key) or how["Key"]
        return -(-len(json.dumps(item)) // 1024)

    def _partition(self, name: str) -> Bucket:
        if name not in self._partitions:
            self._partitions[name] = Bucket(PARTITION, self._clock)
        return self._partitions[name]


def _actions(request: Request) -> list[Request]:
    if "TransactItems" in request:
        return [next(iter(action.values())) for action in request["TransactItems"]]
    return [request]


def _key(item: Request) -> Key:
    return item["pk"]["S"], item["sk"]["S"]
