"""Processor time from the start of a process to its first AWS call: each handler, and a bare boto3 program.

It is what a cold start costs beyond the import: an event parsed, models built, a client made. Nothing is sent: the
process ends where botocore would open a connection. The bare program makes the same call; both take turns.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

EVENTS = {
    "admit_deployment": "planned",
    "begin_deployment": "claimed",
    "decide_approval": "open_personal",
    "finish_deployment": "all_passed",
    "notify": "sweep",
    "promote_images": "approved",
    "publish_release": "tagged",
    "receive_push": "version_pushed",
    "reconcile": "nudged",
    "relay_change": "deployment_completed",
    "request_approval": "production",
    "run_migration": "upgrade",
    "serve_api": "status",
    "slack_actions": "approve",
    "smoke_test": "passed",
    "update_service": "forward",
    "watch_migration": "upgrade",
    "watch_rollout": "forward",
}
"""The event that each handler gets, of `events/<handler>/`."""
_SETTINGS = (
    "ADMIN_ARNS", "ALLOWED_GITHUB_HOSTS", "ALLOWED_SLACK_HOSTS", "APPROVALS_URL", "MACHINE_ARN", "MIGRATE_MACHINE_ARN",
    "NOTIFY_FUNCTION", "NUDGES_URL", "ORIGIN_SECRET_ARN", "RELAY_FUNCTION", "RUN_MIGRATION_ROLE", "SLACK_FUNCTION",
    "TABLE_NAME", "UPDATE_SERVICE_ROLE",
)  # fmt: skip
_KNOWN = ("GetItem", "Query", "GetSecretValue")
_END_AT_THE_CALL = """
import json, os, sys, time
import botocore.httpsession
def end(self, request):
    call = request.headers.get("X-Amz-Target") or request.url
    call = call.decode() if isinstance(call, bytes) else call
    print(json.dumps([time.process_time(), call]), flush=True)
    os._exit(0)
botocore.httpsession.URLLib3Session.send = end
"""
HANDLER = (
    _END_AT_THE_CALL
    + """
from types import SimpleNamespace
import app
arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
context = SimpleNamespace(function_name="bench", aws_request_id="1", invoked_function_arn=arn, memory_limit_in_mb="512",
                          get_remaining_time_in_millis=lambda: 30_000)
app.handler(json.loads(sys.argv[1]), context)
"""
)
BARE = (
    _END_AT_THE_CALL
    + """
import boto3
key = {"pk": {"S": "PLATFORM#scr"}, "sk": {"S": "PLATFORM"}}
if sys.argv[1].startswith("secretsmanager."):
    boto3.client("secretsmanager").get_secret_value(SecretId="secret")
if sys.argv[1].endswith(".Query"):
    boto3.client("dynamodb").query(TableName="table", KeyConditionExpression="pk = :pk",
                                   ExpressionAttributeValues={":pk": key["pk"]})
boto3.client("dynamodb").get_item(TableName="table", Key=key, ConsistentRead=True)
"""
)


class FirstCall(NamedTuple):
    """The least processor time until the first call, in milliseconds."""

    handler: float
    bare: float
    call: str
    """`DynamoDB_20120810.GetItem`, as AWS's protocol names it."""


def first_calls(tree: Path, layers: Sequence[Path], rounds: int) -> dict[str, FirstCall]:
    """Return by handler how long it takes until its first call.

    Raises RuntimeError for a handler that makes no call, or one that the bare program does not know.
    """
    found = {}
    for name, event in EVENTS.items():
        text = (tree / "events" / name / f"{event}.json").read_text(encoding="utf-8")
        folder = tree / "functions" / name
        _, call = measured(HANDLER, text, [folder, *layers])
        if call.rpartition(".")[2] not in _KNOWN:
            raise RuntimeError(f"the first call of {name} is {call or 'none'}, which the bare program does not make")
        times: dict[str, list[float]] = {HANDLER: [], BARE: []}
        for number in range(rounds):
            for program in (HANDLER, BARE) if number % 2 == 0 else (BARE, HANDLER):
                seconds, _ = measured(program, text if program is HANDLER else call, [folder, *layers])
                times[program].append(seconds * 1000)
        # Other processes can only add to it.
        found[name] = FirstCall(min(times[HANDLER]), min(times[BARE]), call)
    return found


def measured(program: str, argument: str, paths: Sequence[Path]) -> tuple[float, str]:
    """Return the processor time in seconds and the call; (0, "") when no call was made."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program, argument],
        env={
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PATH": os.environ["PATH"],
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **dict.fromkeys(_SETTINGS, "bench"),
            "MUTATION_TIMEOUT_SECONDS": "60",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    if not lines:
        return 0, ""
    seconds, call = json.loads(lines[-1])
    return float(seconds), str(call)
