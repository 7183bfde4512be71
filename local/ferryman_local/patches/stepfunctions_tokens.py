"""Corrections of the emulator's Step Functions: task tokens. Put in place by stepfunctions.apply.

Sources: the API reference of Step Functions (SendTaskSuccess, SendTaskFailure) and its Developer Guide ("Wait for a
Callback with Task Token").
"""

import base64
import contextvars
import json
import os
import threading
import time
from collections import deque
from typing import Any

ABORTED = "Ferryman.Aborted"
"""The error name that ends the states of a closed execution; no Catch matches it."""

RUNNING: contextvars.ContextVar[tuple[Any, Any] | None] = contextvars.ContextVar("ferryman_running", default=None)
"""The (execution, context object) whose Task runs on this thread."""


def invoke_with_callback(original: Any, states: Any, closed: deque[str], scale: float) -> Any:
    """A task with .waitForTaskToken fails at once when its function fails, and each attempt has a new token.

    TimeoutSeconds counts from the invocation; here it can be scaled, so that tests need not wait.
    """

    def invoke(resource: str, data: Any, token: str, state: dict[str, Any]) -> Any:
        execution, ctx = RUNNING.get() or (None, {})
        started = time.monotonic()
        reference = states._extract_lambda_ref(resource.replace(".waitForTaskToken", ""))
        if not reference and "states:::lambda:invoke" not in resource:
            return original(resource, data, token, state)
        event = threading.Event()
        info: dict[str, Any] = {
            "event": event,
            "result": None,
            "error": None,
            "heartbeat": None,
            "execution": execution["executionArn"] if execution else "",
        }
        states._task_tokens[token] = info
        try:
            invoke_lambda(states, reference, data, event)
            limit = state.get("TimeoutSeconds")
            wait = None if limit is None else max(float(limit) * scale - (time.monotonic() - started), 0)
            if not event.wait(wait):
                raise states._ExecutionError("States.Timeout", "")
        finally:
            states._task_tokens.pop(token, None)
            closed.append(token)
            ctx["Task"] = {"Token": new_token()}
        if info.get("aborted"):
            raise states._ExecutionError(ABORTED, "the execution is closed")
        if info["error"]:
            raise states._ExecutionError(info["error"].get("Error", ""), info["error"].get("Cause", ""))
        return json.loads(info["result"])

    return invoke


def invoke_lambda(states: Any, reference: str | None, data: Any, answered: threading.Event) -> None:
    """Invoke the function of a task; its error fails the task unless the token was answered before."""
    payload = data
    if not reference:
        reference = states._resolve_lambda_function_ref(data.get("FunctionName", ""), optimized=True)
        payload = data.get("Payload", data)
    try:
        states._call_lambda(reference, payload)
    except states._ExecutionError:
        if not answered.is_set():
            raise


def new_token() -> str:
    """A task token is long and contains `+`, `/` and `=`."""
    return base64.b64encode(os.urandom(400)).decode()


def send_task_result(original: Any, states: Any, closed: deque[str]) -> Any:
    """SendTaskSuccess and SendTaskFailure raise TaskTimedOut for a token that was answered or has timed out.

    TaskDoesNotExist is for a token that was never given out, InvalidOutput for an `output` that is not JSON.
    """

    def send(data: dict[str, Any]) -> Any:
        token = data.get("taskToken", "")
        info = states._task_tokens.get(token)
        if token in closed or (info is not None and info["event"].is_set()):
            return states.error_response_json(
                "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400
            )
        if info is not None and "output" in data:
            try:
                json.loads(data["output"])
            except ValueError:
                return states.error_response_json("InvalidOutput", "Invalid Output: 'output' is not JSON", 400)
        return original(data)

    return send
