"""The Lambda runtime of a local Python worker. lambda_.py starts it in a process of its own.

Speaks the emulator's line protocol: one JSON line in (init, then one per invocation), one JSON line out. Runs with
`python -I -S`, so that a function sees the standard library, its own code, its layers and what the runtime includes,
and nothing of the developer's virtual environment.
"""

import ctypes
import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

END_OF_LOG = "\x04ferryman-end\x04"
ERROR_KEY = "__ferryman_error__"


class Context:
    """The context object that AWS hands to a handler."""

    identity = None
    client_context = None

    def __init__(self, init: dict[str, Any], call: dict[str, Any]) -> None:
        self.function_name = init["function_name"]
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.memory_limit_in_mb = str(init["memory"])
        self.invoked_function_arn = call.get("invoked_function_arn") or init["arn"]
        self.aws_request_id = call.get("request_id", "")
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = time.monotonic() + call.get("timeout_ms", 3000) / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until AWS would end the invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def describe(error: Exception, name: str | None = None) -> dict[str, Any]:
    """An exception as AWS's runtime reports it: errorType is the class name."""
    return {
        "errorMessage": str(error),
        "errorType": name or type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def invoke(handler: Any, message: dict[str, Any], init: dict[str, Any]) -> str:
    """Run the handler once; its failure is a result, so that the process lives on as on AWS."""
    call = message.get("ctx") or {}
    if call.get("trace_id"):
        os.environ["_X_AMZN_TRACE_ID"] = call["trace_id"]
    try:
        result = handler(message["event"], Context(init, call))
    except Exception as error:  # noqa: BLE001 - becomes the invocation's error
        traceback.print_exc()
        return json.dumps({"status": "ok", "result": {ERROR_KEY: describe(error)}})
    try:
        return json.dumps({"status": "ok", "result": result})
    except (TypeError, ValueError) as error:
        return json.dumps({"status": "ok", "result": {ERROR_KEY: describe(error, "Runtime.MarshalError")}})


def main() -> None:
    """Import the handler, then serve invocations until stdin ends."""
    ctypes.CDLL(None).prctl(1, 9)  # die with the emulator, whatever ends it
    answers, sys.stdout = sys.stdout, sys.stderr  # what a handler prints is log, not protocol

    def answer(line: str) -> None:
        sys.stderr.write(END_OF_LOG + "\n")
        sys.stderr.flush()
        answers.write(line + "\n")
        answers.flush()

    init = json.loads(sys.stdin.readline())
    sys.path[:0] = init["path"]
    try:
        handler = getattr(importlib.import_module(init["module"]), init["handler"])
    except Exception as error:  # noqa: BLE001 - becomes the invocation's error
        traceback.print_exc()
        answer(json.dumps({"status": "error", "error": type(error).__name__ + ": " + str(error)}))
        return
    answer(json.dumps({"status": "ready"}))
    for line in sys.stdin:
        answer(invoke(handler, json.loads(line), init))


if __name__ == "__main__":
    main()
