"""EventBridge Scheduler and EventBridge as jobs meet them: what UpdateSchedule is not given is lost, as on AWS.

An instance makes the clients of both services (itself). Requests are held against botocore's models.
"""

import copy
import functools
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

Raw = dict[str, Any]
AREA = "eu-west-1:123456789012"
CLUSTER = f"arn:aws:ecs:{AREA}:cluster/scr-staging"
ROLE = "arn:aws:iam::123456789012:role/scr-scheduler"
DEFAULTS = {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE"}
"""What a schedule gets for a field that is left out."""


@functools.cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _answering(service: str, operation: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(self: "FakeEvents", **request: Any) -> Any:
            shape = _model(service).operation_model(operation).input_shape
            problems = ParamValidator().validate(request, shape)
            assert not problems.has_errors(), problems.generate_report()
            self.calls[method.__name__] += 1
            if self._before.get(method.__name__):
                raise self._before[method.__name__].pop(0)
            answer = copy.deepcopy(method(self, **copy.deepcopy(request)))
            if self._after.get(method.__name__):
                raise self._after[method.__name__].pop(0)
            return answer

        return call

    return decorate


class FakeEvents:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.calls: Counter[str] = Counter()
        self.schedules: dict[tuple[str, str], Raw] = {}
        """Group and name → the schedule as GetSchedule tells it."""
        self.rules: dict[tuple[str, str], Raw] = {}
        """Bus and name → the rule as DescribeRule tells it."""
        self.targets: dict[tuple[str, str], list[Raw]] = {}
        self.failed: Raw | None = None
        """What PutTargets tells of its one entry, which it did not take."""
        self.before_read: Callable[[], None] | None = None
        """Called once, before the next read."""
        self._before: dict[str, list[Exception]] = {}
        self._after: dict[str, list[Exception]] = {}
        self._stale: list[dict[tuple[str, str], Raw]] = []

    def __call__(self, service: str, /) -> Any:
        assert service in ("scheduler", "events"), service
        return self

    # ── faults ──

    def refuse(self, operation: str, code: str, message: str = "") -> None:
        error = ClientError({"Error": {"Code": code, "Message": message or code}}, operation)
        self._before.setdefault(operation, []).append(error)

    def lose_answer(self, operation: str) -> None:
        """The call works, and its answer never arrives."""
        self._after.setdefault(operation, []).append(ReadTimeoutError(endpoint_url="https://scheduler.test"))

    def lose_request(self, operation: str) -> None:
        """The call never arrives, and nobody can tell."""
        self._before.setdefault(operation, []).append(ReadTimeoutError(endpoint_url="https://scheduler.test"))

    def freeze_reads(self, times: int) -> None:
        """The next GetSchedule answer with what is true now, whatever happens meanwhile."""
        self._stale = [copy.deepcopy(self.schedules)] * times

    # ── what people do ──

    def new_schedule(self, name: str, task_definition: str, group: str = "default", **more: Any) -> Raw:
        made = {
            "Arn": f"arn:aws:scheduler:{AREA}:schedule/{group}/{name}",
            "Name": name,
            "GroupName": group,
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            **DEFAULTS,
            "Target": ecs_target(task_definition),
            "CreationDate": self._clock(),
            "LastModificationDate": self._clock(),
            **more,
        }
        self.schedules[group, name] = made
        return made

    def new_rule(self, name: str, *targets: Raw, bus: str = "default", **more: Any) -> None:
        path = name if bus == "default" else f"{bus}/{name}"
        self.rules[bus, name] = {
            "Name": name, "Arn": f"arn:aws:events:{AREA}:rule/{path}", "EventBusName": bus, "State": "ENABLED", **more,
        }  # fmt: skip
        self.targets[bus, name] = list(targets)

    def task_definition(self, name: str, target: str | None = None) -> str:
        """What a schedule, or a rule's target, runs."""
        found = self.schedules["default", name]["Target"] if target is None else self.rule_target(name, target)
        return str(found["EcsParameters"]["TaskDefinitionArn"])

    def rule_target(self, name: str, target: str, bus: str = "default") -> Raw:
        return next(item for item in self.targets[bus, name] if item["Id"] == target)

    # ── EventBridge Scheduler ──

    @_answering("scheduler", "GetSchedule")
    def get_schedule(self, **request: Any) -> Raw:
        self._reading()
        schedules = self._stale.pop(0) if self._stale else self.schedules
        key = (request.get("GroupName", "default"), request["Name"])
        if key not in schedules:
            raise _missing(f"Schedule {key[1]} does not exist.", "GetSchedule")
        return {**schedules[key], "ResponseMetadata": {"HTTPStatusCode": 200}}

    @_answering("scheduler", "UpdateSchedule")
    def update_schedule(self, **request: Any) -> Raw:
        key = (request.get("GroupName", "default"), request["Name"])
        if key not in self.schedules:
            raise _missing(f"Schedule {key[1]} does not exist.", "UpdateSchedule")
        now = self._clock()
        if "StartDate" in request and request["StartDate"] < now - timedelta(minutes=5):
            raise _invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
        if "EndDate" in request and request["EndDate"] <= now:
            raise _invalid("The EndDate you specify must be in the future.")
        before = self.schedules[key]
        self.schedules[key] = {
            "Arn": before["Arn"], "CreationDate": before["CreationDate"], "LastModificationDate": now,
            **DEFAULTS, "GroupName": "default", **request,
        }  # fmt: skip
        return {"ScheduleArn": before["Arn"]}

    # ── EventBridge ──

    @_answering("events", "DescribeRule")
    def describe_rule(self, **request: Any) -> Raw:
        self._reading()
        key = (request.get("EventBusName", "default"), request["Name"])
        if key not in self.rules:
            raise _missing(f"Rule {key[1]} does not exist.", "DescribeRule")
        return self.rules[key]

    @_answering("events", "ListTargetsByRule")
    def list_targets_by_rule(self, **request: Any) -> Raw:
        """One target on each page."""
        key = (request.get("EventBusName", "default"), request["Rule"])
        if key not in self.rules:
            raise _missing(f"Rule {key[1]} does not exist.", "ListTargetsByRule")
        start, targets = int(request.get("NextToken", "0")), self.targets[key]
        more = {"NextToken": str(start + 1)} if start + 1 < len(targets) else {}
        return {"Targets": targets[start : start + 1], **more}

    @_answering("events", "PutTargets")
    def put_targets(self, **request: Any) -> Raw:
        key = (request.get("EventBusName", "default"), request["Rule"])
        if key not in self.rules:
            raise _missing(f"Rule {key[1]} does not exist.", "PutTargets")
        if self.rules[key].get("ManagedBy"):
            raise ClientError({"Error": {"Code": "ManagedRuleException", "Message": "managed"}}, "PutTargets")
        if self.failed is not None:
            return {"FailedEntryCount": 1, "FailedEntries": [self.failed] if self.failed else []}
        for target in request["Targets"]:
            others = [item for item in self.targets[key] if item["Id"] != target["Id"]]
            self.targets[key] = [*others, target]
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _reading(self) -> None:
        act, self.before_read = self.before_read, None
        if act is not None:
            act()


def ecs_target(task_definition: str, **more: Any) -> Raw:
    """The target of a schedule; with an Id, that of a rule."""
    return {
        "Arn": CLUSTER,
        "RoleArn": ROLE,
        "EcsParameters": {
            "TaskDefinitionArn": task_definition,
            "TaskCount": 2,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "awsvpcConfiguration": {
                    "Subnets": ["subnet-1"],
                    "SecurityGroups": ["sg-1"],
                    "AssignPublicIp": "ENABLED",
                }
            },
        },
        "Input": '{"containerOverrides": [{"name": "app", "environment": [{"name": "TOKEN", "value": "hunter2"}]}]}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 1},
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{AREA}:dead"},
        **more,
    }


def _missing(message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": message}}, operation)


def _invalid(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "UpdateSchedule")
