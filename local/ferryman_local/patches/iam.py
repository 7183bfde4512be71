"""Requests as IAM sees them: which resource an action is about, the cluster as a condition key, and iam:PassRole.

The emulator checks every ECS action against the cluster's ARN, log streams against their group's, mails against `*`,
and never asks for PassRole, so that a policy which is right on AWS fails here and one which is too wide passes. Source
of the resource types and condition keys: the Service Authorization Reference of ECS, CloudWatch Logs and SES v2.
"""

import json
from contextvars import ContextVar
from email.utils import parseaddr
from typing import Any

from ferryman_local.patches.private_attributes import module, replace

_SERVICE_ACTIONS = frozenset({"UpdateService", "DeleteService", "DescribeServices", "CreateService"})
_TASK_ACTIONS = frozenset({"DescribeTasks", "StopTask"})
_STREAM_ACTIONS = frozenset({"GetLogEvents", "PutLogEvents", "DeleteLogStream"})

# Roles that the present request hands over; read by `enforce`, which does not see the request's body.
_passed: ContextVar[list[str] | None] = ContextVar("passed_roles", default=None)


def apply() -> None:
    """Replace the resource and context derivation, and add the PassRole check."""
    actions, evaluator = module("core.iam_actions"), module("core.iam_evaluator")
    replace(actions, "extract_resource_arn", _resources)
    replace(actions, "request_tag_context", _context)
    replace(evaluator, "enforce", _pass_role)


def _resources(original: Any) -> Any:
    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> Any:
        found = _of_request(service, path, _operation(headers), _data(body), f"{region}:{account}")
        return found or original(service, method, path, headers, body, query, region, account)

    return extract


def _context(original: Any) -> Any:
    def request_context(service: str, action: str, body: bytes, params: Any) -> Any:
        found = dict(original(service, action, body, params))
        _passed.set([])
        if service == "ecs":
            data = _data(body)
            account, region = _scope()
            if isinstance(data.get("cluster"), str):
                found["ecs:cluster"] = _cluster(data["cluster"], f"arn:aws:ecs:{region}:{account}")
            if action == "ecs:RegisterTaskDefinition":
                _passed.set([data[key] for key in ("taskRoleArn", "executionRoleArn") if data.get(key)])
        return found

    return request_context


def _pass_role(original: Any) -> Any:
    def enforce(access_key: str, action: str, service: str, region: str, **more: Any) -> Any:
        denied = original(access_key, action, service, region, **more)
        if denied is None and action == "ecs:RegisterTaskDefinition":
            keys = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
            for role in _passed.get() or []:
                denied = original(access_key, "iam:PassRole", "iam", region, resource_arn=role, service_context=keys)
                if denied is not None:
                    return denied
        return denied

    return enforce


def _of_request(service: str, path: str, operation: str, data: dict[str, Any], place: str) -> str | None:
    """The ARN that AWS checks where the emulator takes another one; None where it is right."""
    if service == "ecs":
        return _resource(operation, data, f"arn:aws:ecs:{place}")
    if service == "ecr" and (named := data.get("repositoryNames")):
        return f"arn:aws:ecr:{place}:repository/{named[0]}"
    if service == "logs" and operation in _STREAM_ACTIONS:
        return f"arn:aws:logs:{place}:log-group:{data.get('logGroupName')}:log-stream:{data.get('logStreamName')}"
    if service == "ses" and path.rstrip("/") == "/v2/email/outbound-emails":
        return f"arn:aws:ses:{place}:identity/{parseaddr(str(data.get('FromEmailAddress')))[1]}"
    return None


def _scope() -> tuple[str, str]:
    responses = module("core.responses")
    return responses.get_account_id(), responses.get_region()


def _operation(headers: Any) -> str:
    return str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]


def _data(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _cluster(name: str, prefix: str) -> str:
    return name if name.startswith("arn:") else f"{prefix}:cluster/{name}"


def _resource(operation: str, data: dict[str, Any], prefix: str) -> str:
    """The ARN that AWS checks; of several, the first."""
    cluster = str(data.get("cluster") or "default").rsplit("/", 1)[-1]
    if operation in _SERVICE_ACTIONS:
        named = data.get("service") or next(iter(data.get("services") or []), None) or data.get("serviceName") or "*"
        return named if str(named).startswith("arn:") else f"{prefix}:service/{cluster}/{named}"
    if operation in _TASK_ACTIONS:
        task = data.get("task") or next(iter(data.get("tasks") or []), "*")
        return task if str(task).startswith("arn:") else f"{prefix}:task/{cluster}/{task}"
    if operation == "RunTask":
        definition = str(data.get("taskDefinition") or "*")
        return definition if definition.startswith("arn:") else f"{prefix}:task-definition/{definition}"
    if operation == "TagResource":
        return str(data.get("resourceArn") or "*")
    if operation in ("CreateCluster", "DeleteCluster", "DescribeClusters"):
        return f"{prefix}:cluster/{cluster}"
    return "*"
