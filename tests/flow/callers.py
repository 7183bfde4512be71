"""People with AWS credentials of their own: users, and sessions of roles, each with the API as they use it."""

import json
from dataclasses import dataclass
from typing import Any

from ferryman_cli.transport import Api
from flow.stage import Stage

IDENTITY_CENTER = "/aws-reserved/sso.amazonaws.com/"
_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["lambda:InvokeFunctionUrl", "lambda:Invoke*"], "Resource": "*"}],
    }
)


@dataclass(frozen=True)
class Caller:
    """Somebody who may call the API."""

    arn: str
    api: Api


def user(stage: Stage, name: str) -> Caller:
    """A new IAM user."""
    iam = stage.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="call", PolicyDocument=_POLICY)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Caller(arn, _api(stage, stage.aws.emulator.session(key["AccessKeyId"], key["SecretAccessKey"])))


def role(stage: Stage, name: str, path: str = "/") -> str:
    """A new role that everybody in the account may assume; its ARN."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    document = json.dumps({"Version": "2012-10-17", **trust})
    made = stage.client("iam").create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)["Role"]
    stage.client("iam").put_role_policy(RoleName=name, PolicyName="call", PolicyDocument=_POLICY)
    arn: str = made["Arn"]
    return arn


def drop_role(stage: Stage, name: str) -> None:
    """Delete a role of `role`."""
    stage.client("iam").delete_role_policy(RoleName=name, PolicyName="call")
    stage.client("iam").delete_role(RoleName=name)


def session(stage: Stage, role_arn: str, name: str) -> Caller:
    """A session of a role, under a name that whoever assumes it chooses."""
    taken = stage.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=name)
    key = taken["Credentials"]
    made = stage.aws.emulator.session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return Caller(taken["AssumedRoleUser"]["Arn"], _api(stage, made))


def _api(stage: Stage, session: Any) -> Api:
    return Api(
        stage.aws.outputs["ApiUrl"],
        credentials=session.get_credentials(),
        region=stage.aws.emulator.region,
        function=stage.aws.outputs["ApiFunctionArn"],
        connect=stage.aws.emulator.endpoint,
    )
