"""IAM users of the local AWS that stand for people, so that calls of the API come from somebody with a role."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials

ADMIN = "local-admin"
"""The user that `ferryman local env` and the demo act as: the one admin of the local operator."""

ROLES = ("viewer", "deployer", "approver")
"""Each has a user `local-ROLE` with that role on every environment of every local platform."""


def grants(account: str) -> list[dict[str, Any]]:
    """The roles of the local users, as Terraform writes those of real people."""
    return [
        {"role": role, "environments": ["*"], "principals": [f"arn:aws:iam::{account}:user/local-{role}"]}
        for role in ROLES
    ]


@dataclass(frozen=True)
class LocalPerson:
    """A user with one access key, or a session of a role."""

    arn: str
    access_key: str
    secret_key: str
    token: str | None = None
    """Of a session."""

    @property
    def credentials(self) -> Credentials:
        """The key, as botocore's signers take it."""
        return Credentials(self.access_key, self.secret_key, self.token)

    @property
    def env(self) -> dict[str, str]:
        """Environment variables with which any AWS client acts as this user."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def person(session: Any, name: str, *actions: str, policy: str | None = None) -> LocalPerson:
    """A user who may do these actions on everything, or what a managed policy allows; its access key is a new one."""
    iam = session.client("iam")
    try:
        arn = iam.get_user(UserName=name)["User"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_user(UserName=name)["User"]["Arn"]
    for old in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=old["AccessKeyId"])
    if actions:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    if policy is not None:
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return LocalPerson(arn, key["AccessKeyId"], key["SecretAccessKey"])
