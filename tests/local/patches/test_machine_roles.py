"""A state machine calls a function only if its own role may."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.clock import until

ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}],
}


@pytest.mark.parametrize("allowed", [True, False])
def test_a_machine_s_own_role_decides(aws: Callable[[str], Any], function: Callable[..., str], allowed: bool) -> None:
    called = function("def handler(event, context): return 1")
    role = aws("iam").create_role(RoleName=f"machine-{allowed}", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]
    statement = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": f"*:{called if allowed else 'other'}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("iam").put_role_policy(RoleName=role["RoleName"], PolicyName="call", PolicyDocument=policy)
    call = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": called}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": {**call, "End": True}}}
    states = aws("stepfunctions")
    machine = states.create_state_machine(name=role["RoleName"], roleArn=role["Arn"], definition=json.dumps(definition))
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found = until(ended, "the execution to end")
    if allowed:
        assert found["status"] == "SUCCEEDED"
        return
    assert (found["status"], found["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction" in found["cause"]
