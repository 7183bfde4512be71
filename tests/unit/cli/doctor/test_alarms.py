"""Whether somebody hears the operator's alarms."""

from typing import Any

import pytest

from ferryman_cli.doctor import alarms
from ferryman_cli.doctor.checks import Blind, Seen

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ferryman-operator-alarms"


def of(**changes: Any) -> Seen:
    """The answer of DescribeAlarms; the changes are of the first alarm."""
    found = [{"AlarmName": f"ferryman-{name}-X", "AlarmActions": [TOPIC], "StateValue": "OK"} for name in alarms.NAMES]
    found[0] |= changes
    return {"MetricAlarms": [*found, {"AlarmName": "ferryman-other-CPU", "StateValue": "ALARM"}]}


def topic(**attributes: str) -> Seen:
    return {"Attributes": {"SubscriptionsConfirmed": "1", "SubscriptionsPending": "0", **attributes}}


@pytest.mark.parametrize(
    ("seen", "subscribed", "status", "words", "cure"),
    [
        (of(), topic(), "ok", "8 alarms", ""),
        (of(AlarmActions=[]), topic(), "problem", "1 of 8 alarms notify nobody", "alarm-topic-arn"),
        (of(ActionsEnabled=False), topic(), "problem", "1 of 8 alarms notify nobody", "AlarmTopicArn"),
        (of(StateValue="ALARM"), topic(), "problem", "ringing now: DeadLettersAlarm", "docs/runbook.md"),
        (of(), topic(SubscriptionsConfirmed="0"), "problem", "nobody has subscribed", "alarm_emails"),
        (
            of(),
            topic(SubscriptionsConfirmed="0", SubscriptionsPending="2"),
            "warning",
            "2 subscriptions",
            "Open the link",
        ),
        (of(), topic(KmsMasterKeyId="alias/aws/sns"), "problem", "cannot publish", "a key of your own"),
        (of(), None, "problem", "does not exist", "Create it"),
        (of(), Blind("sns:GetTopicAttributes"), "can't look", "sns:GetTopicAttributes", "permission"),
        (Blind("cloudwatch:DescribeAlarms"), topic(), "can't look", "cloudwatch:DescribeAlarms", "permission"),
        ({"MetricAlarms": []}, topic(), "problem", "0 of the stack's 8 alarms exist", "Deploy the stack again"),
    ],
)
def test_each_is_judged_with_its_cure(seen: Seen, subscribed: Seen, status: str, words: str, cure: str) -> None:
    (check,) = alarms.alarms("ferryman", seen, {TOPIC: subscribed})
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check


def test_the_topics_are_those_of_the_stacks_own_alarms() -> None:
    assert alarms.topics_of(alarms.of_stack("ferryman", of())) == [TOPIC]
    assert alarms.of_stack("ferryman", Blind("cloudwatch:DescribeAlarms")) == []
