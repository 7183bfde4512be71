"""Step Functions on the local AWS behaves as on AWS where the flow depends on it."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from ferryman.errors import Paced
from local.clock import until

WORKER = """
import time
class TransientError(Exception): pass
class PermanentError(Exception): pass
calls = {}
def handler(event, context):
    key = event.get("key", "")
    calls[key] = calls.get(key, 0) + 1
    if calls[key] <= event.get("failures", 0):
        raise globals()[event["error"]]("as asked")
    return {"calls": calls[key]}
"""
PACED = """
class Paced(Exception): pass
def handler(event, context):
    if event["slot"] == "":
        raise Paced({told!r})
    return event
"""
DEPLOY = Path(__file__).parents[3] / "statemachines/deploy.asl.json"
KEEPER = """
import boto3, os
def handler(event, context):
    if event.get("fail"):
        raise RuntimeError("before the token was kept")
    if event.get("answer"):
        boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='{"by": "itself"}')
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOKENS"], MessageBody=event["token"])
"""
type Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def worker(function: Callable[..., str]) -> str:
    return function(WORKER)


@pytest.fixture
def tokens(aws: Client) -> str:
    """The queue to which the keeper sends each token that it gets."""
    url: str = aws("sqs").create_queue(QueueName=f"tokens-{uuid4().hex[:8]}")["QueueUrl"]
    return url


@pytest.fixture
def keeper(function: Callable[..., str], tokens: str) -> str:
    return function(KEEPER, TOKENS=tokens)


@pytest.fixture
def next_token(aws: Client, tokens: str) -> Callable[[], str]:
    """Wait for the next token that was handed out."""

    def receive() -> str:
        got = until(lambda: aws("sqs").receive_message(QueueUrl=tokens, WaitTimeSeconds=1).get("Messages"), "a token")
        aws("sqs").delete_message(QueueUrl=tokens, ReceiptHandle=got[0]["ReceiptHandle"])
        body: str = got[0]["Body"]
        return body

    return receive


@pytest.fixture(scope="session")
def machine(aws: Client, role: str) -> Callable[..., str]:
    """Create a JSONata machine from its states; its ARN."""

    def create(states: dict[str, Any], **top: Any) -> str:
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top}
        arn: str = aws("stepfunctions").create_state_machine(
            name=f"m-{uuid4().hex[:8]}", roleArn=role, definition=json.dumps(definition)
        )["stateMachineArn"]
        return arn

    return create


@pytest.fixture(scope="session")
def start(aws: Client) -> Callable[..., str]:
    def run(machine_arn: str, data: Any = None, name: str | None = None) -> str:
        named = {"name": name} if name else {}
        arn: str = aws("stepfunctions").start_execution(
            stateMachineArn=machine_arn, input=json.dumps(data or {}), **named
        )["executionArn"]
        return arn

    return run


@pytest.fixture(scope="session")
def ended(aws: Client) -> Callable[[str], Any]:
    """Wait for an execution's end; its description."""

    def wait(arn: str) -> Any:
        def closed() -> Any:
            found = aws("stepfunctions").describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return until(closed, f"the end of {arn}")

    return wait


def task(function_name: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function_name, "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        **more,
    }


def waiting(function_name: str, payload: Any = None, **more: Any) -> dict[str, Any]:
    return {
        **task(function_name, {"token": "{% $states.context.Task.Token %}", **(payload or {})}, **more),
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Output": "{% $states.result %}",
    }


def test_catch_by_class_name(worker: str, machine: Any, start: Any, ended: Any) -> None:
    arn = machine(
        {
            "Try": task(
                worker,
                {"key": uuid4().hex, "failures": 9, "error": "PermanentError"},
                Next="Missed",
                Catch=[
                    {"ErrorEquals": ["TransientError"], "Next": "Missed"},
                    {"ErrorEquals": ["PermanentError"], "Next": "Caught", "Output": "{% $states.errorOutput %}"},
                ],
            ),
            "Missed": {"Type": "Fail"},
            "Caught": {"Type": "Succeed"},
        }
    )
    found = ended(start(arn))
    assert found["status"] == "SUCCEEDED"
    output = json.loads(found["output"])
    assert output["Error"] == "PermanentError"
    assert json.loads(output["Cause"])["errorMessage"] == "as asked"


