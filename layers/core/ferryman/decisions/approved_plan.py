"""Whether an approval still covers what is going to run: the last gate's question about the plan. Pure.

What was approved is what runs, so a later document, base revision or value of a reference changes nothing here. An
approval is void only when what it covers can't run any more, or when its environment now asks for more than it did.
"""

from collections.abc import Sequence

from ferryman.decisions.plan_hash import plan_hash
from ferryman.platform import Environment
from ferryman.platform.identities import folded
from ferryman.records import Approval, Deployment
from ferryman.text import listed


def void(
    deployment: Deployment, approval: Approval | None, environment: Environment, gone: Sequence[str]
) -> str | None:
    """Return why the approval of a deployment is void, or None.

    `gone`: images and frozen revisions that can't be used any more, in words. An approval of an earlier version, which
    has no hash, is left as it was judged then.
    """
    plan = deployment.plan
    if plan is None:
        return None
    if not plan.approval:
        return _asked_since(deployment, environment)
    if approval is None or not approval.plan_hash:
        return None
    if approval.plan_hash != plan_hash(deployment):
        return "the plan of this deployment is not the one that was approved"
    if gone:
        return f"what was approved cannot run any more: {listed(gone)}"
    return _stricter(approval, environment)


def _asked_since(deployment: Deployment, environment: Environment) -> str | None:
    policy = environment.approval
    if policy is None or deployment.kind == "migrate" or (deployment.kind == "rollback" and not policy.for_rollback):
        return None
    return f"{deployment.environment} requires approval since this deployment was planned"


def _stricter(approval: Approval, environment: Environment) -> str | None:
    """Compare the votes with what the document asks for now. Votes of approvers who were removed since stand."""
    policy = environment.approval
    if policy is None:
        return None
    requester = None if policy.requester_may_approve else approval.requester
    counting = {
        folded(item.name)
        for item in approval.decisions
        if item.verdict == "approve"
        and (policy.allow_unverified or item.identity != "unverified")
        and (requester is None or folded(item.name) != folded(requester))
    }
    if len(counting) >= policy.required:
        return None
    return (
        f"{approval.environment} now requires {policy.required} approval{'s' if policy.required > 1 else ''}, and "
        f"{len(counting)} of those that were given count by its rules of today"
    )
