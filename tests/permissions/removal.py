"""Taking one permission away from a role of the running local AWS, and giving it back."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flow.stage import Stage
from permissions.model import SPLIT, Permission, holders, parts


@contextmanager
def without(stage: Stage, permission: Permission) -> Iterator[None]:
    """Remove a permission from the policies of the role that has it, through IAM."""
    iam, role = stage.client("iam"), stage.physical(f"{permission.holder}Role")
    before = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        before[name] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    name = next(
        it for it, policy in before.items() if any(permission.sid == one.get("Sid") for one in policy["Statement"])
    )
    _put(iam, role, name, reduced(before[name], permission))
    try:
        yield
    finally:
        _put(iam, role, name, before[name])


def is_of(node: str, test: str) -> bool:
    """Whether a node of pytest is a test of the table, or one of its cases (`…[case]`). Pure."""
    return node.partition("[")[0].endswith(f"/{test}")


def denied(stage: Stage, permission: Permission) -> bool:
    """Whether the role was denied the action since `stage.aws.forget_permissions`."""
    role = f"ferryman-{permission.holder}Role-"
    return any(
        not use["allowedBy"] and use["role"].startswith(role) and use["action"] == permission.action
        for use in stage.aws.permissions()
    )


def reduced(policy: dict[str, Any], permission: Permission) -> dict[str, Any]:
    """Return a policy without a permission: the action of the statement, or just the part of it. Pure."""
    kept = []
    for statement in policy["Statement"]:
        if statement.get("Sid") != permission.sid:
            kept.append(statement)
            continue
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert permission.action in actions, permission
        others = [action for action in actions if action != permission.action]
        if others:
            kept.append({**statement, "Action": others})
        if permission.part:
            kept.append({**_without_part(statement, permission), "Action": [permission.action]})
    return {**policy, "Statement": kept}


def _without_part(statement: dict[str, Any], permission: Permission) -> dict[str, Any]:
    found = copy.deepcopy(statement)
    found["Sid"] += "Reduced"
    for operator, keys in found.get("Condition", {}).items():
        for key in keys.keys() & set(SPLIT) if operator != "Null" else ():
            keys[key] = [value for value in keys[key] if value != permission.part]
            return found
    named = next(one for one in holders()[permission.holder] if one["Sid"] == permission.sid)
    del found["Resource"][parts(named).index(permission.part)]
    return found


def _put(iam: Any, role: str, name: str, policy: dict[str, Any]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
