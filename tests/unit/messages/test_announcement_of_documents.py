"""An admin's override is told to everybody whom the replaced document knew, whatever the new one says."""

import copy
from typing import Any

from ferryman.messages.announcement import EVENT, for_document
from ferryman.notify.destinations import Mailbox, destination_of
from ferryman.platform import TopicChannel
from ferryman.records import AppliedPlatform, OutboxMessage, Override
from unit import builders as make
from unit.approving import document

APPLIED = AppliedPlatform(
    name="scr", generation=4, document={}, applied_by="ada", applied_at=make.AT,
    override=Override(who="ada", reason="a plane", at=make.AT, changes=["production no longer asks for approval"]),
)  # fmt: skip


def messages(before: dict[str, Any]) -> dict[str, OutboxMessage]:
    made = [row.record for row in for_document(before, APPLIED, make.AT)]
    return {message.channel: message for message in made if isinstance(message, OutboxMessage)}


def test_each_approver_and_channel_is_told_once() -> None:
    told = messages(document().dump())

    assert list(told) == ["approver/Ada Lovelace", "approver/Grace Hopper", "team"]
    text = told["team"].text
    assert "ada, an admin of Ferryman, applied generation 4" in text
    assert "Why without approval: a plane" in text
    assert "- production no longer asks for approval" in text
    assert {message.event for message in told.values()} == {f"{EVENT}4"}


def test_a_message_reaches_its_destination_although_the_document_no_longer_has_it() -> None:
    told = messages(document().dump())

    mailbox, topic = (destination_of({}, told[name]) for name in ("approver/Ada Lovelace", "team"))

    assert mailbox == Mailbox("Ada Lovelace", "ferryman@scr-platform.example", "ssm:/ferryman/scr/ada-mail")
    assert isinstance(topic, TopicChannel)
    assert topic.topic_arn == "arn:aws:sns:eu-west-1:123456789012:team"


def test_a_bots_secret_is_still_named_in_its_destination() -> None:
    before = document().dump()
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/bot-AbCdEf"
    before["spec"]["channels"]["team"] = {"type": "slack", "botTokenSecretArn": arn, "channel": "C024BE91L"}

    assert messages(before)["team"].detail["destination"]["channel"]["botTokenSecretArn"] == arn


def test_a_document_that_can_not_be_read_is_read_as_far_as_possible() -> None:
    broken = copy.deepcopy(document().dump())
    broken["spec"]["environments"]["staging"] = "?"
    broken["spec"]["environments"]["production"]["cluster"] = 7
    broken["spec"]["environments"]["production"]["notify"].append("gone")

    assert list(messages(broken)) == ["approver/Ada Lovelace", "approver/Grace Hopper", "team"]
    assert messages({"spec": None}) == {}
