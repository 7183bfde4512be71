"""Corrections of the emulator's Step Functions. Applied by patches.apply before the emulator serves."""

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
NOT_IN_STATES_ALL = ("States.Runtime", "States.DataLimitExceeded")


def apply(control: Control, token_timeout_scale: float) -> None:
    """Put every correction of this file in place."""
    states = module("services.stepfunctions")
    closed_tokens: deque[str] = deque(maxlen=10_000)
    replace(states, "_start_execution", lambda original: start_is_idempotent(original, states))
    replace(states, "_stop_execution", lambda original: abort_ends_everything(original, states))
    replace(states, "_fail_execution", lambda original: closed_stays_closed(original))
    replace(states, "_error_matches", lambda original: some_errors_cannot_be_caught(original))
    replace(states, "_apply_output_path", lambda original: output_of_succeed(original, states))
    replace(states, "_add_event", lambda original: count_top_level_states(original, control))
    replace(states, "_run_sub_machine", lambda original: sub_machine(states, control))
    replace(states, "_execute_task", lambda original: task_with_limits(original, states, control))
    replace(states, "_with_retry_and_catch", lambda original: count_retried_maps(original, control))
    replace(
        states,
        "_invoke_with_callback",
        lambda original: tokens.callback_like_aws(original, states, closed_tokens, token_timeout_scale),
    )
    for name in ("_send_task_success", "_send_task_failure"):
        replace(states, name, lambda original: tokens.late_answers_time_out(original, states, closed_tokens))
    replace(states, "time", lambda original: _Clock(original))
    control.time_out_execution = lambda arn: time_out(states, arn)


class _Clock:
    """`time` for the emulator's engine: it waits 0.15 s before an execution's first state, AWS some milliseconds."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def sleep(self, seconds: float) -> None:
        self._original.sleep(0.01 if seconds == 0.15 else seconds)


def start_is_idempotent(original: Any, states: Any) -> Any:
    """Same name and input while RUNNING answers the running execution; machine-level TimeoutSeconds is enforced."""
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


def same_json(one: str, other: str) -> bool:
    """Whether two JSON texts mean the same; texts that are not JSON are compared as they are."""
    with contextlib.suppress(ValueError):
        return bool(json.loads(one) == json.loads(other))
    return one == other


def time_out(states: Any, arn: str) -> bool:
    """End a running execution as a machine-level timeout does: TIMED_OUT, and nothing in the machine can catch it."""
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
    """An execution by ARN, whatever account and region the request came with."""
    for _key, execution in states._executions.all_items():
        if execution["executionArn"] == arn:
            return execution
    return None


def release_tokens(states: Any, arn: str) -> None:
    """Wake the waiting tasks of a closed execution; their tokens are void."""
    for _key, info in list(states._task_tokens.all_items()):
        if info.get("execution") == arn:
            info["aborted"] = True
            info["event"].set()


def abort_ends_everything(original: Any, states: Any) -> Any:
    """StopExecution also ends waiting tasks and running Maps; the emulator let them go on to the end."""

    def stop(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200:
            release_tokens(states, data.get("executionArn", ""))
        return answer

    return stop


def closed_stays_closed(original: Any) -> Any:
    """A task that fails after its execution was aborted does not turn ABORTED into FAILED."""

    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail


def some_errors_cannot_be_caught(original: Any) -> Any:
    """States.ALL matches neither States.Runtime nor States.DataLimitExceeded."""

    def matches(error_equals: list[str], error: str) -> bool:
        if error == ABORTED:
            return False
        if error in NOT_IN_STATES_ALL:
            return error in error_equals
        return bool(original(error_equals, error))

    return matches


def output_of_succeed(original: Any, states: Any) -> Any:
    """A JSONata Succeed state's Output is the execution's output."""

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
    """State transitions as AWS bills them: one per state entered."""

    def add(execution: dict[str, Any], event_type: str, details: Any = None) -> None:
        if event_type.endswith("StateEntered"):
            control.count_transitions(execution["executionArn"])
        original(execution, event_type, details)

    return add


def count_retried_maps(original: Any, control: Control) -> Any:
    """A retried Map or Parallel is another transition."""

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


def sub_machine(states: Any, control: Control) -> Any:
    """The states inside a Map or Parallel: counted, ended when the execution is, and Succeed has an Output."""
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


def task_with_limits(original: Any, states: Any, control: Control) -> Any:
    """Retries are transitions too; a result past 256 KiB fails the execution with States.DataLimitExceeded."""

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
