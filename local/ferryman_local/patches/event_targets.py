"""Corrections of the emulator's targets: of EventBridge Scheduler's schedules and of EventBridge's rules.

The emulator runs no ECS task for them, takes any number of targets for a rule, any date for a schedule and any target
that has an ARN. Sources: the API references of EventBridge Scheduler (UpdateSchedule, EcsParameters) and EventBridge
(PutTargets, ListTargetsByRule); that a StartDate may not be more than five minutes past is what AWS answers to other
tools' users; that an EndDate may not be past is assumed.
"""

import json
import time
from typing import Any

from ferryman_local.patches.private_attributes import module, replace

TARGETS_OF_A_RULE = 5
TARGETS_OF_A_CALL = 10
STARTED_BY = {"aws.scheduler": "chronos-schedule", "aws.events": "events-rule"}
"""First part of a task's `startedBy`."""
_LATEST_START = 300


def apply() -> None:
    """Put every correction of this file in place; after those of ECS."""
    rules, scheduler = module("services.eventbridge"), module("services.scheduler")
    for name in ("_create_schedule", "_update_schedule"):
        replace(scheduler, name, lambda original: _write_schedule(original, scheduler))
    replace(rules, "_put_targets", lambda original: _put_targets(original, rules))
    replace(rules, "_list_targets_by_rule", lambda original: _list_targets(original, rules))
    replace(rules, "_invoke_target", _invoke_target)


def _write_schedule(original: Any, scheduler: Any) -> Any:
    """CreateSchedule and UpdateSchedule raise ValidationException for dates that are past and for half a target."""

    def write(name: str, body: dict[str, Any]) -> Any:
        if problem := schedule_problem(body, time.time()):
            return scheduler._error(400, "ValidationException", problem)
        return original(name, body)

    return write


def schedule_problem(body: dict[str, Any], now: float) -> str:
    """What Scheduler says against a schedule's dates and target; empty when it takes them."""
    start, end, target = body.get("StartDate"), body.get("EndDate"), body.get("Target") or {}
    if start is not None and float(start) < now - _LATEST_START:
        return "The StartDate you specify cannot be earlier than 5 minutes ago."
    if end is not None and float(end) <= now:
        return "The EndDate you specify must be in the future."
    if ":ecs:" in str(target.get("Arn")) and not (target.get("EcsParameters") or {}).get("TaskDefinitionArn"):
        return "EcsParameters.TaskDefinitionArn is required for an ECS target."
    return ""


def _put_targets(original: Any, rules: Any) -> Any:
    """PutTargets takes ten targets in a call and five for a rule, and refuses rules that AWS services manage."""

    def put_targets(data: dict[str, Any]) -> Any:
        rule = rules._rules.get(_key(data, rules))
        if rule is not None and rule.get("ManagedBy"):
            return rules.error_response_json("ManagedRuleException", f"Rule {data['Rule']} is managed.", 400)
        given = {target.get("Id") for target in data.get("Targets", [])}
        if len(data.get("Targets", [])) > TARGETS_OF_A_CALL:
            return rules.error_response_json("ValidationException", "At most 10 targets can be put at once.", 400)
        known = {target["Id"] for target in rules._targets.get(_key(data, rules), [])}
        if len(given | known) > TARGETS_OF_A_RULE:
            return rules.error_response_json("LimitExceededException", "The rule would have too many targets.", 400)
        return original(data)

    return put_targets


def _list_targets(original: Any, rules: Any) -> Any:
    """ListTargetsByRule raises ResourceNotFoundException for a rule that does not exist."""

    def list_targets(data: dict[str, Any]) -> Any:
        if _key(data, rules) not in rules._rules:
            message = f"Rule {data.get('Rule')} does not exist on EventBus {data.get('EventBusName') or 'default'}."
            return rules.error_response_json("ResourceNotFoundException", message, 400)
        return original(data)

    return list_targets


def _key(data: dict[str, Any], rules: Any) -> str:
    return str(rules._rule_key(data.get("Rule"), data.get("EventBusName") or "default"))


def _invoke_target(original: Any) -> Any:
    """A target with EcsParameters runs a task: on the cluster that its ARN names, with its input as the overrides."""

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        if not target.get("EcsParameters"):
            return original(target, event, rule, view)
        source = event.get("Source") if event.get("Source") in STARTED_BY else "aws.events"
        return module("services.ecs")._run_task(task_of(target, f"{STARTED_BY[str(source)]}/{rule.get('Name')}"))

    return invoke_target


def task_of(target: dict[str, Any], started_by: str) -> dict[str, Any]:
    """The RunTask request that a target stands for."""
    parameters = target["EcsParameters"]
    network = (parameters.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    request = {
        "cluster": target["Arn"],
        "taskDefinition": parameters["TaskDefinitionArn"],
        "count": parameters.get("TaskCount", 1),
        "launchType": parameters.get("LaunchType", "EC2"),
        "startedBy": started_by,
    }
    if network:
        lower = {name[:1].lower() + name[1:]: value for name, value in network.items()}
        request["networkConfiguration"] = {"awsvpcConfiguration": lower}
    if target.get("Input"):
        request["overrides"] = json.loads(target["Input"])
    return request
