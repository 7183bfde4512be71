"""The interpreter of ASL: retries, catches, variables, tokens, aborts, and expressions without a value."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulation.aws.machines import Execution, Machines, StateError, check, evaluate, transitions
from simulation.sandboxes import definition
from simulation.scheduler import Future, Scheduler

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:some"
LAMBDA = "arn:aws:states:::lambda:invoke"


class Bench:
    """A machine whose functions answer as a test says."""

    def __init__(self, machine: dict[str, Any], *answers: Any) -> None:
        self.scheduler, self.ended, self.asked = Scheduler(), [], []
        self._answers = list(answers)
        self.machines = Machines(self.scheduler, self._invoke, self.ended.append)
        self.machines.define(ARN, machine)

    def _invoke(self, function: str, payload: Any) -> Future:
        self.asked.append((round(self.scheduler.seconds, 3), payload))
        future, answer = Future(), self._answers.pop(0) if self._answers else None
        if isinstance(answer, StateError):
            future.set(error=answer)
        else:
            future.set(answer)
        return future

    def run(self, seconds: float = 1000) -> Execution:
        self.machines.start_execution({"stateMachineArn": ARN, "name": "e", "input": '{"a": 1}'})
        self.go_on(seconds)
        return self.machines.executions[f"{ARN.replace('stateMachine', 'execution')}:e"]

    def go_on(self, seconds: float) -> None:
        while self.scheduler.next_at() <= seconds:
            self.scheduler.step()


def task(**more: Any) -> dict[str, Any]:
    arguments = {"FunctionName": "${F}", "Payload": "{% $states.input %}"}
    work = {"Type": "Task", "Resource": LAMBDA, "Arguments": arguments, "End": True} | more
    return {"StartAt": "Work", "States": {"Work": work, "Other": {"Type": "Succeed"}}}


def test_a_retrier_tries_again_and_has_its_own_count() -> None:
    retry = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2}]
    bench = Bench(task(Retry=retry), StateError("Throttled"), StateError("Throttled"), {"done": True})
    assert bench.run().status == "SUCCEEDED"
    assert [at for at, _ in bench.asked] == [0, 2, 6]


def test_after_its_last_attempt_the_error_is_caught() -> None:
    retry = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "Other"}]
    bench = Bench(task(Retry=retry, Catch=caught), *[StateError("Throttled")] * 2)
    assert bench.run().status == "SUCCEEDED"
    assert bench.machines.transitions["some", "Work", "Other"] == 1


@pytest.mark.parametrize("error", ["States.Runtime", "States.DataLimitExceeded"])
def test_some_errors_are_caught_by_nothing(error: str) -> None:
    bench = Bench(task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Other"}]), StateError(error))
    assert bench.run().status == "FAILED"


def test_an_expression_without_a_value_fails_the_state() -> None:
    bench = Bench(task(Output="{% $states.result.Payload.nothing %}"), {"done": True})
    execution = bench.run()
    assert execution.error is not None
    assert (execution.status, execution.error.error) == ("FAILED", "States.QueryEvaluationError")


@pytest.mark.parametrize(
    ("expression", "value"),
    [("$x", None), ("$x = null", True), ("$count($y[$not($ in [1])])", 1), ("$reverse($y)", [2, 1])],
)
def test_null_is_a_value(expression: str, value: Any) -> None:
    assert evaluate(expression, {"x": None, "y": [1, 2]}) == value


def waiting() -> Bench:
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 1}]
    payload = {"FunctionName": "${F}", "Payload": {"token": "{% $states.context.Task.Token %}"}}
    return Bench(task(Resource=f"{LAMBDA}.waitForTaskToken", Arguments=payload, TimeoutSeconds=60, Retry=retry))


def test_a_token_is_answered_once_and_each_try_has_its_own() -> None:
    bench = waiting()
    execution = bench.run(70)
    assert [at for at, _ in bench.asked] == [0, 61]
    first, second = (payload["token"] for _, payload in bench.asked)
    with pytest.raises(ClientError, match="TaskTimedOut"):
        bench.machines.send_task_success({"taskToken": first, "output": "{}"})
    bench.machines.send_task_success({"taskToken": second, "output": "{}"})
    with pytest.raises(ClientError, match="TaskTimedOut"):
        bench.machines.send_task_success({"taskToken": second, "output": "{}"})
    bench.go_on(80)
    assert execution.status == "SUCCEEDED"


def test_nothing_of_a_stopped_execution_goes_on() -> None:
    bench = waiting()
    execution = bench.run(10)
    bench.machines.stop(execution.arn)
    bench.go_on(1000)
    assert (execution.status, len(bench.asked), len(bench.ended)) == ("ABORTED", 1, 1)


def test_a_redrive_begins_the_state_again_and_nothing_of_the_first_run_goes_on() -> None:
    bench = waiting()
    execution = bench.run(10)
    bench.machines.stop(execution.arn)
    bench.machines.redrive(execution.arn)
    bench.go_on(50)
    first, second = (payload["token"] for _, payload in bench.asked)
    bench.machines.send_task_success({"taskToken": first, "output": "{}"})
    bench.go_on(55)
    assert execution.status == "RUNNING"
    bench.machines.send_task_success({"taskToken": second, "output": "{}"})
    bench.go_on(60)
    assert (execution.status, len(bench.ended)) == ("SUCCEEDED", 2)


def test_starting_again_is_the_same_execution_only_while_it_runs_with_the_same_input() -> None:
    bench = waiting()
    execution = bench.run(10)
    again = {"stateMachineArn": ARN, "name": "e", "input": '{"a": 1}'}
    assert bench.machines.start_execution(again)["executionArn"] == execution.arn
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        bench.machines.start_execution({**again, "input": "{}"})
    bench.machines.stop(execution.arn)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        bench.machines.start_execution(again)


@pytest.mark.parametrize("fails", ["update", "smoke"])
def test_the_way_back_takes_the_last_wave_first(fails: str) -> None:
    """The real machine, with functions that answer as they do: one service of the last wave fails, or a check."""
    scheduler, updated = Scheduler(), []

    def invoke(function: str, payload: Any) -> Future:
        future, back = Future(), payload.get("direction") == "back"
        answers = {
            "BeginDeployment": {"waves": [{"services": ["a"]}, {"services": ["b", "c"]}, {"services": ["d"]}]},
            "AdmitDeployment": {"verdict": "Admitted"},
            "PromoteImages": {"verdict": "Promoted"},
            "RunMigration": {"verdict": "Skipped"},
            "SmokeTest": {"verdict": "Failed" if fails == "smoke" else "Succeeded"},
        }
        if function == "UpdateService":
            updated.append((payload["direction"], payload["service"]))
        if function == "WatchRollout":
            wrong = fails == "update" and payload["service"] == "d" and not back
            answer = {"service": payload["service"], "verdict": "Failed" if wrong else "Succeeded"}
            token = {"taskToken": payload["taskToken"], "output": json.dumps(answer)}
            scheduler.spawn(lambda: machines.send_task_success(token))
        future.set(answers.get(function, {}))
        return future

    machines = Machines(scheduler, invoke, lambda execution: None)
    machines.define(ARN, definition("deploy"))
    payload = '{"platform": "p", "environment": "e", "deployment": "D", "fence": 1}'
    machines.start_execution({"stateMachineArn": ARN, "name": "e", "input": payload})
    while scheduler.next_at() < 10_000:
        scheduler.step()
    assert [service for way, service in updated if way == "forward"] == ["a", "b", "c", "d"]
    assert [service for way, service in updated if way == "back"] == ["d", "b", "c", "a"]


def unknown_type(machine: dict[str, Any]) -> None:
    machine["States"]["Work"]["Type"] = "Parallel"


def unknown_field(machine: dict[str, Any]) -> None:
    machine["States"]["Work"]["HeartbeatSeconds"] = 5


@pytest.mark.parametrize("edit", [unknown_type, unknown_field])
def test_what_the_interpreter_does_not_know_is_refused(edit: Callable[[dict[str, Any]], None]) -> None:
    machine = task()
    edit(machine)
    with pytest.raises(ValueError, match="the simulation does not know"):
        check(machine)


def test_every_transition_of_a_machine_is_listed() -> None:
    assert transitions(task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Other"}])) == {
        ("Work", "end"),
        ("Work", "Other"),
        ("Other", "end"),
    }
    assert ("Services", "end") in transitions(definition("deploy"))
