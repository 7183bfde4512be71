"""A Step Functions that behaves: names are used once, executions appear late, tokens are answered once."""

from datetime import datetime
from typing import Any

from unit.fakes.ecr import Trouble, refused
from unit.fakes.ecs import refusal

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:deploy"
MIGRATE_MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:migrate"


class FakeStates:
    """Executions by ARN, and task tokens. `late`: how many times a fresh execution is not found yet."""

    def __init__(self, late: int = 0) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.started: list[str] = []
        self.asked = 0
        """How often StartExecution was called."""
        self.late = late
        self.trouble = Trouble()
        self._hidden: dict[str, int] = {}
        self.open: set[str] = set()
        """Tokens that wait; any other one that was not answered has timed out."""
        self.answers: dict[str, str] = {}
        """Token → output; each is answered once."""
        self.fail: list[Exception] = []
        """What SendTaskSuccess raises, each once."""

    # ── executions ──

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        self.asked += 1
        self.trouble.strike(self.trouble.before, "StartExecution")
        arn = f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"
        known = self.executions.get(arn)
        if known is None:
            self.executions[arn] = {"status": "RUNNING", "input": input}
            self.started.append(name)
            self._hidden[arn] = self.late
        elif known["status"] != "RUNNING" or known["input"] != input:
            raise refused("StartExecution", "ExecutionAlreadyExists")
        self.trouble.strike(self.trouble.after, "StartExecution")
        return {"executionArn": arn}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.trouble.strike(self.trouble.before, "DescribeExecution")
        if self._hidden.get(executionArn, 0) > 0:
            self._hidden[executionArn] -= 1
            raise refused("DescribeExecution", "ExecutionDoesNotExist")
        if executionArn not in self.executions:
            raise refused("DescribeExecution", "ExecutionDoesNotExist")
        return self.executions[executionArn]

    def end(self, arn: str, status: str, at: datetime) -> None:
        self.executions[arn] |= {"status": status, "stopDate": at}

    # ── task tokens ──

    def send_task_success(self, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        if self.fail:
            raise self.fail.pop(0)
        if taskToken not in self.open:
            raise refusal("SendTaskSuccess", "TaskDoesNotExist" if taskToken in self.answers else "TaskTimedOut")
        self.open.remove(taskToken)
        self.answers[taskToken] = output
        return {}
