"""Reading and changing what starts a scheduled task: the ECS target of an EventBridge schedule or rule.

UpdateSchedule takes the whole schedule: a field that is left out falls back to its default. PutTargets replaces one
target and leaves the rule's other targets alone. Neither call has a condition, so each change reads just before it
writes. See docs/reference/aws-facts.md#schedules-and-rules.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import MakeClient, RuleTarget, Schedule, UpdateScheduleRequest
from ferryman.errors import Throttled
from ferryman.records import JobPlace

if TYPE_CHECKING:
    from ferryman.platform.environments import Job

ONLY_TOLD = frozenset({"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"})
"""What GetSchedule tells and UpdateSchedule does not take (botocore's model)."""
INPUTS = frozenset({"Input", "InputPath", "InputTransformer"})
"""Fields of a target that may hold secrets, as overrides of environment variables do: only their digests are kept."""

_MISSING = "ResourceNotFoundException"
_MEANWHILE = frozenset({"ConflictException", "ConcurrentModificationException"})
_KEPT_BYTES = 1_024
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_FARTHEST_TIME_ZONE = timedelta(hours=12)
"""For a zone that is not known here: when it is noon in the one that is farthest behind, it is midnight in UTC."""


@dataclass(frozen=True)
class JobTarget:
    """The ECS target of a schedule or rule, as AWS tells it now."""

    place: JobPlace
    arn: str
    """ARN of the schedule or rule."""
    cluster: str = ""
    """What the target's `Arn` names; empty when there is no such target."""
    task_definition: str = ""
    """As the target names it; empty when it runs no ECS task."""
    enabled: bool = True
    managed_by: str = ""
    """The AWS service that owns the rule."""
    choices: list[str] = field(default_factory=list)
    """Ids of all ECS targets of the rule."""
    schedule: Schedule | None = None
    rule_target: RuleTarget | None = None

    @property
    def unpinned(self) -> bool:
        """Whether it names a family, which stands for the family's latest revision."""
        return ":" not in self.task_definition.rsplit("/", 1)[-1]

    @property
    def deletes_itself(self) -> bool:
        """Whether EventBridge Scheduler deletes it after its last run."""
        return self.schedule is not None and self.schedule.get("ActionAfterCompletion") == "DELETE"

    def ended(self, now: datetime) -> bool:
        """Whether it can never run again. A rule has no end."""
        if self.schedule is None:
            return False
        told: Mapping[str, object] = self.schedule
        end = told.get("EndDate")
        if isinstance(end, datetime) and end <= now:
            return True
        once = _AT.fullmatch(self.schedule.get("ScheduleExpression", ""))
        if once is None:
            return False
        at = datetime.fromisoformat(once[1])
        try:
            return at.replace(tzinfo=ZoneInfo(self.schedule.get("ScheduleExpressionTimezone", "UTC"))) < now
        except (ZoneInfoNotFoundError, ValueError):
            return at.replace(tzinfo=UTC) + _FARTHEST_TIME_ZONE < now

    def kept(self) -> str:
        """Return what a plan keeps of the target: JSON with digests for inputs, or the JSON's digest if it is long."""
        return _kept(self._target())

    def kept_with(self, task_definition: str) -> str:
        """Return what `kept` would say if the target named another task definition."""
        target = self._target()
        parameters: object = target.get("EcsParameters")
        if isinstance(parameters, Mapping):
            target = {**target, "EcsParameters": {**parameters, "TaskDefinitionArn": task_definition}}
        return _kept(target)

    def _target(self) -> Mapping[str, object]:
        return self.schedule["Target"] if self.schedule is not None else self.rule_target or {}


def place_of(job: "Job") -> JobPlace:
    """Return where a job's target is, as the document says. Pure."""
    if job.schedule is not None:
        return JobPlace(kind="schedule", name=job.schedule, group=job.group)
    return JobPlace(kind="rule", name=job.rule or "", group=job.event_bus, target=job.target or "")


def find(client: MakeClient, place: JobPlace) -> JobTarget | None:
    """Return a job's target; None when there is no such schedule or rule.

    Where a rule has no such target, or several to choose from, the answer has no task definition.
    """
    try:
        return _schedule(client, place) if place.kind == "schedule" else _rule(client, place)
    except Refusal as error:
        if code_of(error) == _MISSING:
            return None
        raise


def point(client: MakeClient, found: JobTarget, task_definition: str, now: datetime) -> None:
    """Make a target that was just read run another task definition; everything else of it stays as it was read.

    Raise ClientError when AWS refuses it, TransientError when another try may work.
    """
    if found.schedule is not None:
        _update_schedule(client, found.schedule, task_definition, now)
    elif found.rule_target is not None:
        _put_target(client, found.place, found.rule_target, task_definition)


def _schedule(client: MakeClient, place: JobPlace) -> JobTarget:
    with _of_events():
        answer = client("scheduler").get_schedule(Name=place.name, GroupName=place.group)
    target = answer["Target"]
    return JobTarget(
        place=place,
        arn=answer["Arn"],
        cluster=target["Arn"],
        task_definition=target.get("EcsParameters", {}).get("TaskDefinitionArn", ""),
        enabled=answer.get("State") != "DISABLED",
        schedule=answer,
    )


def _rule(client: MakeClient, place: JobPlace) -> JobTarget:
    events, token = client("events"), ""
    with _of_events():
        rule = events.describe_rule(Name=place.name, EventBusName=place.group)
    targets: list[RuleTarget] = []
    while True:
        with _of_events():
            if token:
                page = events.list_targets_by_rule(Rule=place.name, EventBusName=place.group, NextToken=token)
            else:
                page = events.list_targets_by_rule(Rule=place.name, EventBusName=place.group)
        targets += page["Targets"]
        token = page.get("NextToken", "")
        if not token:
            break
    choices = {target["Id"]: target for target in targets if "EcsParameters" in target}
    wanted = place.target or (next(iter(choices)) if len(choices) == 1 else "")
    chosen = choices.get(wanted)
    known = JobTarget(
        place=place,
        arn=rule["Arn"],
        enabled=rule.get("State") != "DISABLED",
        managed_by=rule.get("ManagedBy", ""),
        choices=sorted(choices),
    )
    if chosen is None:
        return known
    return JobTarget(
        place=place,
        arn=known.arn,
        cluster=chosen["Arn"],
        task_definition=chosen.get("EcsParameters", {}).get("TaskDefinitionArn", ""),
        enabled=known.enabled,
        managed_by=known.managed_by,
        choices=known.choices,
        rule_target=chosen,
    )


def _update_schedule(client: MakeClient, schedule: Schedule, task_definition: str, now: datetime) -> None:
    target = schedule["Target"]
    whole = {
        **{name: value for name, value in schedule.items() if name not in ONLY_TOLD},
        "Target": {**target, "EcsParameters": {**target["EcsParameters"], "TaskDefinitionArn": task_definition}},
    }
    # The type checker can't follow which fields are left; a test holds ONLY_TOLD against botocore's model.
    request = cast(UpdateScheduleRequest, whole)
    try:
        with _of_events():
            client("scheduler").update_schedule(**request)
    except Refusal as error:
        # AWS takes no start that is more than five minutes past. Such a schedule has begun; it needs no start.
        said = error.response.get("Error", {}).get("Message", "")
        start = request.pop("StartDate", None)
        if "StartDate" not in said or start is None or _moment(start) > now:
            raise
        with _of_events():
            client("scheduler").update_schedule(**request)


def _put_target(client: MakeClient, place: JobPlace, target: RuleTarget, task_definition: str) -> None:
    made = target.copy()
    made["EcsParameters"] = {**target["EcsParameters"], "TaskDefinitionArn": task_definition}
    with _of_events():
        answer = client("events").put_targets(Rule=place.name, EventBusName=place.group, Targets=[made])
        if answer.get("FailedEntryCount"):
            unsaid = f"target {target['Id']} was not changed, and AWS gave no reason"
            for failed in answer.get("FailedEntries", []):
                code, said = failed.get("ErrorCode") or "FailedEntry", failed.get("ErrorMessage") or unsaid
                raise Refusal({"Error": {"Code": code, "Message": said}}, "PutTargets")
            raise Refusal({"Error": {"Code": "FailedEntry", "Message": unsaid}}, "PutTargets")


@contextmanager
def _of_events() -> Iterator[None]:
    """Like `translated`, and a change by somebody else at the same moment is worth another try."""
    try:
        with translated():
            yield
    except Refusal as error:
        if code_of(error) in _MEANWHILE:
            raise Throttled(f"{error.operation_name}: {code_of(error)}") from error
        raise


def _kept(target: Mapping[str, object]) -> str:
    text = _json({name: _digest(_json(value)) if name in INPUTS else value for name, value in target.items()})
    return text if len(text.encode()) <= _KEPT_BYTES else _digest(text)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _moment(at: datetime | str) -> datetime:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
