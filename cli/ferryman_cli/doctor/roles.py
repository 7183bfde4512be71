"""Whether the roles that the operator may pass exist, and ECS tasks may have them. Pure."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ferryman_cli.doctor.checks import Blind, Check, Seen, blind, ok, problem, warning

ROLES = "roles"
_TASKS = "ecs-tasks.amazonaws.com"


def name_of(arn: str) -> str | None:
    """Return the name of the role with this ARN; None for a pattern."""
    return None if "*" in arn or "?" in arn or ":role/" not in arn else arn.rpartition("/")[2]


def roles(seen: Mapping[str, Seen], *, named: int) -> list[Check]:
    """Judge the answers of GetRole, by ARN; `named`: how many roles the list names, though not all are asked for."""
    if refused := next((one for one in seen.values() if isinstance(one, Blind)), None):
        return [blind(ROLES, refused)]
    gone = [arn for arn, one in seen.items() if not _is(arn, one)]
    strange = [arn for arn, one in seen.items() if isinstance(one, dict) and _is(arn, one) and not _trusts(one)]
    checks = []
    if strange:
        step = f"Let {_TASKS} assume it in its trust policy (sts:AssumeRole)"
        checks.append(problem(ROLES, f"ECS tasks may not have {', '.join(strange)}", step))
    if gone:
        step = "Apply the environment's Terraform if that was not done; else correct /ferryman/operator/pass-role-arns"
        checks.append(warning(ROLES, f"listed in pass-role-arns, but not there: {', '.join(gone)}", step))
    if not seen:
        return [ok(ROLES, "pass-role-arns names no single role: nothing, or only patterns")]
    names = "1 role" if named == 1 else f"{named} roles"
    which = f"the first {len(seen)} exist" if len(seen) < named else "each exists"
    told = f"pass-role-arns names {names}; {which}, and ECS tasks can have {'them' if len(seen) < named else 'it'}"
    return checks or [ok(ROLES, told)]


def _is(arn: str, seen: Seen) -> bool:
    return isinstance(seen, dict) and seen["Role"]["Arn"] == arn


def _trusts(seen: Mapping[str, Any]) -> bool:
    policy = seen["Role"].get("AssumeRolePolicyDocument", {})
    policy = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if _TASKS in ([services] if isinstance(services, str) else services):
            return True
    return False