def test_a_service_whose_turn_is_later_waits_and_comes_back_with_its_slot(
    function: Callable[..., str], machine: Any, start: Any, ended: Any
) -> None:
    """The states are those of the deploy machine: they read the wait and the slot from the text of the error."""
    told = str(Paced("web", 1, "1767600000"))
    name = function(PACED.format(told=told))
    wave = json.loads(DEPLOY.read_text())["States"]["RollOut"]["ItemProcessor"]["States"]["Services"]["ItemProcessor"]
    update = {**wave["States"]["UpdateService"], "End": True}
    del update["Next"], update["Retry"]
    update["Arguments"] = {**update["Arguments"], "FunctionName": name}
    names = ("WaitForTurn", "Errored")
    inner = {**wave, "States": {"UpdateService": update, **{name: wave["States"][name] for name in names}}}
    ids = dict.fromkeys(("platform", "environment", "deployment", "fence"), 1)
    arn = machine(
        {
            "Begin": {"Type": "Pass", "Assign": {"deployment": ids, "direction": "forward"}, "Next": "Services"},
            "Services": {"Type": "Map", "Items": ["web"], "ItemProcessor": inner, "End": True},
        }
    )
    found = ended(start(arn))
    assert found["status"] == "SUCCEEDED"
    (payload,) = json.loads(found["output"])
    assert payload == {**ids, "service": "web", "direction": "forward", "slot": "1767600000"}


def test_retry_by_class_name_and_what_it_costs(
    worker: str, machine: Any, start: Any, ended: Any, control: httpx.Client
) -> None:
    arn = start(
        machine(
            {
                "Try": task(
                    worker,
                    {"key": uuid4().hex, "failures": 2, "error": "TransientError"},
                    End=True,
                    Retry=[{"ErrorEquals": ["TransientError"], "IntervalSeconds": 0.05, "MaxAttempts": 3}],
                )
            }
        )
    )
    found = ended(arn)
    assert json.loads(found["output"]) == {"calls": 3}
    assert control.get("/counters").json()["executions"][arn]["transitions"] == 3


def test_transitions_inside_a_map_are_counted(machine: Any, start: Any, ended: Any, control: httpx.Client) -> None:
    arn = start(
        machine(
            {
                "Each": {
                    "Type": "Map",
                    "Items": [1, 2, 3],
                    "End": True,
                    "ItemProcessor": {
                        "StartAt": "A",
                        "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}},
                    },
                }
            }
        )
    )
    assert json.loads(ended(arn)["output"]) == [1, 2, 3]
    assert control.get("/counters").json()["executions"][arn]["transitions"] == 7


