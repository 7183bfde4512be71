"""Schedules on the local AWS: what AWS refuses is refused, and what fires says which schedule it was."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from local.clock import until

BOTH_REFUSE = [
    "rate(1",
    "rate(1)",
    "rate()",
    "rate(minute)",
    "rate(0 minutes)",
    "rate(-10 minutes)",
    "rate(1.5 hours)",
    "rate(10 seconds)",
    "rate(10 years)",
    "rate(10 minutess)",
    "rate(foo minutes)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "rate(5 minutes) ",
    "5 minutes",
    "every(5 minutes)",
    "cron()",
    "cron(INVALID)",
    "cron(0 12 * * ?)",
    "cron(0 12 * * ? * *)",
    "cron(0 1 * * * *)",
    "cron(0 1 ? * ? *)",
    "cron(0 1 1 * MON *)",
    "cron(? 1 * * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(0 dummy ? * MON-FRI *)",
    "cron(71 8 1 * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 8 32 * ? *)",
    "cron(0 8 0 * ? *)",
    "cron(0 8 1 13 ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(0 8 ? * 0 *)",
    "cron(0/0 8 * * ? *)",
    "cron(0/-5 8 * * ? *)",
    "cron(5,71/2 8 * * ? *)",
    "cron(30-10 8 * * ? *)",
    "cron(0 8 ? * MON#6 *)",
    "cron(0 8 1#2 * ? *)",
    "cron(0 8 MON * ? *)",
    "cron(0 8 1, * ? *)",
    "at(2031-12-31)",
    "at(2031-12-31T23:59:59Z)",
    "at(2031-02-30T00:00:00)",
]
ONLY_RULES_REFUSE = ["rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)", "rate(10 day)"]
BOTH_TAKE = [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(24 hours)",
    "rate(1 day)",
    "rate(7 days)",
    "cron(0 10 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0/15 * * * ? *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(*/5 * * * ? *)",
    "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
    "cron(0 8 L * ? *)",
    "cron(0 8 LW * ? *)",
    "cron(0 8 3W * ? *)",
    "cron(0 8 ? * L *)",
    "cron(0 8 ? * 6L *)",
    "cron(0 8 ? * TUE#2 *)",
    "cron(0 8 1 JAN,mar,5 ? 2031-2033)",
]
LATER = "at(2031-12-31T23:59:59)"

Aws = Callable[[str], Any]


def create_schedule(aws: Aws, expression: str, name: str | None = None, **more: Any) -> str:
    """Create a schedule; its name."""
    name = name or f"s-{uuid4().hex[:8]}"
    aws("scheduler").create_schedule(Name=name, ScheduleExpression=expression, **{**TARGET, **more})
    return name


TARGET: dict[str, Any] = {
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "State": "DISABLED",
    "Target": {
        "Arn": "arn:aws:lambda:eu-west-1:000000000000:function:none",
        "RoleArn": "arn:aws:iam::000000000000:role/none",
    },
}


def put_rule(aws: Aws, expression: str, **more: Any) -> str:
    """Create a rule; its name."""
    name = f"r-{uuid4().hex[:8]}"
    aws("events").put_rule(Name=name, ScheduleExpression=expression, State="DISABLED", **more)
    return name


def said(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """Code and message of an error."""
    about = error.value.response["Error"]
    return about["Code"], about["Message"]


@pytest.mark.parametrize("expression", BOTH_REFUSE)
def test_what_both_refuse(aws: Aws, expression: str) -> None:
    with pytest.raises(ClientError) as schedule:
        create_schedule(aws, expression)
    assert said(schedule) == ("ValidationException", f"Invalid Schedule Expression {expression}.")
    with pytest.raises(ClientError) as rule:
        put_rule(aws, expression)
    assert said(rule) == ("ValidationException", "Parameter ScheduleExpression is not valid.")


@pytest.mark.parametrize("expression", BOTH_TAKE)
def test_what_both_take(aws: Aws, expression: str) -> None:
    name = create_schedule(aws, expression)
    assert aws("scheduler").get_schedule(Name=name)["ScheduleExpression"] == expression
    rule = put_rule(aws, expression)
    assert aws("events").describe_rule(Name=rule)["ScheduleExpression"] == expression


@pytest.mark.parametrize("expression", [*ONLY_RULES_REFUSE, LATER])
def test_what_only_scheduler_takes(aws: Aws, expression: str) -> None:
    create_schedule(aws, expression)
    with pytest.raises(ClientError) as rule:
        put_rule(aws, expression)
    assert said(rule) == ("ValidationException", "Parameter ScheduleExpression is not valid.")


def test_an_update_that_is_refused_changes_nothing(aws: Aws) -> None:
    name = create_schedule(aws, "rate(5 minutes)")
    with pytest.raises(ClientError) as refused:
        aws("scheduler").update_schedule(Name=name, ScheduleExpression="rate(1", **TARGET)
    assert said(refused) == ("ValidationException", "Invalid Schedule Expression rate(1.")
    assert aws("scheduler").get_schedule(Name=name)["ScheduleExpression"] == "rate(5 minutes)"


def test_a_rule_of_another_bus_has_no_schedule(aws: Aws) -> None:
    aws("events").create_event_bus(Name="other")
    with pytest.raises(ClientError) as refused:
        put_rule(aws, "rate(1 minute)", EventBusName="other")
    assert said(refused) == ("ValidationException", "ScheduleExpression is supported only on the default event bus.")
    pattern = json.dumps({"source": ["tests"]})
    aws("events").put_rule(Name="without", EventBusName="other", EventPattern=pattern)


def resource(kind: str, expression: str) -> dict[str, Any]:
    """A resource of a template, with this schedule."""
    rest = TARGET if kind == "AWS::Scheduler::Schedule" else {"State": "DISABLED"}
    return {"Type": kind, "Properties": {"ScheduleExpression": expression, **rest}}


@pytest.mark.parametrize("kind", ["AWS::Scheduler::Schedule", "AWS::Events::Rule"])
def test_a_stack_with_a_schedule_that_is_refused_fails(aws: Aws, kind: str) -> None:
    stacks, name = aws("cloudformation"), f"stack-{uuid4().hex[:8]}"

    def status(name: str) -> str:
        return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    def ends(name: str) -> str:
        return str(until(lambda: not (now := status(name)).endswith("IN_PROGRESS") and now, "the end of the stack"))

    def body(expression: str) -> str:
        return json.dumps({"Resources": {"Tick": resource(kind, expression)}})

    stacks.create_stack(StackName=f"{name}-bad", TemplateBody=body("rate(1"))
    assert ends(f"{name}-bad") == "ROLLBACK_COMPLETE"
    events = stacks.describe_stack_events(StackName=f"{name}-bad")["StackEvents"]
    assert [it for it in events if "ValidationException" in it.get("ResourceStatusReason", "")]
    stacks.create_stack(StackName=name, TemplateBody=body("rate(5 minutes)"))
    assert ends(name) == "CREATE_COMPLETE"
    stacks.update_stack(StackName=name, TemplateBody=body("rate(1"))
    assert ends(name) == "UPDATE_ROLLBACK_COMPLETE"
    stacks.update_stack(StackName=name, TemplateBody=body("rate(6 minutes)"))
    assert ends(name) == "UPDATE_COMPLETE"


def test_an_invocation_says_which_schedule_it_came_from(
    aws: Aws, role: str, function: Callable[..., str], invoke: Callable[..., Any], control: httpx.Client
) -> None:
    name = function("def handler(event, context): return event")
    arn = aws("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    invoke(name, {"sweep": False})
    now = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    target = {"Arn": arn, "RoleArn": role, "Input": '{"sweep": true}'}
    schedule = create_schedule(aws, f"at({now})", State="ENABLED", Target=target)

    def invoked() -> list[tuple[Any, Any]]:
        mine = [it for it in control.get("/invocations").json() if it["function"] == name and not it["running"]]
        return [(it["event"], it["schedule"]) for it in mine]

    until(lambda: len(invoked()) > 1, "the schedule")
    assert invoked() == [({"sweep": False}, None), ({"sweep": True}, schedule)]
