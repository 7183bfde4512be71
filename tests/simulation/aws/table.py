"""DynamoDB, one table: the expressions of `store.table` and no others, transactions, the stream, the sparse index.

Facts: docs/reference/aws-facts.md#dynamodb, and botocore's model (TransactWriteItems: ClientRequestToken makes a
repeated call of the same transaction answer the first one's result).
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from simulation.aws.errors import refusal

Item = dict[str, Any]
EXPRESSIONS = ("#pk = :pk", "#pk = :pk AND begins_with(sk, :prefix)", "#pk = :pk AND sk > :after")
Observer = Callable[[Item | None, Item | None], None]


TTL = "expiresAt"
"""The attribute that the template names."""


class Table:
    """Items are never changed once they are stored: a write stores another one."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Item]] = {}
        self.observers: list[Observer] = []
        self._sorted: dict[str, list[str]] = {}
        """Partition → its sort keys in order, as long as none comes or goes."""
        self._done: dict[str, Any] = {}
        """ClientRequestToken → the transaction that it was for."""

    # ── what tests and invariants read ──

    def get(self, pk: str, sk: str) -> Item | None:
        """Return an item as it is."""
        return self.items.get(pk, {}).get(sk)

    def partition(self, pk: str, prefix: str = "") -> list[Item]:
        """Return the items of a partition in the order of their sort keys."""
        found = self.items.get(pk, {})
        if pk not in self._sorted:
            self._sorted[pk] = sorted(found)
        order = self._sorted[pk]
        start, end = bisect_left(order, prefix), bisect_left(order, f"{prefix}\U0010ffff")
        return [found[sk] for sk in order[start:end]]

    def expire(self, now: float) -> None:
        """Delete what is past its `expiresAt` (seconds since 1970): TTL does so some time later, up to days."""
        due = [
            (item["pk"]["S"], sk)
            for part in self.items.values()
            for sk, item in part.items()
            if float(item.get(TTL, {}).get("N", "inf")) <= now
        ]
        for key in due:
            self._commit([(key, None)])

    # ── the client's operations ──

    def get_item(self, request: dict[str, Any]) -> Item:
        """GetItem."""
        found = self.get(*_key(request["Key"]))
        return {} if found is None else {"Item": found}

    def batch_get_item(self, request: dict[str, Any]) -> Item:
        """BatchGetItem, of one table, answered whole."""
        ((table, wanted),) = request["RequestItems"].items()
        assert wanted["ConsistentRead"], "decisions are made on consistent reads"
        assert 1 <= len(wanted["Keys"]) <= 100, "DynamoDB takes 1 to 100 keys"
        found = [self.get(*_key(key)) for key in wanted["Keys"]]
        return {"Responses": {table: [item for item in found if item is not None]}, "UnprocessedKeys": {}}

    def query(self, request: dict[str, Any]) -> Item:
        """Query, by partition and prefix, on the table or on the sparse index `pending`."""
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        expression = request["KeyConditionExpression"]
        assert expression in EXPRESSIONS, expression
        prefix, wanted = values.get(":prefix", {"S": ""})["S"], values[":pk"]["S"]
        if request.get("IndexName"):
            assert not request.get("ConsistentRead"), "an index has no consistent reads"
            every = (item for part in self.items.values() for item in part.values())
            found = [item for item in every if item.get(names["#pk"]) == {"S": wanted}]
            found.sort(key=lambda item: (item["sk"]["S"], item["pk"]["S"]))
        else:
            found = self.partition(wanted, prefix)
            if ":after" in values:
                found = [item for item in found if item["sk"]["S"] > values[":after"]["S"]]
        if not request.get("ScanIndexForward", True):
            found.reverse()
        return {"Items": found}

    def update_item(self, request: dict[str, Any]) -> Item:
        """UpdateItem: `SET a = :a, … REMOVE b`."""
        if not self._holds(request["Key"], request):
            raise refusal("UpdateItem", "ConditionalCheckFailedException", "The conditional request failed")
        self._commit([self._updated(request)])
        return {}

    def delete_item(self, request: dict[str, Any]) -> Item:
        """DeleteItem."""
        if not self._holds(request["Key"], request):
            raise refusal("DeleteItem", "ConditionalCheckFailedException", "The conditional request failed")
        self._commit([(_key(request["Key"]), None)])
        return {}

    def transact_write_items(self, request: dict[str, Any]) -> Item:
        """TransactWriteItems: all or nothing, once for each ClientRequestToken."""
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        assert 1 <= len(actions) <= 100, "a transaction has 1 to 100 actions"
        token, said = request["ClientRequestToken"], request["TransactItems"]
        if token in self._done:
            assert self._done[token] == said, "IdempotentParameterMismatch"
            return {}
        keys = [_key(how.get("Item") or how["Key"]) for _, how in actions]
        assert len(set(keys)) == len(keys), "a transaction has one action for each item"
        held = [self._holds(how.get("Item") or how["Key"], how) for _, how in actions]
        if not all(held):
            raise self.cancelled(["None" if good else "ConditionalCheckFailed" for good in held])
        writes: list[tuple[tuple[str, str], Item | None]] = []
        for key, (kind, how) in zip(keys, actions, strict=True):
            if kind == "Put":
                writes.append((key, how["Item"]))
            elif kind == "Update":
                writes.append(self._updated(how))
            elif kind == "Delete":
                writes.append((key, None))
            else:
                assert kind == "ConditionCheck", kind
        self._done[token] = said
        self._commit(writes)
        return {}

    def cancelled(self, codes: list[str]) -> Exception:
        """Return the refusal of a transaction, with a reason for each of its actions."""
        reasons = [{"Code": code} for code in codes]
        return refusal(
            "TransactWriteItems", "TransactionCanceledException", f"cancelled {codes}", CancellationReasons=reasons
        )

    # ── inside ──

    def _commit(self, writes: list[tuple[tuple[str, str], Item | None]]) -> None:
        changes = []
        for (pk, sk), item in writes:
            before = self.get(pk, sk)
            if (item is None) is not (before is None):
                self._sorted.pop(pk, None)
            if item is None:
                self.items.get(pk, {}).pop(sk, None)
            else:
                self.items.setdefault(pk, {})[sk] = item
            changes.append((before, item))
        for before, item in changes:
            for observe in self.observers:
                observe(before, item)

    def _updated(self, request: dict[str, Any]) -> tuple[tuple[str, str], Item]:
        key = _key(request["Key"])
        item = dict(self.get(*key) or request["Key"])
        changes, _, removed = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for change in changes.split(", "):
            name, value = change.split(" = ")
            item[name] = request["ExpressionAttributeValues"][value]
        if removed:
            item.pop(removed, None)
        return key, item

    def _holds(self, key: Item, request: dict[str, Any]) -> bool:
        condition = request.get("ConditionExpression")
        if condition is None:
            return True
        item = self.get(*_key(key))
        if condition == "attribute_not_exists(pk)":
            return item is None
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        return item is not None and all(_equal(part, item, names, values) for part in condition.split(" AND "))


def _equal(part: str, item: Item, names: dict[str, str], values: Item) -> bool:
    path, value = part.split(" = ")
    found: Any = {"M": item}
    for name in path.split("."):
        found = found.get("M", {}).get(names.get(name, name)) if found else None
    return bool(found == values[value])


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
