"""Task tokens of the emulator's Step Functions, as on AWS. Put in place by patch_states."""

import base64
import contextvars
import json
import os
import threading
import time
from collections import deque
from typing import Any

ABORTED = "Ferryman.Aborted"
"""Error name that ends the threads of a closed execution; nothing catches it."""

RUNNING: contextvars.ContextVar[tuple[Any, Any] | None] = contextvars.ContextVar("ferryman_running", default=None)
"""The (execution, context object) whose Task runs on this thread."""


def callback_like_aws(original: Any, states: Any, closed: deque[str], scale: float) -> Any:
    """waitForTaskToken: a failing Lambda fails the task, each attempt has a new token, its timeout can be scaled."""

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
            call_lambda(states, reference, data, event)
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


def call_lambda(states: Any, reference: str | None, data: Any, answered: threading.Event) -> None:
    """Invoke the function; its error counts unless the token was answered before."""
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
    """As long as AWS's and with the characters that break careless code: + / =."""
    return base64.b64encode(os.urandom(400)).decode()


def late_answers_time_out(original: Any, states: Any, closed: deque[str]) -> Any:
    """An answer to a token that was used or timed out is TaskTimedOut; one never handed out is TaskDoesNotExist."""

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
