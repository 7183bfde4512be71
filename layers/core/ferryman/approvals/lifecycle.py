"""End an approval without a decision, and answer the waiting step after any end. Called by reconcile.

Every end is one transaction over the approval and its deployment, so that exactly one end happens.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ferryman.approvals import notifications
from ferryman.clients.aws_types import StepFunctionsClient
from ferryman.clients.stepfunctions import send_task_success
from ferryman.contracts import ApprovalVerdict
from ferryman.decisions.approval_rules import ended
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import Approval, Deployment, EventType, Phase, step_keys
from ferryman.records.writes import Fenced, Save, Write
from ferryman.store.table import Store
from ferryman.text import one_line, sentence

if TYPE_CHECKING:
    from ferryman.decisions.actions import EndApproval
    from ferryman.decisions.snapshot import Snapshot

Void = Literal["Expired", "Superseded", "Aborted"]


def end(action: "EndApproval", view: "Snapshot", *, store: Store, clock: Clock, new_id: NewId) -> None:
    """End a pending approval without a decision. Raise Conflict if it was decided, ClaimLost if its claim is gone."""
    approval, deployment = _asked(view)
    store.write(
        fence(approval),
        *void(approval, deployment, action, store=store, at=clock(), new_id=new_id),
    )


def void(
    approval: Approval, deployment: Deployment, action: "EndApproval", *, store: Store, at: datetime, new_id: NewId
) -> list[Write]:
    """Return the writes that end a pending approval together with the step of its deployment."""
    after = approval.but(status=action.status, reason=action.why, superseded_by=action.by, decided_at=at)
    deployment = deployment.but(
        steps={
            **deployment.steps,
            step_keys.APPROVAL: ended(
                deployment, action.reason or action.status, sentence(action.why, capital=True), at
            ),
        },
        superseded_by=action.by or deployment.superseded_by,
    )
    told = timeline.event(
        deployment,
        EventType.APPROVAL_ENDED,
        f"the request to approve {approval.about} ended ({action.status}): {action.why}",
        at=at,
        new_id=new_id,
        who=action.who,
        step=step_keys.APPROVAL,
        detail={"status": action.status, "by": action.by, "digests": approval.digests},
    )
    return [Save(after), Save(deployment), told, *notifications.of_end(store, after, deployment, at)]


def left_open(store: Store, deployment: Deployment, at: datetime) -> list[Write]:
    """Return the writes that end the pending approval of a deployment whose outcome is recorded.

    Needed after the state machine's own timeout, and after somebody stopped an execution: links and buttons must not
    remain open.
    """
    if deployment.step(step_keys.APPROVAL) is None:
        return []
    approval = store.approval(deployment.id)
    if approval is None or approval.status != "Pending":
        return []
    status = _OF_PHASE.get(deployment.phase, "Aborted")
    after = approval.but(status=status, reason=deployment.message, decided_at=at, answered_at=at)
    return [Save(after), *notifications.of_end(store, after, deployment, at)]


_OF_PHASE: dict[Phase, Void] = {Phase.EXPIRED: "Expired", Phase.SUPERSEDED: "Superseded"}


def remind(view: "Snapshot", *, store: Store, clock: Clock, new_id: NewId) -> None:
    """Queue the reminders, once; raise Conflict when the approval changed."""
    approval, deployment = _asked(view)
    at = clock()
    after = approval.but(reminded_at=at)
    told = timeline.event(
        deployment,
        EventType.APPROVAL_REMINDED,
        f"reminded the approvers: the request expires at {approval.expires_at:%Y-%m-%d %H:%M} UTC",
        at=at,
        new_id=new_id,
        step=step_keys.APPROVAL,
    )
    store.write(Save(after), told, *notifications.of_reminder(store, after, deployment, at))


def answer_machine(view: "Snapshot", *, store: Store, states: StepFunctionsClient, clock: Clock) -> None:
    """Answer the waiting step with the approval's status; an answer that comes too late counts as given.

    The answer is sent first and recorded after that: a crash in between sends it again. Raise Conflict when the
    approval changed.
    """
    approval, _ = _asked(view)
    answer(approval, states)
    store.write(Save(approval.but(answered_at=clock())))


def answer(approval: Approval, states: StepFunctionsClient, *more: str) -> None:
    """Send the verdict of an approval that has ended to every task token that may still wait for it."""
    assert approval.status != "Pending"
    verdict = ApprovalVerdict(verdict=approval.status, reason=one_line(approval.reason))
    for token in dict.fromkeys([*more, *([approval.token] if approval.token else []), *approval.earlier_tokens]):
        send_task_success(states, token, verdict)


def fence(approval: Approval) -> Fenced:
    """Return the claim under which an approval may change its deployment."""
    return Fenced(approval.platform, approval.environment, approval.deployment, approval.fence)


def _asked(view: "Snapshot") -> tuple[Approval, Deployment]:
    assert view.approval is not None
    assert view.deployment is not None
    return view.approval, view.deployment
