"""Corrections of the emulator's IAM: SimulatePrincipalPolicy."""

from typing import Any

from ferryman_local.patches.private_attributes import module


def apply() -> None:
    """Put the correction of this file in place."""
    handlers = module("services.iam")._IAM_HANDLERS
    handlers["SimulatePrincipalPolicy"] = simulate_principal_policy(handlers["SimulatePrincipalPolicy"])


def simulate_principal_policy(_original: Any) -> Any:
    """SimulatePrincipalPolicy has a result for each resource, and knows the condition keys that the request tells.

    The emulator answers for the first resource only, and without condition keys.
    Source: the API reference of IAM, SimulatePrincipalPolicy and EvaluationResult.
    """
    iam, evaluator, responses = module("services.iam"), module("core.iam_evaluator"), module("core.responses")

    def simulate(params: Any) -> Any:
        principal = str(iam._p(params, "PolicySourceArn"))
        account, region = responses.get_account_id(), responses.get_region()
        kind, _, name = principal.rpartition(":")[2].partition("/")
        gather = evaluator._gather_role_policies if kind == "role" else evaluator._gather_user_policies
        policies = gather(name.rpartition("/")[2], account)
        keys = {
            iam._p(params, f"ContextEntries.member.{number}.ContextKeyName").lower(): iam._p(
                params, f"ContextEntries.member.{number}.ContextKeyValues.member.1"
            )
            for number in _numbers(params, "ContextEntries.member.{}.ContextKeyName", iam)
        }
        results = ""
        for action in (
            iam._p(params, f"ActionNames.member.{n}") for n in _numbers(params, "ActionNames.member.{}", iam)
        ):
            numbers = _numbers(params, "ResourceArns.member.{}", iam)
            for resource in [iam._p(params, f"ResourceArns.member.{n}") for n in numbers] or ["*"]:
                context = evaluator.EvalContext(
                    principal_arn=principal, principal_type="Role", principal_account=account, action=action,
                    resource_arn=resource, region=region, source_ip="127.0.0.1", secure_transport=True,
                    service_context=keys,
                )  # fmt: skip
                found = evaluator.evaluate(context, policies).decision if policies else ""
                decision = {"Allow": "allowed", "Deny": "explicitDeny"}.get(found, "implicitDeny")
                results += (
                    f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
                    f"<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
                )
        body = (
            f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
        )
        return iam._xml(200, "SimulatePrincipalPolicyResponse", body, ns="iam")

    return simulate


def _numbers(params: Any, name: str, iam: Any) -> list[int]:
    number, found = 1, []
    while iam._p(params, name.format(number)):
        found.append(number)
        number += 1
    return found
