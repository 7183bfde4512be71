"""Targets of schedules and rules on the local AWS: what is refused, what is reset, and what a target starts."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from ferryman_local.patches.event_targets import schedule_problem, task_of
from ferryman_local.patches.iam import _resource_of

Aws = Callable[[str], Any]
CLUSTER = "arn:aws:ecs:eu-west-1:000000000000:cluster/jobs"
TARGET: dict[str, Any] = {
    "Arn": CLUSTER,
    "RoleArn": "arn:aws:iam::000000000000:role/jobs",
    "EcsParameters": {
        "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:000000000000:task-definition/report:1",
        "TaskCount": 2,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED"}},
    },
}
SCHEDULE: dict[str, Any] = {
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": TARGET,
}


def new_name() -> str:
    return f"j-{uuid4().hex[:8]}"


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_update_resets_what_it_is_not_given(aws: Aws) -> None:
    name = new_name()
    more = {"ScheduleExpressionTimezone": "Europe/Vienna", "State": "DISABLED", "ActionAfterCompletion": "DELETE"}
    aws("scheduler").create_schedule(Name=name, **SCHEDULE, **more)
    aws("scheduler").update_schedule(Name=name, **SCHEDULE)
    found = aws("scheduler").get_schedule(Name=name)
    assert {field: found[field] for field in more} == {
        "ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"StartDate": 1_000}, "cannot be earlier than 5 minutes ago"),
        ({"EndDate": 1_000}, "must be in the future"),
        ({"Target": {**TARGET, "EcsParameters": {}}}, "TaskDefinitionArn is required"),
        ({}, ""),
        ({"StartDate": 999_800, "EndDate": 1_000_001}, ""),
    ],
)
def test_what_a_schedule_may_not_say(changes: dict[str, Any], said: str) -> None:
    problem = schedule_problem({**SCHEDULE, **changes}, 1_000_000)
    assert said in problem
    assert bool(problem) is bool(said)


def test_a_start_that_is_past_is_refused(aws: Aws) -> None:
    name = new_name()
    aws("scheduler").create_schedule(Name=name, **SCHEDULE)
    with pytest.raises(ClientError, match="5 minutes ago") as error:
        aws("scheduler").update_schedule(Name=name, **SCHEDULE, StartDate=time.time() - 600)
    assert code(error) == "ValidationException"


def test_a_rule_has_five_targets_and_each_is_replaced_by_its_id(aws: Aws) -> None:
    name = new_name()
    aws("events").put_rule(Name=name, ScheduleExpression="rate(1 day)", State="DISABLED")
    targets = [{"Id": f"t{number}", **TARGET} for number in range(5)]
    aws("events").put_targets(Rule=name, Targets=targets)
    aws("events").put_targets(Rule=name, Targets=[{**targets[0], "Input": "{}"}])
    found = {target["Id"]: target for target in aws("events").list_targets_by_rule(Rule=name)["Targets"]}
    assert sorted(found) == ["t0", "t1", "t2", "t3", "t4"]
    assert (found["t0"]["Input"], "Input" in found["t1"]) == ("{}", False)
    with pytest.raises(ClientError) as error:
        aws("events").put_targets(Rule=name, Targets=[{"Id": "t5", **TARGET}])
    assert code(error) == "LimitExceededException"


def test_a_rule_that_does_not_exist_has_no_list_of_targets(aws: Aws) -> None:
    with pytest.raises(ClientError) as error:
        aws("events").list_targets_by_rule(Rule=new_name())
    assert code(error) == "ResourceNotFoundException"


def test_a_target_is_a_task() -> None:
    assert task_of({**TARGET, "Input": '{"containerOverrides": []}'}, "events-rule/x") == {
        "cluster": CLUSTER,
        "taskDefinition": TARGET["EcsParameters"]["TaskDefinitionArn"],
        "count": 2,
        "launchType": "FARGATE",
        "startedBy": "events-rule/x",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
        "overrides": {"containerOverrides": []},
    }


@pytest.mark.parametrize(
    ("service", "path", "operation", "data", "arn"),
    [
        ("events", "/", "PutTargets", {"Rule": "r"}, "events:eu-west-1:1:rule/r"),
        ("events", "/", "DescribeRule", {"Name": "r", "EventBusName": "b"}, "events:eu-west-1:1:rule/b/r"),
        ("scheduler", "/schedules/s", "", {}, "scheduler:eu-west-1:1:schedule/default/s"),
        ("scheduler", "/schedules/s", "", {"GroupName": "g"}, "scheduler:eu-west-1:1:schedule/g/s"),
    ],
)
def test_policies_are_compared_with_the_schedule_or_rule(
    service: str, path: str, operation: str, data: dict[str, Any], arn: str
) -> None:
    assert _resource_of(service, path, operation, data, "eu-west-1:1") == f"arn:aws:{arn}"
