"""Corrections of the emulator's IAM: resources of actions, ecs:cluster, dynamodb:LeadingKeys and iam:PassRole.

A role's resource has its path.

The emulator checks every ECS action against the cluster's ARN, log streams against their log group's, mails against
`*`, knows no partition keys of DynamoDB, and never asks for iam:PassRole, nor for ecs:TagResource where a task
definition is registered with tags. So a policy that is right on AWS would fail, and one that is too wide would pass.

Source of the resource types and condition keys: the Service Authorization Reference of ECS, ECR, CloudWatch Logs,
DynamoDB and SES v2; of iam:PassRole: the IAM User Guide ("Grant a user permissions to pass a role to an AWS service");
of ecs:TagResource: the Developer Guide of ECS ("Grant permission to tag resources on creation").
"""

import json
from contextvars import ContextVar
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs

from ferryman_local.patches import leading_keys
from ferryman_local.patches.private_attributes import module, replace

_SERVICE_ACTIONS = frozenset({"UpdateService", "DeleteService", "DescribeServices", "CreateService"})
_TASK_ACTIONS = frozenset({"DescribeTasks", "StopTask", "GetTaskProtection"})
_STREAM_ACTIONS = frozenset({"GetLogEvents", "PutLogEvents", "DeleteLogStream"})

_RULE_ACTIONS = frozenset({"DescribeRule", "ListTargetsByRule", "PutTargets", "PutRule", "DeleteRule", "RemoveTargets"})
_PASSED_TO = {
    "ecs:RegisterTaskDefinition": "ecs-tasks.amazonaws.com",
    "scheduler:CreateSchedule": "scheduler.amazonaws.com",
    "scheduler:UpdateSchedule": "scheduler.amazonaws.com",
    "events:PutTargets": "events.amazonaws.com",
}
"""Actions that pass roles, and the service that gets them (iam:PassedToService)."""

_BATCHES = {"sqs:SendMessageBatch": "sqs:SendMessage"}
"""Operations on several messages, and the action that allows them (Amazon SQS Developer Guide, "Amazon SQS API
permissions: Actions and resource reference")."""

# The roles that the present request passes; `enforce` reads them, since it does not see the request's body.
_passed: ContextVar[list[str] | None] = ContextVar("passed_roles", default=None)
# The family that the present request registers with tags.
_tagged: ContextVar[str] = ContextVar("tagged_family", default="")


def apply() -> None:
    """Put every correction of this file in place."""
    actions, evaluator = module("core.iam_actions"), module("core.iam_evaluator")
    replace(actions, "extract_resource_arn", _extract_resource_arn)
    replace(actions, "_lambda_action", _lambda_action)
    replace(actions, "request_tag_context", _request_context)
    replace(actions, "dynamodb_service_context", leading_keys.of_requests)
    replace(actions, "dynamodb_transaction_checks", leading_keys.of_transactions)
    replace(evaluator, "enforce", _enforce)


def _lambda_action(original: Any) -> Any:
    """GetAccountSettings needs its permission; the emulator lets everybody ask."""

    def action(method: str, path: str) -> Any:
        return "GetAccountSettings" if path.rstrip("/").endswith("/account-settings") else original(method, path)

    return action


def _extract_resource_arn(original: Any) -> Any:
    """A policy's Resource is compared with the ARN of the resource that the action is about."""

    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> Any:
        data = _json_body(body)
        if service == "scheduler":
            group = query.get("groupName") if isinstance(query, dict) else None
            data = {"GroupName": group[0] if isinstance(group, list) else group, **data}
        found = _resource_of(service, path, _operation(headers), data, f"{region}:{account}")
        found = found or original(service, method, path, headers, body, query, region, account)
        if service == "cloudformation":
            return _stack(body) or found
        if service == "iam":
            # SimulatePrincipalPolicy names whom it is about in another field than the other actions do.
            source = parse_qs(body.decode("utf-8", "replace")).get("PolicySourceArn")
            return source[0] if source else _with_path(found)
        return found

    return extract


def _stack(body: bytes) -> str | None:
    """The id of the stack that a request names: a policy may allow to read just this one."""
    named = parse_qs(body.decode("utf-8", "replace")).get("StackName", [""])[0]
    stack = module("services.cloudformation")._stacks.get(named)
    return str(stack["StackId"]) if stack else None


def _with_path(resource: str) -> str:
    """A role's whole ARN: a policy for roles below a path does not allow a role of the same name elsewhere."""
    role = module("services.iam")._roles.get(resource.rpartition(":role/")[2])
    return str(role["Arn"]) if role else resource


