"""Corrections of the emulator's Step Functions: executions and states. Task tokens are in stepfunctions_tokens.py.

Sources: the API reference of Step Functions (StartExecution, StopExecution, DescribeStateMachineForExecution)
and its Developer Guide ("Handling errors in Step Functions workflows", "Quotas", "State machine structure":
TimeoutSeconds).
"""

import contextlib
import contextvars
import json
import logging
import threading
from collections import deque
from typing import Any

from ferryman_local.patches import stepfunctions_tokens as tokens
from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import module, replace
from ferryman_local.patches.stepfunctions_tokens import ABORTED, RUNNING

log = logging.getLogger("ferryman.states")

DATA_LIMIT = 262_144
NOT_CAUGHT_BY_STATES_ALL = ("States.Runtime", "States.DataLimitExceeded")


def apply(control: Control, token_timeout_scale: float) -> None:
    """Put every correction of this file in place."""
    states = module("services.stepfunctions")
    closed_tokens: deque[str] = deque(maxlen=10_000)
    started_with: dict[str, str] = {}
    replace(states, "_start_execution", lambda original: start_execution(original, states))
    replace(states, "_run_execution", lambda original: run_execution(original, states, started_with))
    replace(
        states,
        "_describe_state_machine_for_execution",
        lambda original: describe_state_machine_for_execution(original, states, started_with),
    )
    replace(states, "_stop_execution", lambda original: stop_execution(original, states))
    replace(states, "_fail_execution", lambda original: fail_execution(original))
    replace(states, "_error_matches", lambda original: error_matches(original))
    replace(states, "_apply_output_path", lambda original: output_of_succeed_state(original, states))
    replace(states, "_add_event", lambda original: count_top_level_states(original, control))
    replace(states, "_run_sub_machine", lambda original: run_sub_machine(states, control))
    replace(states, "_execute_task", lambda original: execute_task(original, states, control))
    replace(states, "_with_retry_and_catch", lambda original: count_retries(original, control))
    replace(
        states,
        "_invoke_with_callback",
        lambda original: tokens.invoke_with_callback(original, states, closed_tokens, token_timeout_scale),
    )
    for name in ("_send_task_success", "_send_task_failure"):
        replace(states, name, lambda original: tokens.send_task_result(original, states, closed_tokens))
    replace(states, "time", lambda original: _Clock(original))
    control.time_out_execution = lambda arn: time_out(states, arn)


