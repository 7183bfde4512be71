"""Whether a secret stands anywhere that people or logs can see, after everything that the tests of a worker did."""

import json
from collections.abc import Iterator

from boto3.dynamodb.types import TypeDeserializer

from flow.stage import Stage

HIDDEN = ("APPROVAL#", "WAIT#")
"""Partitions that hold task tokens on purpose; they never leave the table."""
GROUPS = ("/ferryman/ferryman/functions", "/aws/vendedlogs/states/ferryman")


def found(stage: Stage) -> list[str]:
    """Every place where a secret stands; not the secret."""
    hidden = secrets(stage)
    return [
        f"{kind} in {where}: {_around(text, value)}"
        for where, text in written(stage)
        for value, kind in hidden.items()
        if value in text
    ]


def secrets(stage: Stage) -> dict[str, str]:
    """What must not be seen → what it is."""
    github, slack = stage.aws.github, stage.aws.slack
    known = dict.fromkeys(github.tokens, "token of GitHub")
    known |= {slack.bot_token: "token of Slack's bot", slack.signing_secret: "Slack's signing secret"}
    known |= {slack.webhook: "Slack's webhook", slack.webhook.rpartition("/")[2]: "Slack's webhook"}
    known |= {link.rpartition("/")[2]: "nonce of a link" for link in stage.inbox.links("")}
    known |= dict.fromkeys(stage.task_tokens, "task token")
    return known


def written(stage: Stage) -> Iterator[tuple[str, str]]:
    """Where somebody may look → what stands there."""
    yield from _logs(stage)
    yield from _records(stage)
    yield from _executions(stage)
    yield from _outside(stage)
    for letter in stage.dead_letters():
        yield "a dead letter", letter["Body"]
    for mail in stage.inbox.mails():
        text = f"{mail['Subject']} {mail.get('BodyText')} {mail.get('BodyHtml')}"
        own = {link.rpartition("/")[2] for link in stage.inbox.links(mail["To"][0])}
        for nonce in own if len(mail["To"]) == 1 else ():
            text = text.replace(nonce, "their own")
        yield f"the mail to {mail['To']}", text


def _logs(stage: Stage) -> Iterator[tuple[str, str]]:
    for group in GROUPS:
        for page in stage.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                yield f"the log {group}", event["message"]


def _records(stage: Stage) -> Iterator[tuple[str, str]]:
    for item in _items(stage):
        if not str(item["pk"]).startswith(HIDDEN):
            yield f"the record {item['pk']} {item['sk']}", json.dumps(item, default=str)


def _executions(stage: Stage) -> Iterator[tuple[str, str]]:
    """Input and output; a history shows, to who may read it, what a step was called with, its token too."""
    states = stage.client("stepfunctions")
    for machine in ("DeployMachineArn", "MigrateMachineArn"):
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=stage.aws.outputs[machine])
        for execution in (item for page in pages for item in page["executions"]):
            described = states.describe_execution(executionArn=execution["executionArn"])
            yield f"execution {execution['name']}", json.dumps(described, default=str)


def _outside(stage: Stage) -> Iterator[tuple[str, str]]:
    for call in stage.aws.github.calls:
        yield f"GitHub's {call.method} {call.path}", f"{call.path} {call.raw}"
    for call in stage.aws.slack.calls:
        path = "" if call.path.startswith("/services/") else call.path
        yield f"Slack's {call.method}", f"{path} {call.raw}"


def _items(stage: Stage) -> Iterator[dict[str, object]]:
    arguments: dict[str, object] = {}
    while True:
        page = stage.table("scan", **arguments)
        for item in page["Items"]:
            yield {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _around(text: str, value: str) -> str:
    at = text.index(value)
    return f"…{text[max(0, at - 60) : at]}<it>…"
