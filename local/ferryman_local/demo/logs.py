"""The operator's logs, saved for the analysis of a failed run."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ferryman_local.local_aws import LocalAws

GROUPS = {"operator.log": "/ferryman/ferryman/functions", "machines.log": "/aws/vendedlogs/states/ferryman"}
SHOWN = 8


def save(aws: LocalAws) -> list[str]:
    """Write the operator's logs next to the emulator's; return lines with their paths and the last errors."""
    if not aws.emulator.running:
        return [f"Log: {aws.emulator.log}"]
    logs: Any = aws.emulator.session().client("logs")
    lines, errors = [f"Logs: {aws.emulator.log}"], []
    for name, group in GROUPS.items():
        try:
            messages = list(_messages(logs, group))
        except (BotoCoreError, ClientError) as error:
            lines.append(f"  {group} cannot be read: {error}")
            continue
        (aws.home / name).write_text("\n".join(messages) + "\n")
        lines.append(f"      {aws.home / name}")
        errors += [told for message in messages if (told := _error(message))]
    return [*lines, *(["Errors in the operator's log:"] if errors else []), *errors[-SHOWN:]]


def _messages(logs: Any, group: str) -> Iterator[str]:
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield event["message"].rstrip()


def _error(message: str) -> str:
    """A logged error on one line, or "" if the message is not an error."""
    try:
        entry = json.loads(message)
    except ValueError:
        return f"  {message.splitlines()[-1][:400]}" if "Traceback" in message else ""
    if not isinstance(entry, dict) or entry.get("level") not in ("ERROR", "WARNING", "CRITICAL"):
        return ""
    why = str(entry.get("exception") or entry.get("why") or "").strip().splitlines()
    return f"  {entry.get('function', '')} {entry.get('message', '')}: {why[-1] if why else ''}"[:600]
