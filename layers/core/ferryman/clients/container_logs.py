"""The last lines that a container wrote, wherever its log driver sent them; or why they were not read.

CloudWatch Logs is read, through the awslogs driver or through FireLens. Any other destination is named, never taken for
an empty log. Called by `steps.watch_migration` and `steps.task_diagnosis`. Facts:
docs/reference/aws-facts.md#container-logs.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ferryman import text
from ferryman.arns import console_host
from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import ECSTask, LogsClient, TaskDefinition
from ferryman.errors import TransientError

LINES = 20
_LOG = logging.getLogger("ferryman")
_WIDTH = 400
_QUOTED = 300
_PAGES = 3
"""GetLogEvents may answer an empty page although more follow."""
_CLOUDWATCH = ("cloudwatch", "cloudwatch_logs")
_VARIABLE = re.compile(r"\$\(([^)]*)\)|\$\{([^}]*)\}|\$(\w+)")


@dataclass(frozen=True)
class Place:
    """A log stream in CloudWatch Logs."""

    group: str
    stream: str
    region: str

    def url(self, partition: str) -> str:
        """Return the address of the stream in AWS's console."""
        host = console_host(partition, self.region)
        group, stream = (quote(quote(name, safe=""), safe="").replace("%", "$") for name in (self.group, self.stream))
        return (
            f"https://{host}/cloudwatch/home?region={self.region}#logsV2:log-groups/log-group/{group}/log-events/"
            f"{stream}"
        )


@dataclass(frozen=True)
class ContainerLog:
    """The end of a container's log, or why it was not read."""

    lines: tuple[str, ...] = ()
    """At most 20, cleaned of secrets, the last one last."""
    unread: str = ""
    """Why the log was not read, and where it is; empty when it was."""
    url: str = ""
    """Its stream in AWS's console; empty when there is none, or when it is not known."""

    def sentence(self, whose: str = "Its log") -> str:
        """Quote the last line that says something, or say that there is none, or why nobody looked."""
        if self.unread:
            said = f"{whose} was not read: {self.unread}."
        else:
            line = next((line.strip() for line in reversed(self.lines) if line.strip()), None)
            said = f"{whose} ends with “{line[:_QUOTED]}”." if line else f"{whose} is empty."
        return f"{said} See {self.url}" if self.url else said


def place(definition: TaskDefinition, container: str, task: ECSTask) -> Place | str:
    """Return where a task's container logs to in CloudWatch Logs, or say where else its log goes. Pure."""
    found = next((item for item in definition["containerDefinitions"] if item["name"] == container), None)
    if found is None:
        return f"the task definition has no container {container}, so AWS added it"
    log = found.get("logConfiguration")
    if not log:
        return f"container {container} has no logConfiguration, so its output stays on its host"
    driver, options = str(log["logDriver"]), log.get("options") or {}
    arn = task["taskArn"].split(":")
    if driver == "awslogs":
        return _awslogs(options, container, task, region=arn[3])
    if driver == "awsfirelens":
        return _firelens(options, container, arn[-1], region=arn[3])
    return f"its log driver is {driver}, which does not write to CloudWatch Logs"


def _awslogs(options: Mapping[str, str], container: str, task: ECSTask, region: str) -> Place | str:
    group, region = options.get("awslogs-group") or "", options.get("awslogs-region") or region
    if not group:
        return "its log driver awslogs has no awslogs-group"
    prefix = options.get("awslogs-stream-prefix")
    if prefix:
        return Place(group, f"{prefix}/{container}/{task['taskArn'].rsplit('/', 1)[-1]}", region)
    # Without a prefix Docker names the stream after the container, and ECS tells Docker's id of it.
    state = next((item for item in task.get("containers", []) if item["name"] == container), None)
    stream = options.get("awslogs-stream") or (state.get("runtimeId") if state else None)
    if stream:
        return Place(group, stream, region)
    return f"it has no awslogs-stream-prefix, so the name of its stream in log group {group} is not known"


def _firelens(options: Mapping[str, str], container: str, resource: str, region: str) -> Place | str:
    plain = {name.lower(): value for name, value in options.items()}
    output = (plain.get("name") or plain.get("@type") or "").lower()
    if not output:
        return "FireLens routes it by a configuration file of its own"
    if output not in _CLOUDWATCH:
        return f"FireLens sends it to {output}"
    task_id = resource.rsplit("/", 1)[-1]
    tag = f"{container}-firelens-{task_id}"
    known = {"ecs_task_id": task_id, "ecs_cluster": resource.split("/")[-2], "tag": tag, "container_name": container}
    stream = plain.get("log_stream_name") or ""
    if not stream and "log_stream_prefix" in plain:
        stream = plain["log_stream_prefix"] + tag
    group, stream = _filled(plain.get("log_group_name") or "", known), _filled(stream, known)
    if not group or not stream:
        return "FireLens sends it to CloudWatch Logs, and its options do not tell the log group and stream"
    return Place(group, stream, plain.get("region") or region)


def _filled(name: str, known: Mapping[str, str]) -> str:
    """Fill in a name's variables; return an empty one when it has others than those that are known."""
    filled = _VARIABLE.sub(lambda found: known.get(next(part for part in found.groups() if part), "\0"), name)
    return "" if "\0" in filled else filled


def read(logs: LogsClient, definition: TaskDefinition, container: str, task: ECSTask) -> ContainerLog:
    """Return the end of the log of a described task's container. Never raises: a log never hides a verdict."""
    found = place(definition, container, task)
    if isinstance(found, str):
        return ContainerLog(unread=found)
    _, partition, _, region, *_ = task["taskArn"].split(":")
    url, where = found.url(partition), f"log group {found.group}, stream {found.stream}"
    if found.region != region:
        return ContainerLog(unread=f"it is in region {found.region} ({where})", url=url)
    try:
        messages = _last(logs, found)
    except TransientError as error:
        _LOG.warning("the container's log (%s) can't be read: %s", where, error)
        return ContainerLog(unread=f"CloudWatch Logs did not answer ({where})", url=url)
    except Refusal as error:
        _LOG.warning("the container's log (%s) can't be read: %s", where, error)
        code = code_of(error)
        if code == "ResourceNotFoundException":
            # The driver makes the stream when the container starts.
            return ContainerLog(unread=f"CloudWatch Logs does not have it, or not yet ({where})", url=url)
        return ContainerLog(unread=f"CloudWatch Logs refused with {code} ({where})", url=url)
    return ContainerLog(tuple(text.tail(messages, count=LINES, width=_WIDTH)), url=url)


def _last(logs: LogsClient, found: Place) -> list[str]:
    messages: list[str] = []
    token: str | None = None
    for _ in range(_PAGES):
        with translated():
            if token is None:
                page = logs.get_log_events(
                    logGroupName=found.group, logStreamName=found.stream, limit=LINES, startFromHead=False
                )
            else:
                page = logs.get_log_events(
                    logGroupName=found.group,
                    logStreamName=found.stream,
                    limit=LINES,
                    startFromHead=False,
                    nextToken=token,
                )
        messages = [*_messages(event.get("message", "") for event in page["events"]), *messages]
        before, token = token, page.get("nextBackwardToken")
        if messages or not token or token == before:
            break
    return messages


def _messages(events: Iterator[str]) -> Iterator[str]:
    """Take what the container wrote out of FireLens's records: JSON with the line under `log`."""
    for line in events:
        record = None
        if line.startswith("{") and '"log"' in line:
            try:
                record = json.loads(line)
            except ValueError:
                record = None
        written = record.get("log") if isinstance(record, dict) and "container_name" in record else None
        yield written if isinstance(written, str) else line
