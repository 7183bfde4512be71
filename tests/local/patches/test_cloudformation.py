"""Stacks on the local AWS: what they were given for an SSM parameter, and what they may reserve of Lambda."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import WaiterError

from ferryman_local.emulator import Emulator

TEMPLATE = {
    "Parameters": {
        "Names": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/cfn/names"},
        "Plain": {"Type": "String", "Default": "a <b> & c"},
    },
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}


def reserving(number: int, role: str) -> str:
    properties = {
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Role": role,
        "ReservedConcurrentExecutions": number,
    }
    return json.dumps({"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}})


@pytest.fixture
def limit(emulator: Emulator) -> Iterator[Callable[[int], None]]:
    """Set the account's limit of concurrent Lambdas."""

    def put(number: int) -> None:
        url = f"{emulator.endpoint}/_ferryman/concurrency-limit"
        httpx.put(url, json={"limit": number}, trust_env=False).raise_for_status()

    yield put
    put(1000)


def test_a_stack_tells_the_name_of_an_ssm_parameter_and_what_it_held(aws: Callable[..., Any]) -> None:
    aws("ssm").put_parameter(Name="/cfn/names", Value="a,b & c", Type="StringList")
    stacks = aws("cloudformation")
    stacks.create_stack(StackName="held", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="held", WaiterConfig={"Delay": 1})
    aws("ssm").put_parameter(Name="/cfn/names", Value="changed", Type="StringList", Overwrite=True)
    found = {it["ParameterKey"]: it for it in stacks.describe_stacks(StackName="held")["Stacks"][0]["Parameters"]}
    assert (found["Names"]["ParameterValue"], found["Names"]["ResolvedValue"]) == ("/cfn/names", "a,b & c")
    assert (found["Plain"]["ParameterValue"], "ResolvedValue" in found["Plain"]) == ("a <b> & c", False)


@pytest.mark.parametrize(("most", "reserved", "taken"), [(10, 1, False), (500, 5, True)])
def test_what_leaves_the_account_too_little_is_refused(
    aws: Callable[..., Any], role: str, limit: Callable[[int], None], most: int, reserved: int, taken: bool
) -> None:
    limit(most)
    stacks, name = aws("cloudformation"), f"reserves-{most}"
    before = aws("lambda").get_account_settings()["AccountLimit"]
    assert before["ConcurrentExecutions"] == most
    stacks.create_stack(StackName=name, TemplateBody=reserving(reserved, role))
    waiter = stacks.get_waiter("stack_create_complete")
    with contextlib.nullcontext() if taken else pytest.raises(WaiterError):
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1})
    told = [it.get("ResourceStatusReason", "") for it in stacks.describe_stack_events(StackName=name)["StackEvents"]]
    assert any("below its minimum value of [10]" in one for one in told) != taken
    after = aws("lambda").get_account_settings()["AccountLimit"]
    left = before["UnreservedConcurrentExecutions"] - after["UnreservedConcurrentExecutions"]
    assert left == (reserved if taken else 0)
