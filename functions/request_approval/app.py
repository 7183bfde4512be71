"""Step: ask people whether the deployment may go on; their answer goes to the task token."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.clients.ssm import References
from ferryman.contracts import RequestApprovalInput
from ferryman.runtime import client, step, store
from ferryman.steps import request_approval


@step(RequestApprovalInput)
def handler(event: RequestApprovalInput, context: LambdaContext) -> None:
    """Write down who may decide, and queue the messages."""
    request_approval.ask(
        event,
        store=store(),
        states=client("stepfunctions"),
        references=References(client("ssm")),
        clock=ids.now,
        new_id=ids.new_id,
    )
