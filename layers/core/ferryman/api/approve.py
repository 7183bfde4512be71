"""Routes for approvers with AWS credentials. The caller's IAM ARN, verified by AWS, must be an approver's `arn`."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints

from ferryman import arns
from ferryman.api import proposal
from ferryman.api.context import Context
from ferryman.api.control import OptionalReason, Reason
from ferryman.api.http import Body, HttpError, Request
from ferryman.api.read import place
from ferryman.api.views import approval as approval_view
from ferryman.decisions import database_command, migration_attempts
from ferryman.errors import Refused
from ferryman.platform.identities import folded
from ferryman.records import Approval, Deployment, Proposal
from ferryman.suggestions import suggest

if TYPE_CHECKING:
    from ferryman.approvals.record_decision import Verdict

_STATUS = {"NotAllowed": 403, "WrongVersion": 422, "NeedsReason": 422}
"""Status of verdicts that do not depend on timing; every other refusal is a 409."""

Typed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


About = Literal["deployment", "proposal"]


class ApproveBody(Body):
    """Body of approve: the reviewed version, short or in full."""

    version: Typed
    reason: OptionalReason = ""
    plan_hash: Annotated[str, StringConstraints(max_length=80)] = ""
    """Of the plan that was reviewed, as `GET approval` told it; empty: whatever is waiting."""
    about: About | None = Field(default=None, description="Which approval, if a document waits beside a deployment.")


class RejectBody(Body):
    """Body of reject. A reason is required."""

    version: Typed
    reason: Reason
    about: About | None = None


def approval(operator: Context, request: Request) -> dict[str, Any]:
    """Return the pending approval of the environment, and whether the caller may decide; 404 when there is none."""
    wanted = request.query.get("about")
    if wanted not in (None, *get_args(About)):
        raise HttpError(400, "BadRequest", f"query parameter about is {wanted!r}; use {' or '.join(get_args(About))}")
    record, asked, proposed = _pending(operator, request, wanted)
    mine = {"you": _approver(operator, record, request.who), "proposalWaits": proposed}
    if isinstance(asked, Proposal):
        shown = approval_view.approval(record, operator.clock()).dump()
        gates = [change.dump() for change in asked.changes]
        return {**shown, **mine, "about": "proposal", "from": None, "kind": "document", "tasks": [], "gates": gates}
    shown = approval_view.approval(record, operator.clock(), asked.plan).dump()
    return {
        **shown,
        **mine,
        "about": "deployment",
        "from": asked.from_version,
        "kind": asked.kind,
        "tasks": _tasks(asked),
    }


def _tasks(deployment: Deployment) -> list[dict[str, Any]]:
    """Return what a database command runs."""
    return [
        {
            "migration": task.name,
            "command": task.command,
            "revision": migration_attempts.revision_of(deployment, task.name),
            "image": task.image,
        }
        for task in database_command.tasks(deployment)
    ]


def approve(operator: Context, request: Request) -> dict[str, Any]:
    """Approve the pending deployment, or the document that is proposed."""
    body = request.read(ApproveBody)
    return _decide_as(operator, request, "approve", body)


def reject(operator: Context, request: Request) -> dict[str, Any]:
    """Reject the pending deployment, or the document that is proposed, with a reason."""
    body = request.read(RejectBody)
    return _decide_as(operator, request, "reject", body)


def _decide_as(
    operator: Context, request: Request, verdict: Any, body: ApproveBody | RejectBody
) -> dict[str, Any]:  # fmt: skip
    # Most requests to the API only read, and a decision needs much that they don't.
    from ferryman.approvals.record_decision import Attempt, decide_approval

    record, asked, _ = _pending(operator, request, body.about)
    if isinstance(body, ApproveBody):
        _refuse_other_plan(body, record)
    name = _approver(operator, record, request.who)
    attempt = Attempt(
        verdict=verdict,
        name=name or request.who,
        how="cli",
        identity=request.who,
        version=body.version,
        reason=body.reason,
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
        "about": "proposal" if isinstance(asked, Proposal) else "deployment",
        "deployment": None if isinstance(asked, Proposal) else asked.id,
        "version": record.version,
    }


def _refuse_other_plan(body: ApproveBody, record: Approval) -> None:
    """Raise HttpError when another plan waits by now than the one that was reviewed."""
    if body.plan_hash and record.plan_hash and body.plan_hash != record.plan_hash:
        raise HttpError(
            409, "PlanChanged", f"another plan for {record.version} is waiting now than the one that you reviewed; "
            f"see {suggest("approval", record.environment, p=record.platform)}, then decide again"
        )  # fmt: skip


def _refusal(found: "Verdict", name: str | None, who: str) -> str:
    if found.kind != "NotAllowed" or name is not None:
        return found.message
    return (
        f"AWS identifies you as {who}, and no approver of this request has that `arn`. Use the link in your mail or "
        "the buttons in Slack, or have the ARN added to your entry in the platform document for later requests"
    )


def _pending(
    operator: Context, request: Request, about: str | None
) -> tuple[Approval, Deployment | Proposal, bool]:  # fmt: skip
    """Return the approval that is meant, what it is about, and whether a proposed document waits here.

    Unless `about` says which, the one of the deployment in progress comes first. Raise Refused when
    there is none.
    """
    platform, env = place(operator, request)
    waiting = proposal.waiting(operator, platform.name, env)
    active = operator.store.state(platform.name, env).active
    record = operator.store.approval(active.deployment) if active and about != "proposal" else None
    if waiting is not None and (record is None or record.status != "Pending") and about != "deployment":
        return waiting[1], waiting[0], True
    if record is None:
        if about == "proposal":
            see = suggest("proposal", p=platform.name)
            raise Refused(f"no document waits for the approvers of {platform.name}/{env}; see {see}")
        see = suggest("status", env, p=platform.name)
        raise Refused(f"{platform.name}/{env} is not waiting for approval; see {see}")
    found = operator.store.deployment(platform.name, env, record.deployment)
    return record, found, waiting is not None


def _approver(operator: Context, record: Approval, caller: str) -> str | None:
    """Return the approver whose identity a caller has; raise Throttled or Unavailable when IAM does not tell.

    Identity Center's role is proved again: when a permission set is removed, its role goes, and somebody else can make
    one of the same name. A role counts while it is declared as this person's.
    """
    arn = arns.read(caller)
    found = next((item.name for item in record.approvers if item.arn == caller), None)
    if found is not None:
        forged = arn is not None and arn.identity_center and not operator.outside.made_by_identity_center(arn.name)
        return None if forged else found
    by_role = [item for item in record.approvers if item.arn and arns.acts_as(caller, item.arn)]
    if not by_role:
        return None
    people = operator.outside.people(record.platform)
    theirs = ((item.name, people.owner_of(item.arn or "")) for item in by_role)
    return next((name for name, owner in theirs if owner is not None and folded(owner) == folded(name)), None)
