"""Whether somebody hears the operator's alarms. Pure."""

from collections.abc import Mapping, Sequence

from ferryman_cli.doctor.checks import Answer, Blind, Check, Seen, blind, ok, problem, warning

ALARMS = "alarms"
_AWS_KEY = "alias/aws/sns"
"""Alarms cannot publish to a topic under this key (Amazon SNS Developer Guide, "Key management")."""
NAMES = (
    "DeadLettersAlarm", "ExecutionsFailedAlarm", "ExecutionsTimedOutAlarm", "MigrationExecutionsFailedAlarm",
    "MigrationExecutionsTimedOutAlarm", "NotificationGaveUpAlarm", "OldestUnreconciledAlarm", "RollbackFailedAlarm",
)  # fmt: skip
"""The alarms of template.yaml; a contract test compares the two."""
_SUBSCRIBE = "Set alarm_emails in terraform/shared and apply it, or run `aws sns subscribe`, and confirm the mail"


def of_stack(stack: str, seen: Seen) -> list[Answer]:
    """Return the alarms of the stack in an answer of DescribeAlarms."""
    found = seen.get("MetricAlarms", []) if isinstance(seen, dict) else []
    return [alarm for alarm in found if any(str(alarm["AlarmName"]).startswith(f"{stack}-{name}-") for name in NAMES)]


def topics_of(alarms: Sequence[Answer]) -> list[str]:
    """Return the topics that alarms notify."""
    return sorted({action for alarm in alarms for action in alarm.get("AlarmActions", [])})


def alarms(stack: str, seen: Seen, topics: Mapping[str, Seen]) -> list[Check]:
    """Judge the answers of DescribeAlarms, and of GetTopicAttributes for each topic."""
    if isinstance(seen, Blind):
        return [blind(ALARMS, seen)]
    found = of_stack(stack, seen)
    if len(found) < len(NAMES):
        return [problem(ALARMS, f"{len(found)} of the stack's {len(NAMES)} alarms exist", "Deploy the stack again")]
    checks = [check for arn, topic in topics.items() if (check := _topic(arn, topic)) is not None]
    silent = [alarm for alarm in found if not alarm.get("AlarmActions") or not alarm.get("ActionsEnabled", True)]
    if silent:
        step = (
            "Write the ARN of a topic to /ferryman/operator/alarm-topic-arn (terraform/shared does) or set the stack's "
            "parameter AlarmTopicArn, deploy the stack again, and subscribe to the topic"
        )
        checks.append(problem(ALARMS, f"{len(silent)} of {len(found)} alarms notify nobody", step))
    if ringing := [_short(stack, alarm) for alarm in found if alarm.get("StateValue") == "ALARM"]:
        step = "docs/runbook.md says what each alarm means and what to do"
        checks.append(problem(ALARMS, f"ringing now: {', '.join(ringing)}", step))
    return checks or [ok(ALARMS, f"{len(found)} alarms, none is in alarm, and their topic has a subscriber")]


def _topic(arn: str, seen: Seen) -> Check | None:
    if isinstance(seen, Blind):
        return blind(ALARMS, seen)
    if seen is None:
        step = "Create it (terraform/shared does), or deploy the stack with another AlarmTopicArn"
        return problem(ALARMS, f"the topic {arn} does not exist, so nobody hears the alarms", step)
    attributes = seen["Attributes"]
    if attributes.get("KmsMasterKeyId") == _AWS_KEY:
        step = "Give it a key of your own that cloudwatch.amazonaws.com may use; terraform/shared creates such a topic"
        return problem(ALARMS, f"the topic {arn} has the key {_AWS_KEY}, so alarms cannot publish to it", step)
    if int(attributes.get("SubscriptionsConfirmed", 0)):
        return None
    if pending := int(attributes.get("SubscriptionsPending", 0)):
        many = "1 subscription" if pending == 1 else f"{pending} subscriptions"
        told = f"nobody hears the alarms yet: {many} of {arn} must be confirmed"
        return warning(ALARMS, told, "Open the link in the mail from AWS Notifications")
    return problem(ALARMS, f"nobody has subscribed to {arn}, so nobody hears the alarms", _SUBSCRIBE)


def _short(stack: str, alarm: Answer) -> str:
    return str(alarm["AlarmName"]).removeprefix(f"{stack}-").partition("-")[0]
