"""IAM users of the local AWS that stand for people, so that calls of the API come from somebody with a role."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials

ADMIN = "local-admin"
"""The user that `ferryman local env` and the demo act as: the one admin of the local operator."""


@dataclass(frozen=True)
class LocalPerson:
    """A user with one access key."""

    arn: str
    access_key: str
    secret_key: str

    @property
    def credentials(self) -> Credentials:
        """The key, as botocore's signers take it."""
        return Credentials(self.access_key, self.secret_key)

    @property
    def env(self) -> dict[str, str]:
        """Environment variables with which any AWS client acts as this user."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def person(session: Any, name: str, *actions: str) -> LocalPerson:
    """A user who may do these actions on everything, with a new access key in place of older ones."""
    iam = session.client("iam")
    try:
        arn = iam.get_user(UserName=name)["User"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_user(UserName=name)["User"]["Arn"]
    for old in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=old["AccessKeyId"])
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return LocalPerson(arn, key["AccessKeyId"], key["SecretAccessKey"])
