"""A message to a topic: its text, its link, and the attributes that subscriptions filter by."""

import json
from functools import partial
from typing import Any

import boto3
import pytest

from ferryman.notify import sns
from ferryman.notify.context import Context
from ferryman.platform import TopicChannel
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock
from unit.notify_world import message


@pytest.fixture
def context(aws: None, store: Store, clock: FakeClock) -> Context:
    return Context(partial(boto3.client, region_name="eu-west-1"), store, clock, "https://approve.example/")


def test_an_event_without_an_environment_has_no_such_attribute(context: Context) -> None:
    arn = context.client("sns").create_topic(Name="team")["TopicArn"]
    queue = context.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    context.client("sns").subscribe(
        TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:inbox"
    )  # fmt: skip
    sns.send(message("x", environment=None, detail={}), TopicChannel(type="sns", topic_arn=arn), context)
    note: dict[str, Any] = json.loads(
        context.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"]
    )  # fmt: skip
    assert set(note["MessageAttributes"]) == {"platform", "event"}
