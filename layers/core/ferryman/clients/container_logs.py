"""The last lines that a container wrote, from the log stream of the awslogs driver."""

import logging

from botocore.exceptions import ClientError

from ferryman import text
from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LogsClient, TaskDefinition
from ferryman.errors import TransientError

LINES = 20
_LOG = logging.getLogger("ferryman")
_WIDTH = 400


def stream(definition: TaskDefinition, container: str, task_arn: str) -> tuple[str, str] | None:
    """Return log group and stream of a task's container, or None when its log goes elsewhere. Pure.

    The driver names a stream `prefix/container/task-id`; without a prefix the name can't be known.
    """
    found = next((item for item in definition["containerDefinitions"] if item["name"] == container), None)
    log = found.get("logConfiguration") if found else None
    if not log or log.get("logDriver") != "awslogs":
        return None
    options = log.get("options") or {}
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if not group or not prefix:
        return None
    return group, f"{prefix}/{container}/{task_arn.rsplit('/', 1)[-1]}"


def tail(logs: LogsClient, definition: TaskDefinition, container: str, task_arn: str) -> list[str]:
    """Return at most 20 lines, cleaned of secrets, the last one last.

    A log that can't be read is an empty one: it never hides a verdict.
    """
    place = stream(definition, container, task_arn)
    if place is None:
        return []
    try:
        with translated():
            answer = logs.get_log_events(
                logGroupName=place[0], logStreamName=place[1], limit=LINES, startFromHead=False
            )
    except (ClientError, TransientError) as error:
        _LOG.warning("the container's log %s/%s can't be read: %s", *place, error)
        return []
    return text.tail((event["message"] for event in answer["events"]), count=LINES, width=_WIDTH)
