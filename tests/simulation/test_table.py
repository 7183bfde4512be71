"""The model of DynamoDB against moto as it is: the same requests, the same answers and refusals, the same items."""

import json
import random
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ferryman.records import EnvironmentState, OutboxMessage, Release, ReleaseStatus, Wait
from ferryman.records.writes import Add, Fenced, Save, Unchanged
from ferryman.store import items, keys, transactions
from simulation.aws.table import Table
from simulation.scheduler import BEGINNING

NAME = "ferryman"
Request = dict[str, Any]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        names = ("pk", "sk", "pending")
        client.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "pending",
                    "KeySchema": [
                        {"AttributeName": "pending", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield client


def answer(do: Any) -> Any:
    """What a call answers: its items, or the code and the reasons of its refusal."""
    try:
        found = do()
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return error.response["Error"]["Code"], [reason["Code"] for reason in reasons]
    return found.get("Item"), found.get("Items")


def text(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def state(chosen: random.Random) -> EnvironmentState:
    return EnvironmentState(platform="scr", environment=chosen.choice("ab"), rev=chosen.randrange(4))


def message(number: int, *, sent: bool) -> OutboxMessage:
    return OutboxMessage(
        platform="scr", environment="a", owner="D", event=f"e{number}", channel="team", subject="s", text="t",
        created_at=BEGINNING, sent_at=BEGINNING if sent else None, attempts=number % 2,
    )  # fmt: skip


def wait(number: int, token: str) -> Wait:
    return Wait(
        resource=f"arn:{number}", platform="scr", environment="a", deployment="D", fence=1, step="s", token=token,
        at=BEGINNING,
    )  # fmt: skip


def requests(seed: int) -> Iterator[tuple[str, Request]]:
    """Requests of the kinds that the store makes, many of which fail."""
    chosen = random.Random(seed)
    for number in range(40):
        kind = chosen.randrange(6)
        if kind == 0:
            one, other = state(chosen), state(chosen)
            writes: list[Any] = [Save(one), Add(message(chosen.randrange(4), sent=chosen.random() < 0.3))]
            if one.environment != other.environment:
                writes.append(Unchanged(other))
            actions = [transactions.action(write, NAME) for write in writes]
            yield "transact_write_items", {"TransactItems": actions, "ClientRequestToken": f"{seed}-{number}"}
        elif kind == 1:
            fenced = Fenced("scr", "a", "D", chosen.randrange(2))
            actions = [transactions.action(item, NAME) for item in (fenced, Add(wait(1, chosen.choice("xy"))))]
            yield "transact_write_items", {"TransactItems": actions, "ClientRequestToken": f"{seed}-{number}"}
        elif kind == 2:
            yield "get_item", {"Key": items.attributes(keys.state("scr", chosen.choice("ab"))), "ConsistentRead": True}
        elif kind == 3:
            index = chosen.random() < 0.5
            yield (
                "query",
                {
                    "KeyConditionExpression": "#pk = :pk",
                    "ExpressionAttributeNames": {"#pk": "pending" if index else "pk"},
                    "ExpressionAttributeValues": {":pk": {"S": "OUTBOX" if index else "DEPLOYMENT#D"}},
                    "ScanIndexForward": chosen.random() < 0.5,
                    **({"IndexName": "pending"} if index else {"ConsistentRead": True}),
                },
            )
        elif kind == 4:
            yield (
                "delete_item",
                {
                    "Key": items.attributes(keys.wait(wait(1, ""))),
                    "ConditionExpression": "#token = :token",
                    "ExpressionAttributeNames": {"#token": "token"},
                    "ExpressionAttributeValues": {":token": {"S": chosen.choice("xy")}},
                },
            )
        else:
            key = keys.of(message(chosen.randrange(4), sent=True))
            yield (
                "update_item",
                {
                    "Key": items.attributes(key),
                    "UpdateExpression": "SET attempts = :attempts REMOVE pending",
                    "ConditionExpression": "attempts = :since",
                    "ExpressionAttributeValues": {":attempts": {"N": "1"}, ":since": {"N": str(chosen.randrange(2))}},
                },
            )


@pytest.mark.parametrize("seed", range(4))
def test_the_same_requests_have_the_same_answers(moto: Any, seed: int) -> None:
    table = Table()
    for operation, request in requests(seed):
        ours = answer(lambda: getattr(table, operation)(request))  # noqa: B023 - called at once
        if operation != "transact_write_items":
            request = {**request, "TableName": NAME}
        assert ours == answer(lambda: getattr(moto, operation)(**request)), operation  # noqa: B023
    ours_kept = [item for part in table.items.values() for item in part.values()]
    assert sorted(map(text, ours_kept)) == sorted(map(text, moto.scan(TableName=NAME)["Items"]))


def test_a_repeated_transaction_answers_as_the_first_time() -> None:
    table = Table()
    writes = [
        Save(Release(platform="scr", version="a1", status=ReleaseStatus.READY, first_seen_at=BEGINNING, ulid="1"))
    ]
    actions = [transactions.action(write, NAME) for write in writes]
    request = {"TransactItems": actions, "ClientRequestToken": "once"}
    assert table.transact_write_items(request) == table.transact_write_items(request)
    again = {**request, "ClientRequestToken": "another call"}
    with pytest.raises(ClientError, match="TransactionCanceled"):
        table.transact_write_items(again)


def test_ttl_deletes_what_has_expired_and_nothing_else() -> None:
    """Ours alone: moto deletes nothing. An `expiresAt` that is text is a field of a record, and no time for TTL."""
    table, changes = Table(), list[Any]()
    for name, expires in (("old", {"N": "99"}), ("new", {"N": "101"}), ("text", {"S": "2026"})):
        table._commit([((name, "a"), {"pk": {"S": name}, "sk": {"S": "a"}, "expiresAt": expires})])
    table._commit([(("none", "a"), {"pk": {"S": "none"}, "sk": {"S": "a"}})])
    table.observers.append(lambda before, after: changes.append((before and before["pk"]["S"], after)))
    table.expire(100.0)
    assert changes == [("old", None)]
    assert table.get("old", "a") is None
    assert all(table.get(name, "a") for name in ("new", "text", "none"))
