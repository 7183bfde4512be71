"""Wake other functions: reconcile through its queue, notify by an asynchronous invocation.

A nudge says which environment, never what happened there; losing one costs the time until the next sweep.
"""

import json

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LambdaClient, SQSClient

LONGEST_DELAY = 900
"""Seconds: what SQS allows."""


class Nudge:
    """Sends keys to reconcile."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def environment(self, platform: str, environment: str, delay_seconds: int = 0) -> None:
        """Have an environment reconciled, at the earliest after `delay_seconds` (0 to 900)."""
        with translated():
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps({"platform": platform, "environment": environment}),
                DelaySeconds=min(max(delay_seconds, 0), LONGEST_DELAY),
            )


class Outbox:
    """Wakes notify when messages lie unsent."""

    def __init__(self, functions: LambdaClient, notify: str) -> None:
        self._functions = functions
        self._notify = notify

    def drain(self) -> None:
        """Have notify send whatever nobody has sent yet."""
        with translated():
            self._functions.invoke(FunctionName=self._notify, InvocationType="Event", Payload=b'{"sweep": true}')
