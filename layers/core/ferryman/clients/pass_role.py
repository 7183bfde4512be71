"""Which roles one of the operator's functions may pass to ECS tasks, as IAM itself answers.

Source: the API reference of IAM, SimulatePrincipalPolicy. What a service control policy denies it does not always know.
"""

from collections.abc import Iterable, Iterator
from itertools import batched

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import IAMClient, SimulatedResult

TASKS = "ecs-tasks.amazonaws.com"
_AT_ONCE = 50


def refused(iam: IAMClient, function_role: str, roles: Iterable[str]) -> set[str]:
    """Return those of the roles (ARNs) that the role of a function may not pass to ECS tasks.

    Raise Throttled or Unavailable, and what `clients.aws_errors.translated` raises for a refusal.
    """
    allowed: set[str] = set()
    wanted = sorted(set(roles))
    for some in batched(wanted, _AT_ONCE, strict=False):
        with translated():
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=function_role,
                ActionNames=["iam:PassRole"],
                ResourceArns=list(some),
                ContextEntries=[
                    {
                        "ContextKeyName": "iam:PassedToService",
                        "ContextKeyValues": [TASKS],
                        "ContextKeyType": "string",
                    }
                ],
            )
            for page in pages:
                for result in page["EvaluationResults"]:
                    allowed |= set(_allowed(result))
    return set(wanted) - allowed


def _allowed(result: SimulatedResult) -> Iterator[str]:
    """Yield the resources that a result allows: it is about one of them, or has a result for each."""
    for one in result.get("ResourceSpecificResults") or []:
        if one["EvalResourceDecision"] == "allowed":
            yield one["EvalResourceName"]
    if not result.get("ResourceSpecificResults") and result["EvalDecision"] == "allowed":
        yield result["EvalResourceName"]
