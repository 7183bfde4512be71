"""Wake other functions: reconcile through its queues, notify by an asynchronous invocation.

A nudge says which environment, never what happened there; losing one costs the time until the next sweep.
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LambdaClient, SQSClient

LONGEST_DELAY = 900
"""Seconds: what SQS allows."""
BATCH = 10
"""Messages of one SendMessageBatch."""

_LOG = logging.getLogger("ferryman")


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


class Looks:
    """Sends what a sweep has looked at to a queue of its own, so that nothing urgent waits behind it."""

    def __init__(self, sqs: SQSClient, queue_url: Callable[[], str]) -> None:
        """`queue_url` is asked for when something is sent: only a sweep needs it."""
        self._sqs = sqs
        self._queue_url = queue_url

    def queue(self, places: Sequence[tuple[str, str]], queued_at: datetime) -> list[tuple[str, str]]:
        """Queue up to ten looks at (platform, environment); return those that SQS took."""
        with translated():
            answer = self._sqs.send_message_batch(
                QueueUrl=self._queue_url(),
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": json.dumps(
                            {"platform": platform, "environment": environment, "queuedAt": queued_at.isoformat()}
                        ),
                    }
                    for number, (platform, environment) in enumerate(places)
                ],
            )
        failed = {failure["Id"]: failure for failure in answer.get("Failed", [])}
        for failure in failed.values():
            _LOG.error("SQS did not take a look: %s", failure.get("Message") or failure.get("Code"))
        return [place for number, place in enumerate(places) if str(number) not in failed]


class Outbox:
    """Wakes notify when messages lie unsent."""

    def __init__(self, functions: LambdaClient, notify: str) -> None:
        self._functions = functions
        self._notify = notify

    def drain(self) -> None:
        """Have notify send whatever nobody has sent yet."""
        with translated():
            self._functions.invoke(FunctionName=self._notify, InvocationType="Event", Payload=b'{"sweep": true}')
