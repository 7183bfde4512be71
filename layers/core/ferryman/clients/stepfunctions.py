"""The edge to Step Functions: starting the `deploy` machine under a fixed name, and asking how it stands."""

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import StepFunctionsClient
from ferryman.contracts import Contract

if TYPE_CHECKING:
    from ferryman.decisions.snapshot import Execution


def name_of(platform: str, environment: str, deployment: str) -> str:
    """Return the name of a deployment's execution: at most 76 characters, unique for ever."""
    return f"{platform}-{environment}-{deployment}"


def arn_of(machine: str, name: str) -> str:
    """Return the ARN that an execution has or will have, so that a claim can store it before the start."""
    return f"{machine.replace(':stateMachine:', ':execution:', 1)}:{name}"


def ensure_started(states: StepFunctionsClient, machine: str, name: str, payload: str) -> bool:
    """Start an execution; return False when one of that name is there already.

    Which of them Step Functions refuses: docs/reference/aws-facts.md#step-functions.
    """
    try:
        with translated():
            states.start_execution(stateMachineArn=machine, name=name, input=payload)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return False
    return True


def describe(states: StepFunctionsClient, arn: str) -> "tuple[Execution, datetime | None]":
    """Return how an execution stands and when it ended. A fresh one may be missing for a moment."""
    # Only reconcile asks this; the steps that answer task tokens have no use for its snapshot.
    from ferryman.decisions.snapshot import Execution

    try:
        with translated():
            answer = states.describe_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return Execution.MISSING, None
    match answer["status"]:
        case "RUNNING" | "PENDING_REDRIVE":
            return Execution.RUNNING, None
        case "ABORTED":
            return Execution.ABORTED, answer.get("stopDate")
        case _:
            return Execution.ENDED, answer.get("stopDate")


# Somebody else answered, or the state timed out and asks again with a new token.
_DECIDED = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


def send_task_success(states: StepFunctionsClient, token: str, output: Contract) -> bool:
    """Answer one token; False when it was decided already. The output is the step's verdict."""
    try:
        with translated():
            states.send_task_success(taskToken=token, output=output.model_dump_json(by_alias=True))
    except ClientError as error:
        if error.response["Error"]["Code"] in _DECIDED:
            return False
        raise
    return True
