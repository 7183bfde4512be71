"""Routes for approvers with AWS credentials. The caller's IAM ARN, verified by AWS, must be an approver's `arn`."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints

from ferryman.api.context import Context
from ferryman.api.control import OptionalReason, Reason
from ferryman.api.http import Body, HttpError, Request
from ferryman.api.read import place
from ferryman.api.views import approval as approval_view
from ferryman.errors import NotFound
from ferryman.records import Approval, Deployment

if TYPE_CHECKING:
    from ferryman.approvals.record_decision import Verdict

_STATUS = {"NotAllowed": 403, "WrongVersion": 422, "NeedsReason": 422}
"""Status of verdicts that do not depend on timing; every other refusal is a 409."""

Typed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


class ApproveBody(Body):
    """Body of approve: the reviewed version, short or in full."""

    version: Typed
    reason: OptionalReason = ""


class RejectBody(Body):
    """Body of reject. A reason is required."""

    version: Typed
    reason: Reason


def approval(operator: Context, request: Request) -> dict[str, Any]:
    """Return the pending approval of the environment, and whether the caller may decide; 404 when there is none."""
    record, deployment = _pending(operator, request)
    mine = _approver(record, request.who)
    return {
        **approval_view.approval(record, operator.clock()).dump(),
        "from": deployment.from_version,
        "kind": deployment.kind,
        "you": mine,
    }


def approve(operator: Context, request: Request) -> dict[str, Any]:
    """Approve the pending deployment."""
    body = request.read(ApproveBody)
    return _decide_as(operator, request, "approve", body.version, body.reason)


def reject(operator: Context, request: Request) -> dict[str, Any]:
    """Reject the pending deployment, with a reason."""
    body = request.read(RejectBody)
    return _decide_as(operator, request, "reject", body.version, body.reason)


def _decide_as(operator: Context, request: Request, verdict: Any, version: str, reason: str) -> dict[str, Any]:
    # Most requests to the API only read, and a decision needs much that they don't.
    from ferryman.approvals.record_decision import Attempt, decide_approval

    record, deployment = _pending(operator, request)
    name = _approver(record, request.who)
    attempt = Attempt(
        verdict=verdict,
        name=name or request.who,
        how="cli",
        identity=request.who,
        version=version,
        reason=reason,
        source=request.source,
    )
    found = decide_approval(
        record.deployment,
        attempt,
        store=operator.store,
        nudge=operator.outside.nudge,
        text=operator.outside.text,
        clock=operator.clock,
        new_id=operator.new_id,
    )
    if not found.counts and found.kind != "AlreadyYours":
        raise HttpError(_STATUS.get(found.kind, 409), found.kind, _refusal(found, name, request.who))
    return {
        "changed": found.counts,
        "message": found.message,
        "verdict": found.kind,
        "given": found.given,
        "required": found.required,
        "deployment": deployment.id,
        "version": deployment.version,
    }


def _refusal(found: "Verdict", name: str | None, who: str) -> str:
    if found.kind != "NotAllowed" or name is not None:
        return found.message
    return (
        f"AWS identifies you as {who}, and no approver of this request has that `arn`. Use the link in your mail or "
        "the buttons in Slack, or have the ARN added to your entry in the platform document for later requests"
    )


def _pending(operator: Context, request: Request) -> tuple[Approval, Deployment]:
    """Return the approval of the deployment in progress; raise NotFound when it has none."""
    platform, env = place(operator, request)
    active = operator.store.state(platform.name, env).active
    record = operator.store.approval(active.deployment) if active else None
    if record is None:
        raise NotFound(f"{platform.name}/{env} is not waiting for approval; see `ferryman status {env}`")
    return record, operator.store.deployment(platform.name, env, record.deployment)


def _approver(record: Approval, arn: str) -> str | None:
    return next((item.name for item in record.approvers if item.arn == arn), None)