class _Clock:
    """`time` for the emulator, which waits 0.15 s before an execution's first state; AWS waits some milliseconds."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def sleep(self, seconds: float) -> None:
        self._original.sleep(0.01 if seconds == 0.15 else seconds)


def start_execution(original: Any, states: Any) -> Any:
    """StartExecution is idempotent: the name and input of a RUNNING execution answer that execution.

    The emulator raises ExecutionAlreadyExists. The machine's own TimeoutSeconds is enforced, too.
    """
    lock = threading.Lock()

    def start(data: dict[str, Any]) -> Any:
        machine = states._state_machines.get(states._resolve_state_machine_arn(data.get("stateMachineArn", "")))
        with lock:
            if machine and data.get("name"):
                arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + ":" + data["name"]
                known = states._executions.get(arn)
                if known and known["status"] == "RUNNING" and same_json(known["input"], data.get("input", "{}")):
                    return states.json_response({"executionArn": arn, "startDate": known["startDate"]})
            answer = original(data)
        if machine and answer[0] == 200:
            limit = json.loads(machine["definition"]).get("TimeoutSeconds")
            if isinstance(limit, int | float):
                arn = json.loads(answer[2])["executionArn"]
                context = contextvars.copy_context()
                timer = threading.Timer(limit, lambda: context.run(time_out, states, arn))
                timer.daemon = True
                timer.start()
        return answer

    return start


def run_execution(original: Any, states: Any, started_with: dict[str, str]) -> Any:
    """Not a correction: the definition that an execution runs is kept for describe_state_machine_for_execution."""

    def run(arn: str) -> None:
        execution = states._executions.get(arn) or {}
        if machine := states._state_machines.get(execution.get("stateMachineArn")):
            started_with[arn] = machine["definition"]
        original(arn)

    return run


def describe_state_machine_for_execution(original: Any, states: Any, started_with: dict[str, str]) -> Any:
    """DescribeStateMachineForExecution answers the definition that the execution started with.

    The emulator answers the definition that the state machine has now.
    """

    def describe(data: dict[str, Any]) -> Any:
        answer = original(data)
        definition = started_with.get(data.get("executionArn", ""))
        if answer[0] != 200 or definition is None:
            return answer
        return states.json_response({**json.loads(answer[2]), "definition": definition})

    return describe


def same_json(one: str, other: str) -> bool:
    """Whether two JSON texts have the same value; texts that are not JSON are compared as they are."""
    with contextlib.suppress(ValueError):
        return bool(json.loads(one) == json.loads(other))
    return one == other


def time_out(states: Any, arn: str) -> bool:
    """A machine-level timeout ends an execution as TIMED_OUT; no Catch of the machine can catch it.

    Returns False where no such execution is RUNNING.
    """
    execution = find_execution(states, arn)
    if execution is None or execution["status"] != "RUNNING":
        return False
    execution.update(status="TIMED_OUT", error="States.Timeout", stopDate=states.now_iso())
    states._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    _, _, _, region, account, *_ = arn.split(":")
    with module("core.responses").request_scope(account, region):
        states._emit_execution_status_event(execution)
    release_tokens(states, arn)
    return True


def find_execution(states: Any, arn: str) -> Any:
    """An execution by its ARN, in any account and region of the emulator; None if there is none."""
    for _key, execution in states._executions.all_items():
        if execution["executionArn"] == arn:
            return execution
    return None


def release_tokens(states: Any, arn: str) -> None:
    """End the tasks of a closed execution that wait for their tokens; the tokens are void."""
    for _key, info in list(states._task_tokens.all_items()):
        if info.get("execution") == arn:
            info["aborted"] = True
            info["event"].set()


def stop_execution(original: Any, states: Any) -> Any:
    """StopExecution also ends tasks that wait for a token, and running Maps; the emulator lets them go on."""

    def stop(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200:
            release_tokens(states, data.get("executionArn", ""))
        return answer

    return stop


def fail_execution(original: Any) -> Any:
    """The status of a closed execution does not change: a task that fails later does not turn ABORTED into FAILED."""

    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail


def error_matches(original: Any) -> Any:
    """States.ALL catches neither States.Runtime nor States.DataLimitExceeded."""

    def matches(error_equals: list[str], error: str) -> bool:
        if error == ABORTED:
            return False
        if error in NOT_CAUGHT_BY_STATES_ALL:
            return error in error_equals
        return bool(original(error_equals, error))

    return matches


def output_of_succeed_state(original: Any, states: Any) -> Any:
    """The Output of a Succeed state (JSONata) is the output of the execution; the emulator ignores the field."""

    def output(state: dict[str, Any], data: Any, ctx: Any = None) -> Any:
        if (
            state.get("Type") == "Succeed"
            and "Output" in state
            and states._state_query_language(state, ctx) == "JSONata"
        ):
            return states._apply_jsonata_output(state, data, ctx)
        return original(state, data, ctx)

    return output


def count_top_level_states(original: Any, control: Control) -> Any:
    """Not a correction: state transitions are counted as AWS bills them, one for each state that is entered."""

    def add(execution: dict[str, Any], event_type: str, details: Any = None) -> None:
        if event_type.endswith("StateEntered"):
            control.count_transitions(execution["executionArn"])
        original(execution, event_type, details)

    return add


def count_retries(original: Any, control: Control) -> Any:
    """Not a correction: each retry of a Map or a Parallel is counted as another state transition."""

    def run(state: Any, data: Any, ctx: Any, attempt: Any) -> Any:
        arn, tries = ctx["Execution"]["Id"], 0

        def counted() -> Any:
            nonlocal tries
            tries += 1
            if tries > 1:
                control.count_transitions(arn)
            return attempt()

        return original(state, data, ctx, counted)

    return run


def run_sub_machine(states: Any, control: Control) -> Any:
    """The states inside a Map or a Parallel end with the execution, and a Succeed state there has an Output, too.

    They are counted as state transitions, which the emulator's execution history leaves out.
    """
    simple = {"Pass": "_execute_pass", "Choice": "_execute_choice", "Wait": "_execute_wait"}
    nested = {"Task": "_execute_task", "Parallel": "_execute_parallel", "Map": "_execute_map"}

    def run(definitions: dict[str, Any], start_at: str | None, data: Any, execution: Any, ctx: Any) -> Any:
        name, current = start_at, json.loads(json.dumps(data))
        while name:
            if execution and execution["status"] != "RUNNING":
                raise states._ExecutionError(ABORTED, "the execution is closed")
            if name not in definitions:
                raise states._ExecutionError("States.Runtime", f"State '{name}' not found")
            state = definitions[name]
            kind = state.get("Type")
            ctx["State"] = {"Name": name, "EnteredTime": states.now_iso(), "RetryCount": 0}
            control.count_transitions(ctx["Execution"]["Id"])
            if kind == "Succeed":
                return states._apply_output_path(state, states._apply_input_path(state, current, ctx), ctx)
            if kind == "Fail":
                raise states._ExecutionError(*states._fail_state_error(state, current, ctx))
            if kind in simple:
                current, name = getattr(states, simple[kind])(state, current, ctx)
            elif kind in nested:
                current, name = getattr(states, nested[kind])(state, current, execution, ctx)
            else:
                raise states._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
        return current

    return run


def execute_task(original: Any, states: Any, control: Control) -> Any:
    """A result of more than 256 KiB fails the execution with States.DataLimitExceeded. Retries are counted."""

    def execute(state: dict[str, Any], data: Any, execution: Any, ctx: Any) -> Any:
        mark = RUNNING.set((execution, ctx))
        try:
            output, following = original(state, data, execution, ctx)
        finally:
            RUNNING.reset(mark)
            if retries := ctx["State"].get("RetryCount", 0):
                control.count_transitions(ctx["Execution"]["Id"], retries)
        if len(json.dumps(output)) > DATA_LIMIT:
            raise states._ExecutionError(
                "States.DataLimitExceeded",
                f"The state '{ctx['State']['Name']}' returned a result with a size exceeding the maximum number of "
                "bytes service limit.",
            )
        return output, following

    return execute
