"""The emulator's IAM looks at a role's path, as AWS does: only so can the operator prove where a session comes from."""

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
