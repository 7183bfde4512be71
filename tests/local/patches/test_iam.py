"""The emulator's IAM asks what AWS asks: for the path of a role, and for the tags of a new task definition."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import people

PATH = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def test_a_policy_for_roles_below_a_path_allows_no_role_of_another_path(
    emulator: Emulator, aws: Callable[..., Any]
) -> None:
    iam = aws("iam")
    real, other = "AWSReservedSSO_Path_0123456789abcdef", "AWSReservedSSO_Path_fedcba9876543210"
    iam.create_role(RoleName=real, Path=PATH, AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName=other, AssumeRolePolicyDocument=TRUST)
    who = people.person(emulator.session(), "path-reader")
    statement = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": f"arn:aws:iam::*:role{PATH}*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="path-reader", PolicyName="read", PolicyDocument=policy)
    reader = emulator.session(who.access_key, who.secret_key).client("iam")
    assert reader.get_role(RoleName=real)["Role"]["Path"] == PATH
    for name in (other, "AWSReservedSSO_Path_0000000000000000"):
        with pytest.raises(ClientError) as refused:
            reader.get_role(RoleName=name)
        assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_registering_a_task_definition_with_tags_needs_the_permission_to_tag_it(emulator: Emulator) -> None:
    who = people.person(emulator.session(), "tagger")
    ecs = emulator.session(who.access_key, who.secret_key).client("ecs")
    wanted: dict[str, Any] = {"family": "tagged", "containerDefinitions": [{"name": "app", "image": "app"}]}
    allow(emulator, "tagger", {"Action": "ecs:RegisterTaskDefinition", "Resource": "*"})
    ecs.register_task_definition(**wanted)
    with pytest.raises(ClientError, match="AccessDenied"):
        ecs.register_task_definition(**wanted, tags=[{"key": "team", "value": "web"}])
    new = {"Condition": {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}}}
    tagging = {"Action": "ecs:TagResource", "Resource": "arn:aws:ecs:*:*:task-definition/tagged*", **new}
    allow(emulator, "tagger", {"Action": "ecs:RegisterTaskDefinition", "Resource": "*"}, tagging)
    ecs.register_task_definition(**wanted, tags=[{"key": "team", "value": "web"}])


def test_a_batch_of_messages_needs_the_permission_to_send_one(emulator: Emulator, aws: Callable[..., Any]) -> None:
    who = people.person(emulator.session(), "sender")
    sqs = emulator.session(who.access_key, who.secret_key).client("sqs")
    url = aws("sqs").create_queue(QueueName="batches")["QueueUrl"]
    batch = {"QueueUrl": url, "Entries": [{"Id": "0", "MessageBody": "x"}]}
    allow(emulator, "sender", {"Action": "sqs:ReceiveMessage", "Resource": "*"})
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.send_message_batch(**batch)
    allow(emulator, "sender", {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:batches"})
    assert [one["Id"] for one in sqs.send_message_batch(**batch)["Successful"]] == ["0"]


def allow(emulator: Emulator, user: str, *statements: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    emulator.session().client("iam").put_user_policy(
        UserName=user, PolicyName="allowed", PolicyDocument=json.dumps(policy)
    )