def test_output_of_succeed(machine: Any, start: Any, ended: Any) -> None:
    states = {"Done": {"Type": "Succeed", "Output": {"sum": "{% $states.input.a + 1 %}"}}}
    assert json.loads(ended(start(machine(states), {"a": 1}))["output"]) == {"sum": 2}


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({"Type": "Pass", "Output": "{% $states.input.nothing %}", "End": True}, id="without a value"),
        pytest.param(
            {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.a %}", "Next": "Done"}], "Default": "Done"},
            id="a condition that is no boolean",
        ),
        pytest.param(
            {"Type": "Pass", "Assign": {"x": "{% $states.input.nothing %}"}, "Next": "Done"},
            id="a variable without one",
        ),
    ],
)
def test_an_expression_that_aws_refuses_fails_the_execution(state: Any, machine: Any, start: Any, ended: Any) -> None:
    found = ended(start(machine({"First": state, "Done": {"Type": "Succeed"}}), {"a": 1}))
    assert (found["status"], found["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_variables_are_assigned_at_once(machine: Any, start: Any, ended: Any) -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "Swap"},
        "Swap": {"Type": "Pass", "Assign": {"x": "{% $y %}", "y": "{% $x %}"}, "Next": "Done"},
        "Done": {"Type": "Succeed", "Output": ["{% $x %}", "{% $y %}"]},
    }
    assert json.loads(ended(start(machine(states)))["output"]) == [2, 1]


def test_starting_twice(keeper: str, aws: Client, machine: Any, start: Any, ended: Any) -> None:
    arn, name = machine({"Wait": waiting(keeper, End=True)}), uuid4().hex
    first = start(arn, {"a": 1}, name)
    assert start(arn, {"a": 1}, name) == first, "running with the same input: the same execution"
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(arn, {"a": 2}, name)
    aws("stepfunctions").stop_execution(executionArn=first)
    ended(first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(arn, {"a": 1}, name)


def test_a_failing_function_behind_a_token_fails_the_task_at_once(
    keeper: str, machine: Any, start: Any, ended: Any
) -> None:
    found = ended(start(machine({"Wait": waiting(keeper, {"fail": True}, End=True)})))
    assert (found["status"], found["error"]) == ("FAILED", "RuntimeError")


def test_a_function_that_answers_its_own_token(keeper: str, machine: Any, start: Any, ended: Any) -> None:
    found = ended(start(machine({"Wait": waiting(keeper, {"answer": True}, TimeoutSeconds=60, End=True)})))
    assert json.loads(found["output"]) == {"by": "itself"}


def test_a_token_times_out_and_the_retry_has_a_new_one(
    keeper: str, aws: Client, next_token: Callable[[], str], machine: Any, start: Any, ended: Any
) -> None:
    arn = start(
        machine(
            {
                "Wait": waiting(
                    keeper,
                    TimeoutSeconds=60,
                    End=True,
                    Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 0.01, "MaxAttempts": 50}],
                )
            }
        )
    )
    first, second = next_token(), next_token()
    assert first != second
    with pytest.raises(ClientError, match="TaskTimedOut"):
        aws("stepfunctions").send_task_success(taskToken=first, output="{}")
    while True:
        try:
            aws("stepfunctions").send_task_success(taskToken=second, output='{"late": false}')
            break
        except aws("stepfunctions").exceptions.TaskTimedOut:  # a slow machine: the next one then
            second = next_token()
    assert json.loads(ended(arn)["output"]) == {"late": False}


def test_an_unknown_token(aws: Client) -> None:
    with pytest.raises(ClientError, match="TaskDoesNotExist"):
        aws("stepfunctions").send_task_success(taskToken="never handed out", output="{}")


def test_an_abort_ends_what_waits_inside_a_map(
    keeper: str, aws: Client, next_token: Callable[[], str], machine: Any, start: Any, ended: Any, control: httpx.Client
) -> None:
    arn = start(
        machine(
            {
                "Each": {
                    "Type": "Map",
                    "Items": [1],
                    "End": True,
                    "ItemProcessor": {
                        "StartAt": "Wait",
                        "States": {
                            "Wait": waiting(
                                keeper, Next="After", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "After"}]
                            ),
                            "After": {"Type": "Pass", "End": True},
                        },
                    },
                }
            }
        )
    )
    token = next_token()
    aws("stepfunctions").stop_execution(executionArn=arn)
    assert ended(arn)["status"] == "ABORTED"
    with pytest.raises(ClientError, match="TaskTimedOut"):
        aws("stepfunctions").send_task_success(taskToken=token, output="{}")
    assert control.get("/counters").json()["executions"][arn]["transitions"] == 2
    assert ended(arn)["status"] == "ABORTED"


