"""dynamodb:LeadingKeys on the local AWS: a role reads and writes its partitions, and nothing without one."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from ferryman_local.emulator import Emulator

TABLE = "leading"
OWN, FOREIGN = {"S": "APPROVAL#1"}, {"S": "PLATFORM"}


def condition(*keys: str, null: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}
    return found | ({"Null": {"dynamodb:LeadingKeys": "false"}} if null else {})


@pytest.fixture(scope="module")
def table(aws: Callable[[str], Any]) -> None:
    aws("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )


@pytest.fixture
def as_user(aws: Callable[[str], Any], emulator: Emulator, table: None) -> Callable[..., Any]:
    """DynamoDB as a user with these statements may use it."""
    iam = aws("iam")

    def make(*statements: dict[str, Any]) -> Any:
        name = f"leading-{uuid4().hex}"
        iam.create_user(UserName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return emulator.session(key["AccessKeyId"], key["SecretAccessKey"]).client("dynamodb")

    return make


def put(pk: dict[str, str]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {"pk": pk, "sk": {"S": "x"}}}}


def check(pk: dict[str, str]) -> dict[str, Any]:
    key = {"pk": pk, "sk": {"S": "none"}}
    return {"ConditionCheck": {"TableName": TABLE, "Key": key, "ConditionExpression": "attribute_not_exists(pk)"}}


def denied(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return True
    return False


def test_a_partition_is_allowed_or_not(as_user: Callable[..., Any]) -> None:
    actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:BatchGetItem"]
    db = as_user({"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition("APPROVAL#*")})
    for pk, expected in ((OWN, False), (FOREIGN, True)):
        key = {"pk": pk, "sk": {"S": "x"}}
        query = {
            "KeyConditionExpression": "#pk = :pk AND begins_with(sk, :sk)",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": {":pk": pk, ":sk": {"S": "x"}},
        }
        assert denied(db.get_item, TableName=TABLE, Key=key) is expected
        assert denied(db.put_item, TableName=TABLE, Item=key) is expected
        assert denied(db.query, TableName=TABLE, **query) is expected
        assert denied(db.update_item, TableName=TABLE, Key=key) is expected
        assert denied(db.batch_get_item, RequestItems={TABLE: {"Keys": [key]}}) is expected


def test_each_item_of_a_transaction_is_asked_for_by_its_own_key(as_user: Callable[..., Any]) -> None:
    db = as_user(
        {"Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": "*", "Condition": condition("APPROVAL#*")},
        {
            "Effect": "Allow",
            "Action": ["dynamodb:ConditionCheckItem"],
            "Resource": "*",
            "Condition": condition("PLATFORM"),
        },
    )
    assert not denied(db.transact_write_items, TransactItems=[put(OWN), check(FOREIGN)])
    assert denied(db.transact_write_items, TransactItems=[put(OWN), put(FOREIGN)])
    assert denied(db.transact_write_items, TransactItems=[put(OWN), check(OWN)])


@pytest.mark.parametrize("null", [True, False])
def test_what_names_no_partition_is_allowed_without_null_only(as_user: Callable[..., Any], null: bool) -> None:
    statement = {"Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": "*"}
    db = as_user(statement | {"Condition": condition("APPROVAL#*", null=null)})
    assert denied(db.scan, TableName=TABLE) is null
