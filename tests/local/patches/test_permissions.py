"""The local AWS tells which statement allowed a role's requests, and what it was denied: `/_ferryman/permissions`."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from ferryman_local.emulator import Emulator

KEYS = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*", "B#*"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}
STATEMENTS = [
    {"Sid": "Read", "Action": "dynamodb:GetItem", "Resource": ["*:table/other", "*:table/asked"], "Condition": KEYS},
    {"Sid": "Check", "Action": ["dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"], "Resource": "*"},
    {"Sid": "Again", "Action": "dynamodb:DescribeTable", "Resource": "*"},
]


@pytest.fixture
def role() -> str:
    return f"asker-{uuid4().hex[:8]}"


@pytest.fixture
def dynamodb(aws: Callable[[str], Any], emulator: Emulator, role: str) -> Any:
    """DynamoDB as that role, which has these statements."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    made = aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in STATEMENTS]}
    aws("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = aws("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="asking")["Credentials"]
    session = emulator.session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    if "asked" not in aws("dynamodb").list_tables()["TableNames"]:
        aws("dynamodb").create_table(
            TableName="asked",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
    return session.client("dynamodb")


def told(emulator: Emulator, role: str, method: str = "GET") -> dict[str, list[dict[str, Any]]]:
    answer = httpx.request(method, f"{emulator.endpoint}/_ferryman/permissions", trust_env=False, timeout=10)
    return {use["action"]: use["allowedBy"] for use in answer.json() if use["role"] == role}


def test_a_request_names_its_statement_its_resource_and_its_partition(
    emulator: Emulator, role: str, dynamodb: Any
) -> None:
    dynamodb.get_item(TableName="asked", Key={"pk": {"S": "B#1"}})
    dynamodb.get_item(TableName="asked", Key={"pk": {"S": "B#2"}})
    assert told(emulator, role) == {"dynamodb:GetItem": [{"sid": "Read", "resource": 1, "values": ["B#*"]}]}
    assert told(emulator, role, "DELETE")
    assert told(emulator, role) == {}


def test_each_statement_that_would_have_done_is_named(emulator: Emulator, role: str, dynamodb: Any) -> None:
    dynamodb.describe_table(TableName="asked")
    assert [one["sid"] for one in told(emulator, role)["dynamodb:DescribeTable"]] == ["Check", "Again"]


def test_what_is_denied_is_allowed_by_nothing(emulator: Emulator, role: str, dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(TableName="asked", Key={"pk": {"S": "C#1"}})
    assert told(emulator, role) == {"dynamodb:GetItem": []}


def test_each_item_of_a_transaction_is_a_request(emulator: Emulator, role: str, dynamodb: Any) -> None:
    check = {"TableName": "asked", "Key": {"pk": {"S": "A#1"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    dynamodb.transact_write_items(TransactItems=[{"ConditionCheck": check}])
    assert told(emulator, role)["dynamodb:ConditionCheckItem"] == [{"sid": "Check", "resource": 0, "values": []}]
