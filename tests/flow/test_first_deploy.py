"""The first deployment in a new account, whose limit of concurrent Lambdas is 10: it fails, and the next one works."""

from pathlib import Path

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.local_aws import CHECKOUT
from ferryman_local.provisioning import operator_parameters
from ferryman_local.provisioning.operator_stack import OperatorError, deploy_operator
from flow.documents import document

ADMIN = {"AdminArns": "arn:aws:iam::000000000000:role/Admins"}
README = ["--on-failure", "DELETE"]
"""What the README says for the first deployment."""


@pytest.fixture(autouse=True)
def calm() -> None:
    """In place of the shared local AWS's, which is not needed here."""


def test_a_first_deployment_that_fails_does_not_block_the_second(tmp_path: Path) -> None:
    with Emulator(tmp_path / "state") as emulator:
        operator_parameters.write(emulator, [document("scr")])
        limit = f"{emulator.endpoint}/_ferryman/concurrency-limit"
        httpx.put(limit, json={"limit": 10}, trust_env=False).raise_for_status()
        cloudformation = emulator.session().client("cloudformation")

        with pytest.raises(OperatorError, match="exited with status 1"):
            deploy_operator(emulator, CHECKOUT, ADMIN, options=README)
        assert [it for it in cloudformation.describe_stacks()["Stacks"] if it["StackName"] == "ferryman"] == []

        fewer = {"ApprovalConcurrency": "0", "SlackConcurrency": "0"}
        deploy_operator(emulator, CHECKOUT, {**ADMIN, **fewer}, options=README)
        functions = emulator.session().client("lambda")
        for logical in ("DecideApproval", "SlackActions"):
            name = cloudformation.describe_stack_resource(StackName="ferryman", LogicalResourceId=logical)
            physical = name["StackResourceDetail"]["PhysicalResourceId"]
            # 0 would switch the function off.
            assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=physical)
