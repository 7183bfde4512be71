"""Have another function answer a request to a function URL. Used by decide_approval for Slack's requests."""

import json
from collections.abc import Callable
from typing import Any

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LambdaClient
from ferryman.errors import Unavailable


class PassOn:
    """Invokes one function with the events of another one."""

    def __init__(self, functions: Callable[[], LambdaClient], function: str) -> None:
        """`functions` makes the client: few requests need it."""
        self._functions = functions
        self._function = function

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the function's answer. Raise Unavailable or Throttled when there is none.

        The event may arrive twice. Whoever it is for counts a decision once.
        """
        with translated():
            answer = self._functions().invoke(
                FunctionName=self._function, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
            )
        found = None if answer.get("FunctionError") else json.loads(answer["Payload"].read() or b"null")
        if not isinstance(found, dict) or "statusCode" not in found:
            raise Unavailable("the function for Slack's requests failed; see its log")
        return found
