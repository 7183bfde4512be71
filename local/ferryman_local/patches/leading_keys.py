"""The condition key dynamodb:LeadingKeys: the partition keys that a request is about. The emulator does not have it.

A transaction is allowed item by item, each with its own key. A Scan, and whatever else names no partition key, has no
such key at all, so that `ForAllValues` alone would allow it.

Source: "Using IAM policy conditions for fine-grained access control" in the DynamoDB Developer Guide, and the Service
Authorization Reference of DynamoDB.
"""

import json
import re
from typing import Any

from ferryman_local.patches.private_attributes import module

KEY = "dynamodb:LeadingKeys"
_TRANSACTION = ("ConditionCheck", "Put", "Update", "Delete", "Get")


class ItemArn(str):
    """The ARN of the table of one item of a transaction, with the item's partition key beside it."""

    __slots__ = ("context",)
    context: dict[str, Any]


def of_requests(original: Any) -> Any:
    """A request that names items has their partition keys in its context."""

    def context(body: bytes) -> dict[str, Any]:
        data = _json(body)
        keys = [key for request in _requests(data) if (key := _leading_key(request)) is not None]
        return {**original(body), **({KEY: keys} if keys else {})}

    return context


def of_transactions(original: Any) -> Any:
    """Each item of a transaction is checked with its own partition key."""

    def checks(iam_action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = original(iam_action, body, region, account)
        items = _json(body).get("TransactItems")
        named = [
            item[kind]
            for item in (items if isinstance(items, list) else [])
            for kind in _TRANSACTION
            if isinstance(item, dict) and isinstance(item.get(kind), dict) and item[kind].get("TableName")
        ]
        # As many as the original makes, in the same order, or none is a transaction.
        return [(action, _with_key(arn, request)) for (action, arn), request in zip(found, named, strict=True)]

    return checks


def _with_key(arn: str, request: dict[str, Any]) -> str:
    key, item = _leading_key(request), ItemArn(arn)
    item.context = {KEY: [key]} if key is not None else {}
    return item


def _requests(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests for items in a call, each with its table: one, or those of a batch."""
    if isinstance(batch := data.get("RequestItems"), dict):
        found = []
        for table, wanted in batch.items():
            gets = wanted.get("Keys", []) if isinstance(wanted, dict) else []
            found += [{"TableName": table, "Key": key} for key in gets]
            for one in wanted if isinstance(wanted, list) else []:
                found += [{"TableName": table, **change} for change in one.values()]
        return found
    return [data]


def _leading_key(request: dict[str, Any]) -> str | None:
    name = _partition_attribute(request)
    item = request.get("Key") or request.get("Item")
    if isinstance(item, dict):
        return _plain(item.get(name))
    condition = request.get("KeyConditionExpression")
    if not isinstance(condition, str):
        return None
    names = {alias for alias, real in (request.get("ExpressionAttributeNames") or {}).items() if real == name} | {name}
    for alias, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
        if alias in names:
            return _plain((request.get("ExpressionAttributeValues") or {}).get(value))
    return None


def _partition_attribute(request: dict[str, Any]) -> str:
    table = module("services.dynamodb")._tables.get(str(request.get("TableName", "")).rpartition("/")[2]) or {}
    schema = table.get("KeySchema") or []
    if wanted := request.get("IndexName"):
        indexes = [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]
        schema = next((one["KeySchema"] for one in indexes if one.get("IndexName") == wanted), schema)
    return next((str(part["AttributeName"]) for part in schema if part.get("KeyType") == "HASH"), "")


def _plain(value: Any) -> str | None:
    return str(next(iter(value.values()))) if isinstance(value, dict) and value else None


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
