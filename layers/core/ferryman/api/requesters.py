"""Who may request a deployment that others approve: somebody who is not one of the approvers in disguise.

Called by the routes that start something. `approval.unknownRequester` of the environment decides; see
`decisions.requester`.
"""

from ferryman import arns
from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.decisions import requester
from ferryman.errors import Refused
from ferryman.platform import ApprovalPolicy, Platform
from ferryman.records import ApproverRecord


def admit(operator: Context, request: Request, platform: Platform, env: str, kind: str) -> None:
    """Raise Refused when the caller may not request this kind of deployment, Unavailable when nobody can tell.

    What needs no approval may be requested by everybody: a rollback, unless `forRollback` is set.
    """
    policy = platform.environment(env).approval
    if policy is None or policy.requester_may_approve or (kind == "rollback" and not policy.for_rollback):
        return
    _admit(operator, request, platform, env, policy)


def admit_proposer(operator: Context, request: Request, platform: Platform, env: str) -> None:
    """Do the same for a proposed document; its proposer may never approve it. `platform`: the document as stored."""
    policy = platform.environment(env).approval
    if policy is not None:
        _admit(operator, request, platform, env, policy)


def _admit(operator: Context, request: Request, platform: Platform, env: str, policy: ApprovalPolicy) -> None:
    caller = arns.read(request.who)
    if caller is not None and caller.identity_center and not operator.outside.made_by_identity_center(caller.name):
        raise Refused(forged(caller.name))
    if not policy.refuses_unknown:
        return
    approvers = [
        ApproverRecord(
            name=one.name,
            email=operator.outside.text(one.email).strip() if one.email else None,
            slack=one.slack,
            arn=operator.outside.text(one.arn).strip() if one.arn else None,
        )
        for one in policy.approvers
    ]
    if not requester.recognise(request.who, approvers, operator.outside.people(platform.name)).known:
        raise Refused(requester.refusal(request.who, env, platform.name))


def forged(role: str) -> str:
    """Say that a role only looks like one of Identity Center."""
    return (
        f"the role {role} is named like a role of IAM Identity Center and was not made by it: IAM knows no such role "
        f"with the path {arns.IDENTITY_CENTER_PATH}. Its sessions can have any name, so they are nobody's"
    )
