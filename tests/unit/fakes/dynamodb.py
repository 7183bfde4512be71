"""DynamoDB as far as `store.table` uses it, in plain dictionaries: moto takes 50 times as long for nested items.

It knows the store's own expressions and refuses every other. The tests of the store run against this and against moto,
so that the two can't drift apart.
"""

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ferryman.records import limits
from ferryman.store import sizes

Item = dict[str, Any]
TABLE = "ferryman"
EXPRESSIONS = ("#pk = :pk", "#pk = :pk AND begins_with(sk, :prefix)", "#pk = :pk AND sk > :after")
CONSISTENT = "decisions are made on consistent reads; only an index has none"


class FakeDynamoDb:
    """One table, whatever its name."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.most = limits.ITEM
        """Bytes of an item; a test that wants refusals takes fewer."""
        self.largest_item, self.largest_transaction, self.most_actions = 0, 0, 0

    # ── the client's methods, with boto3's own argument names ──

    def get_item(self, *, Key: Item, ConsistentRead: bool = False, **_: Any) -> Item:  # noqa: N803
        assert ConsistentRead, CONSISTENT
        found = self.items.get(_key(Key))
        return {} if found is None else {"Item": _copy(found)}

    def batch_get_item(self, *, RequestItems: Item) -> Item:  # noqa: N803
        ((table, request),) = RequestItems.items()
        assert request["ConsistentRead"], CONSISTENT
        wanted = [_key(key) for key in request["Keys"]]
        assert 1 <= len(wanted) <= 100, "DynamoDB takes 1 to 100 keys"
        assert len(set(wanted)) == len(wanted), "DynamoDB takes each key once"
        # What does not fit into one answer is left out; here it is what is beyond the first half.
        done = wanted[: max(1, len(wanted) // 2)]
        left = [key for key in request["Keys"] if _key(key) not in done]
        # The answer has no order.
        found = [_copy(self.items[key]) for key in reversed(done) if key in self.items]
        unread = {table: {**request, "Keys": left}} if left else {}
        return {"Responses": {table: found}, "UnprocessedKeys": unread}

    def put_item(self, *, Item: Item, **_: Any) -> Item:  # noqa: N803
        self._weigh(Item, "PutItem")
        self.items[_key(Item)] = _copy(Item)
        return {}

    def delete_item(self, *, Key: Item, **how: Any) -> Item:  # noqa: N803
        if not self._holds(Key, how):
            raise _error("ConditionalCheckFailedException", "DeleteItem")
        self.items.pop(_key(Key), None)
        return {}

    def update_item(self, *, Key: Item, UpdateExpression: str, **how: Any) -> Item:  # noqa: N803
        if not self._holds(Key, how):
            raise _error("ConditionalCheckFailedException", "UpdateItem")
        item = _copy(self.items.get(_key(Key), dict(Key)))
        changes, _, removed = UpdateExpression.removeprefix("SET ").partition(" REMOVE ")
        for change in changes.split(", "):
            name, value = change.split(" = ")
            item[name] = _copy(how["ExpressionAttributeValues"][value])
        if removed:
            item.pop(removed, None)
        self._weigh(item, "UpdateItem")
        self.items[_key(Key)] = item
        return {}

    def transact_write_items(self, *, TransactItems: list[Item]) -> Item:  # noqa: N803
        assert 1 <= len(TransactItems) <= 100, "DynamoDB takes 1 to 100 actions"
        actions = [next(iter(action.items())) for action in TransactItems]
        keys = [_key(how.get("Item") or how["Key"]) for _, how in actions]
        assert len(set(keys)) == len(keys), "DynamoDB takes one action per item in a transaction"
        size = sum(self._weigh(how["Item"], "TransactWriteItems") for kind, how in actions if kind == "Put")
        if size > limits.TRANSACTION:
            raise _error("ValidationException", "TransactWriteItems")
        held = [self._holds(how.get("Item") or how["Key"], how) for _, how in actions]
        if not all(held):
            reasons = [{"Code": "None" if good else "ConditionalCheckFailed"} for good in held]
            raise _error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        self.largest_transaction = max(self.largest_transaction, size)
        self.most_actions = max(self.most_actions, len(actions))
        for kind, how in actions:
            if kind == "Put":
                self.put_item(Item=how["Item"])
            elif kind == "Update":
                self.update_item(**how)
            elif kind == "Delete":
                self.items.pop(_key(how["Key"]), None)
            else:
                assert kind == "ConditionCheck", kind
        return {}

    def query(self, *, ScanIndexForward: bool = True, **how: Any) -> Item:  # noqa: N803
        names, values = how["ExpressionAttributeNames"], how["ExpressionAttributeValues"]
        expression = how["KeyConditionExpression"]
        assert expression in EXPRESSIONS, expression
        assert bool(how.get("IndexName")) is not how.get("ConsistentRead"), CONSISTENT
        prefix, partition = values.get(":prefix", {"S": ""})["S"], values[":pk"]["S"]
        after = values.get(":after", {"S": ""})["S"]
        # What is stored is never changed in place, so the items' own attributes can be given out.
        if names["#pk"] == "pk":
            found = [
                dict(item)
                for (pk, sk), item in self.items.items()
                if pk == partition and sk.startswith(prefix) and sk > after
            ]
        else:
            found = [dict(item) for item in self.items.values() if item.get(names["#pk"]) == values[":pk"]]
        return {"Items": sorted(found, key=lambda item: item["sk"]["S"], reverse=not ScanIndexForward)}

    def _weigh(self, item: Item, operation: str) -> int:
        size = sizes.of_item(item)
        if size > self.most:
            raise _error("ValidationException", operation)
        self.largest_item = max(self.largest_item, size)
        return size

    # ── conditions ──

    def _holds(self, key: Item, how: Item) -> bool:
        condition = how.get("ConditionExpression")
        item = self.items.get(_key(key))
        names, values = how.get("ExpressionAttributeNames", {}), how.get("ExpressionAttributeValues", {})
        if condition is None:
            return True
        if condition == "attribute_not_exists(pk)":
            return item is None
        return item is not None and all(_equal(part, item, names, values) for part in condition.split(" AND "))


def _equal(part: str, item: Item, names: dict[str, str], values: Item) -> bool:
    path, value = part.split(" = ")
    found: Any = {"M": item}
    for name in path.split("."):
        found = found.get("M", {}).get(names.get(name, name)) if found else None
    return bool(found == values[value])


def _copy(value: Any) -> Any:
    """Copy plain data; copy.deepcopy takes five times as long."""
    if isinstance(value, dict):
        return {name: item if type(item) is str else _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)  # type: ignore[arg-type]


class SharedDynamoDb:
    """The fake table for many threads: one call at a time, as one partition does it."""

    def __init__(self) -> None:
        self._table, self._lock = FakeDynamoDb(), threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._table, name)(**arguments)

        return call
