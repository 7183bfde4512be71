"""SimulatePrincipalPolicy on the local AWS: the operator asks it which roles it may pass."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients import pass_role
from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import people

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]})
ROLE = "arn:aws:iam::000000000000:role/"


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@pytest.fixture(scope="module")
def passes(aws: Callable[[str], Any]) -> str:
    """The ARN of a role that may pass two roles to ECS tasks, and a third one to EventBridge."""
    made: str = aws("iam").create_role(RoleName="passes", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    for name, roles, service in (
        ("tasks", [f"{ROLE}task", f"{ROLE}path/execution"], "ecs-tasks.amazonaws.com"),
        ("jobs", [f"{ROLE}jobs"], "events.amazonaws.com"),
    ):
        document = policy(
            Action="iam:PassRole", Resource=roles, Condition={"StringEquals": {"iam:PassedToService": service}}
        )
        aws("iam").put_role_policy(RoleName="passes", PolicyName=name, PolicyDocument=document)
    return made


def test_each_role_is_judged_with_its_condition(aws: Callable[[str], Any], passes: str) -> None:
    named = {f"{ROLE}{name}" for name in ("task", "path/execution", "execution", "jobs", "somebody-elses")}
    refused = pass_role.refused(aws("iam"), passes, named)
    assert refused == {f"{ROLE}{name}" for name in ("execution", "jobs", "somebody-elses")}


def test_who_may_ask_about_one_role_may_not_ask_about_another(emulator: Emulator, passes: str) -> None:
    who = people.person(emulator.session(), "simulates")
    document = policy(Action="iam:SimulatePrincipalPolicy", Resource=passes)
    emulator.session().client("iam").put_user_policy(UserName="simulates", PolicyName="ask", PolicyDocument=document)
    iam = emulator.session(who.access_key, who.secret_key).client("iam")
    assert pass_role.refused(iam, passes, [f"{ROLE}task"]) == set()
    with pytest.raises(ClientError, match="AccessDenied"):
        pass_role.refused(iam, f"{ROLE}task", [f"{ROLE}task"])