def _request_context(original: Any) -> Any:
    """ECS actions that name a cluster have the condition key ecs:cluster, the cluster's ARN."""

    def request_context(service: str, action: str, body: bytes, params: Any) -> Any:
        found = dict(original(service, action, body, params))
        _passed.set([])
        _tagged.set("")
        if service == "ecs":
            data = _json_body(body)
            account, region = _scope()
            if isinstance(data.get("cluster"), str):
                found["ecs:cluster"] = _cluster(data["cluster"], f"arn:aws:ecs:{region}:{account}")
            if action == "ecs:RegisterTaskDefinition":
                _passed.set([data[key] for key in ("taskRoleArn", "executionRoleArn") if data.get(key)])
                _tagged.set(str(data.get("family")) if data.get("tags") else "")
        elif action in _PASSED_TO:
            data = _json_body(body)
            targets = [data.get("Target") or {}, *(data.get("Targets") or [])]
            _passed.set([target["RoleArn"] for target in targets if target.get("RoleArn")])
        return found

    return request_context


def _enforce(original: Any) -> Any:
    """What names roles (task definitions, targets of schedules and rules) needs iam:PassRole for each of them; a task
    definition with tags needs ecs:TagResource. A batch of messages needs what one message needs."""

    def enforce(access_key: str, action: str, service: str, region: str, **more: Any) -> Any:
        action = _BATCHES.get(action, action)
        if isinstance(item := more.get("resource_arn"), leading_keys.ItemArn):
            more["service_context"] = {**(more.get("service_context") or {}), **item.context}
        denied = original(access_key, action, service, region, **more)
        if denied is None and action in _PASSED_TO:
            keys = {"iam:PassedToService": _PASSED_TO[action]}
            for role in _passed.get() or []:
                denied = original(access_key, "iam:PassRole", "iam", region, resource_arn=role, service_context=keys)
                if denied is not None:
                    return denied
        if denied is None and action == "ecs:RegisterTaskDefinition" and _tagged.get():
            account, _ = _scope()
            arn = f"arn:aws:ecs:{region}:{account}:task-definition/{_tagged.get()}"
            keys = {"ecs:CreateAction": "RegisterTaskDefinition"}
            return original(access_key, "ecs:TagResource", "ecs", region, resource_arn=arn, service_context=keys)
        return denied

    return enforce


def _resource_of(service: str, path: str, operation: str, data: dict[str, Any], scope: str) -> str | None:
    """The ARN that AWS checks where the emulator takes another one; None where it is right."""
    if service == "ecs":
        return _ecs_resource(operation, data, f"arn:aws:ecs:{scope}")
    if service == "ecr" and (named := data.get("repositoryNames")):
        return f"arn:aws:ecr:{scope}:repository/{named[0]}"
    if service == "logs" and operation in _STREAM_ACTIONS:
        return f"arn:aws:logs:{scope}:log-group:{data.get('logGroupName')}:log-stream:{data.get('logStreamName')}"
    if service == "events" and operation in _RULE_ACTIONS:
        bus, name = data.get("EventBusName") or "default", data.get("Rule") or data.get("Name")
        return f"arn:aws:events:{scope}:rule/{name if bus == 'default' else f'{bus}/{name}'}"
    if service == "scheduler" and path.startswith("/schedules/"):
        return f"arn:aws:scheduler:{scope}:schedule/{data.get('GroupName') or 'default'}/{path.split('/')[2]}"
    if service == "ses" and path.rstrip("/") == "/v2/email/outbound-emails":
        return f"arn:aws:ses:{scope}:identity/{parseaddr(str(data.get('FromEmailAddress')))[1]}"
    return None


def _scope() -> tuple[str, str]:
    responses = module("core.responses")
    return responses.get_account_id(), responses.get_region()


def _operation(headers: Any) -> str:
    return str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]


def _json_body(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _cluster(name: str, prefix: str) -> str:
    return name if name.startswith("arn:") else f"{prefix}:cluster/{name}"


def _ecs_resource(operation: str, data: dict[str, Any], prefix: str) -> str:
    """The ARN that AWS checks for an ECS action; of several, the first. `*` where the action has no resource type."""
    cluster = str(data.get("cluster") or "default").rsplit("/", 1)[-1]
    if operation in _SERVICE_ACTIONS:
        named = data.get("service") or next(iter(data.get("services") or []), None) or data.get("serviceName") or "*"
        return named if str(named).startswith("arn:") else f"{prefix}:service/{cluster}/{named}"
    if operation in _TASK_ACTIONS:
        task = data.get("task") or next(iter(data.get("tasks") or []), "*")
        return task if str(task).startswith("arn:") else f"{prefix}:task/{cluster}/{task}"
    if operation == "DescribeContainerInstances":
        found = next(iter(data.get("containerInstances") or []), "*")
        return found if str(found).startswith("arn:") else f"{prefix}:container-instance/{cluster}/{found}"
    if operation == "RunTask":
        definition = str(data.get("taskDefinition") or "*")
        return definition if definition.startswith("arn:") else f"{prefix}:task-definition/{definition}"
    if operation == "TagResource":
        return str(data.get("resourceArn") or "*")
    if operation in ("CreateCluster", "DeleteCluster", "DescribeClusters"):
        return f"{prefix}:cluster/{cluster}"
    return "*"
