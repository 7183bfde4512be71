"""Which statements of a role's policies allowed its requests, and what it was denied, for `/_ferryman/permissions`.

AWS has no such answer for single requests. It only tells which actions of a service a role has used.
"""

from typing import Any

from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import module, replace

_SPLIT = ("dynamodb:LeadingKeys", "iam:PassedToService")
"""Condition keys of which each allowed value is a permission of its own."""


def apply(control: Control) -> None:
    """Put the record in place. The corrections of IAM come over it: they ask for more than one action of a request."""
    evaluator = module("core.iam_evaluator")
    replace(evaluator, "evaluate", lambda original: _evaluate(original, evaluator, control))
    replace(evaluator, "enforce", lambda original: _enforce(original, control))


def _evaluate(original: Any, evaluator: Any, control: Control) -> Any:
    """What a role was allowed is kept once, with the statements that allowed it: each of them would have sufficed."""

    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
        result = original(ctx, policies, *limits)
        if result.decision == "Allow" and ":assumed-role/" in ctx.principal_arn:
            alone = [one for part in policies for one in part if original(ctx, [[one]]).decision == "Allow"]
            allowed_by = [_part(one, ctx, evaluator.fnmatch_iam_cs) for one in alone]
            _note(control, ctx.principal_arn, ctx.action, allowed_by)
        return result

    return evaluate


def _enforce(original: Any, control: Control) -> Any:
    """What a role was denied is kept once. (Policies of resources are evaluated, too, and allow most roles nothing.)"""

    def enforce(access_key: str, action: str, service: str, region: str, **more: Any) -> Any:
        denied = original(access_key, action, service, region, **more)
        principal = getattr(denied, "principal_arn", "")
        if ":assumed-role/" in principal:
            note_denial(control, principal, action)
        return denied

    return enforce


def note_denial(control: Control, principal: str, action: str) -> None:
    """Keep that a role was denied an action."""
    _note(control, principal, action, [])


def _note(control: Control, principal: str, action: str, allowed_by: list[dict[str, Any]]) -> None:
    role = principal.partition(":assumed-role/")[2].partition("/")[0]
    control.note_permission({"role": role, "action": action, "allowedBy": allowed_by})


def _part(statement: Any, ctx: Any, matches: Any) -> dict[str, Any]:
    """What of a statement a request has used: its Sid, the position of the resource, and the values of conditions."""
    resource = next((at for at, one in enumerate(statement.resources) if matches(ctx.resource_arn, one)), None)
    values = []
    for operator, keys in statement.conditions.items():
        for key in keys.keys() & set(_SPLIT) if operator != "Null" else ():
            allowed = [keys[key]] if isinstance(keys[key], str) else keys[key]
            found = ctx.service_context.get(key.lower())
            asked = found if isinstance(found, list) else [found]
            values += [one for one in allowed if any(matches(it, one) for it in asked if isinstance(it, str))]
    return {"sid": statement.sid, "resource": resource, "values": values}