def test_a_machine_that_takes_too_long(keeper: str, machine: Any, start: Any, ended: Any) -> None:
    states = {
        "Wait": waiting(keeper, End=True, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "No"}]),
        "No": {"Type": "Succeed"},
    }
    assert ended(start(machine(states, TimeoutSeconds=1)))["status"] == "TIMED_OUT"


def test_time_out_on_demand(keeper: str, machine: Any, start: Any, ended: Any, control: httpx.Client) -> None:
    arn = start(machine({"Wait": waiting(keeper, End=True)}))
    assert control.post("/executions/time-out", json={"executionArn": arn}).status_code == 200
    assert ended(arn)["status"] == "TIMED_OUT"
    assert control.post("/executions/time-out", json={"executionArn": arn}).status_code == 404


def test_states_all_does_not_catch_a_result_that_is_too_large(
    function: Callable[..., str], machine: Any, start: Any, ended: Any
) -> None:
    large = function("def handler(event, context): return 'x' * 300_000")
    found = ended(
        start(
            machine(
                {
                    "Get": task(large, {}, End=True, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "No"}]),
                    "No": {"Type": "Succeed"},
                }
            )
        )
    )
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_states_all_around_a_map_does_not_catch_it_either(
    function: Callable[..., str], machine: Any, start: Any, ended: Any
) -> None:
    large = function("def handler(event, context): return 'x' * 300_000")
    inner = {"StartAt": "Get", "States": {"Get": task(large, {}, End=True)}}
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "No"}]
    each = {"Type": "Map", "Items": [1], "ItemProcessor": inner, "Catch": caught, "End": True}
    found = ended(start(machine({"Each": each, "No": {"Type": "Succeed"}})))
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_retried_map_is_a_transition_too(
    worker: str, machine: Any, start: Any, ended: Any, control: httpx.Client
) -> None:
    failing = task(worker, {"key": uuid4().hex, "failures": 1, "error": "TransientError"}, End=True)
    retried = [{"ErrorEquals": ["TransientError"], "IntervalSeconds": 0.01, "MaxAttempts": 2}]
    each = {"Type": "Map", "Items": [1], "Retry": retried, "End": True}
    arn = start(machine({"Each": {**each, "ItemProcessor": {"StartAt": "Try", "States": {"Try": failing}}}}))
    assert json.loads(ended(arn)["output"]) == [{"calls": 2}]
    transitions = control.get("/counters").json()["executions"][arn]["transitions"]
    assert transitions == 4, "the Map twice, and the Task in it twice"


def test_two_starts_at_once_are_one_execution(keeper: str, aws: Client, machine: Any, start: Any) -> None:
    arn, name, seen = machine({"Wait": waiting(keeper, End=True)}), uuid4().hex, []
    threads = [threading.Thread(target=lambda: seen.append(start(arn, {}, name))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert len(set(seen)) == 1
    aws("stepfunctions").stop_execution(executionArn=seen[0])


def test_an_execution_keeps_the_definition_that_it_began_with(
    keeper: str, aws: Client, machine: Any, start: Any, ended: Any, next_token: Any
) -> None:
    states = aws("stepfunctions")
    arn = machine({"Wait": waiting(keeper, Next="Old"), "Old": {"Type": "Succeed", "Output": "old"}})
    began = states.describe_state_machine(stateMachineArn=arn)["definition"]
    before = start(arn)
    token = next_token()
    newer = {"QueryLanguage": "JSONata", "StartAt": "New", "States": {"New": {"Type": "Succeed", "Output": "new"}}}
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(newer))
    after = start(arn)
    states.send_task_success(taskToken=token, output="{}")
    assert json.loads(ended(before)["output"]) == "old"
    assert json.loads(ended(after)["output"]) == "new"
    assert states.describe_state_machine_for_execution(executionArn=before)["definition"] == began
    assert json.loads(states.describe_state_machine_for_execution(executionArn=after)["definition"]) == newer
