"""Step request_approval: record who may decide about what, queue the messages, and store the task token.

The step is called again whenever its answer was lost; each call has its own token.
"""

from ferryman.approvals import lifecycle
from ferryman.clients import people as people_of
from ferryman.clients.aws_types import StepFunctionsClient
from ferryman.clients.ssm import References
from ferryman.clients.stepfunctions import send_task_success
from ferryman.contracts import ApprovalVerdict, RequestApprovalInput
from ferryman.decisions import database_command, step_turn, voters
from ferryman.decisions import requester as requesters
from ferryman.decisions.actions import EndApproval
from ferryman.decisions.plan_hash import plan_hash
from ferryman.decisions.requester import Requester
from ferryman.errors import ClaimLost, Conflict, NotFound, VerificationFailed
from ferryman.ids import Clock, NewId
from ferryman.messages import approval as messages_approval
from ferryman.messages import timeline
from ferryman.platform import ApprovalPolicy, Environment, Platform, identities, parse
from ferryman.records import (
    AbortRequest,
    Actor,
    Approval,
    ApproverRecord,
    Deployment,
    EventType,
    Phase,
    Step,
    StepStatus,
    limits,
    step_keys,
)
from ferryman.records.writes import Fenced, Save, Write
from ferryman.steps.gate_values import refuse_moved
from ferryman.store import step_writer
from ferryman.store.table import Store
from ferryman.text import byte_length

TOKENS_KEPT = 8
_HISTORY = 30


def ask(
    event: RequestApprovalInput,
    *,
    store: Store,
    states: StepFunctionsClient,
    references: References,
    clock: Clock,
    new_id: NewId,
) -> None:
    """Request the approval, once; answer the token at once when there is nothing left to wait for.

    Raise VerificationFailed when the document no longer names approvers although the plan requires approval, names one
    person twice, or refers to a value that has changed since then; ReferenceUnresolved for a value that cannot
    be read; ClaimLost when the deployment has ended; NotItsTurn when its plan needs no approval or is not there yet.
    """
    for _ in store.attempts():
        deployment = store.deployment(event.platform, event.environment, event.deployment)
        approval = store.approval(event.deployment)
        if approval is not None and approval.status != "Pending":
            _answer(approval, event.task_token, store, states, clock)
            return
        if deployment.phase.terminal:
            raise ClaimLost(f"deployment {deployment.id} has ended already: {deployment.phase}")
        if approval is None and deployment.abort is not None:
            _abort(event, deployment.abort, store=store, states=states, clock=clock, new_id=new_id)
            return
        writes = (
            _open(event, deployment, store=store, references=references, clock=clock, new_id=new_id)
            if approval is None
            else _again(event, approval, deployment, store=store, clock=clock, new_id=new_id)
        )
        try:
            store.write(Fenced(event.platform, event.environment, event.deployment, event.fence), *writes)
        except Conflict:
            continue
        if deployment.abort is None:
            return
        # That abort ended the approval just now: the next look answers.
    raise Conflict(f"approval {event.deployment} kept changing; the next attempt reads it again")


def _answer(approval: Approval, token: str, store: Store, states: StepFunctionsClient, clock: Clock) -> None:
    lifecycle.answer(approval, states, token)
    if approval.answered_at is None:
        try:
            store.write(Save(approval.but(answered_at=clock())))
        except Conflict:
            # Somebody else changed it meanwhile; reconcile finds it unanswered, and answering twice does no harm.
            return


def _abort(
    event: RequestApprovalInput,
    abort: AbortRequest,
    *,
    store: Store,
    states: StepFunctionsClient,
    clock: Clock,
    new_id: NewId,
) -> None:
    """End the step of a deployment that a person aborted before anybody was asked."""
    why = f"{abort.who} aborted the deployment before approval was requested: {abort.reason}"

    def edit(step: Step) -> Step:
        return step.but(status=StepStatus.ABORTED, reason="Aborted", message=why)

    step_writer.end(store, event, step_keys.APPROVAL, edit, clock=clock, new_id=new_id)
    send_task_success(states, event.task_token, ApprovalVerdict(verdict="Aborted", reason=abort.reason))


def _again(
    event: RequestApprovalInput,
    approval: Approval,
    deployment: Deployment,
    *,
    store: Store,
    clock: Clock,
    new_id: NewId,
) -> list[Write]:
    """Take over the new token; the ones before are kept, because a late try may have overwritten the one that waits."""
    known = [token for token in [approval.token, *approval.earlier_tokens] if token and token != event.task_token]
    approval = approval.but(token=event.task_token, earlier_tokens=known[:TOKENS_KEPT])
    abort = deployment.abort
    if abort is None:
        return [Save(approval)]
    action = EndApproval("Aborted", f"{abort.who} aborted the deployment: {abort.reason}", abort.who)
    return lifecycle.void(approval, deployment, action, store=store, at=clock(), new_id=new_id)


def _open(
    event: RequestApprovalInput,
    deployment: Deployment,
    *,
    store: Store,
    references: References,
    clock: Clock,
    new_id: NewId,
) -> list[Write]:
    step_turn.require(deployment, step_keys.APPROVAL)
    applied = store.platform(event.platform)
    document = parse(applied.document)
    environment = _environment(document, event.environment)
    approval = _question(event, deployment, environment, _asked_by(deployment, store), references, clock)
    refuse_moved(document, applied.references, event.environment, references)
    at, names = approval.requested_at, ", ".join(item.name for item in approval.approvers) or "anyone with the link"
    until = f"{approval.expires_at:%Y-%m-%d %H:%M} UTC"
    step = Step(
        status=StepStatus.RUNNING,
        reason="AwaitingApproval",
        message=f"waiting for {approval.required} of: {names}; expires at {until}",
        started_at=at,
    )
    deployment = deployment.but(
        phase=Phase.AWAITING_APPROVAL, steps={**deployment.steps, step_keys.APPROVAL: step}
    )  # fmt: skip
    asked = timeline.event(
        deployment,
        EventType.APPROVAL_REQUESTED,
        f"asked {names} to approve {approval.about} ({approval.required} needed); the request expires at {until}",
        at=at,
        new_id=new_id,
        who=approval.requested_by.who,
        step=step_keys.APPROVAL,
        detail={"digests": approval.digests, "tag": approval.tag, "expiresAt": approval.expires_at.isoformat()}
        | _command(approval, deployment),
    )
    mails = messages_approval.for_request(approval, deployment, document, at, personal=_personal(approval))
    return [Save(approval), Save(deployment), asked, *mails]


def _command(approval: Approval, deployment: Deployment) -> dict[str, object]:
    """Return what the audit keeps of a database command: the command of each task, with its image."""
    runs = [f"{' '.join(task.command)} ({task.image})" for task in database_command.tasks(deployment)]
    return {"command": approval.command, "runs": runs} if runs else {}


def _environment(document: Platform, name: str) -> Environment:
    try:
        return document.environment(name)
    except KeyError:
        raise NotFound(f"platform {document.name} no longer has an environment {name!r}") from None


def _question(
    event: RequestApprovalInput,
    deployment: Deployment,
    environment: Environment,
    asked_by: Actor,
    references: References,
    clock: Clock,
) -> Approval:
    policy = environment.approval
    if policy is None:
        command = database_command.in_words(deployment)
        again = "run the command again" if command else "it will be planned again"
        raise VerificationFailed(
            f"the plan of {f'`{command}`' if command else deployment.version} requires approval, but "
            f"{event.environment} no longer has approvers: the document has changed since; {again}"
        )
    approvers = approvers_of(policy, event.environment, references)
    found = None if asked_by.automated else requester_of(
        asked_by.who, event.platform, event.environment, policy, approvers, references
    )  # fmt: skip
    at = clock()
    return Approval(
        platform=event.platform,
        environment=event.environment,
        deployment=deployment.id,
        fence=event.fence,
        version=deployment.version,
        tag=deployment.tag,
        digests=deployment.digests,
        command=database_command.in_words(deployment),
        command_hash=database_command.hash_of(deployment),
        plan_hash=plan_hash(deployment),
        requested_by=asked_by,
        requester=found.approver if found else None,
        requester_known=found.known if found else None,
        approvers=approvers,
        required=policy.required,
        requester_may_approve=policy.requester_may_approve,
        allow_unverified=policy.allow_unverified,
        requested_at=at,
        expires_at=at + policy.expires,
        remind_at=at + policy.expires - policy.reminder if policy.reminder is not None else None,
        token=event.task_token,
    )


def requester_of(
    who: str,
    platform: str,
    environment: str,
    policy: ApprovalPolicy,
    approvers: list[ApproverRecord],
    references: References,
) -> Requester:
    """Return who asked for it. The API has refused already whom the policy does not admit.

    Here it refuses only what was asked for before the policy said so: raise VerificationFailed.
    """
    found = requesters.recognise(who, approvers, people_of.declared(references, platform))
    if policy.refuses_unknown and not found.known:
        raise VerificationFailed(requesters.refusal(who, environment, platform))
    return found


def approvers_of(policy: ApprovalPolicy, environment: str, references: References) -> list[ApproverRecord]:
    """Return who may decide, references resolved. Raise VerificationFailed, or ReferenceUnresolved."""
    approvers = [
        ApproverRecord(
            name=approver.name,
            email=references.text(approver.email).strip() if approver.email else None,
            slack=approver.slack,
            arn=references.text(approver.arn).strip() if approver.arn else None,
        )
        for approver in policy.approvers
    ]
    _tell_apart(approvers, environment)
    return approvers


def _tell_apart(approvers: list[ApproverRecord], environment: str) -> None:
    """Check the resolved references: their values are known only now."""
    where = f"(spec.environments.{environment}.approval.approvers, with what its ssm: references say now)"
    if same := identities.twice(approvers):
        raise VerificationFailed(f"{same} {where}: one person would count as two; give each person one entry")
    for approver in approvers:
        for what, value, most in (("email", approver.email, limits.ADDRESS), ("arn", approver.arn, limits.WHO)):
            if value is not None and byte_length(value) > most:
                raise VerificationFailed(f"the {what} of {approver.name!r} has more than {most} bytes {where}")


def _asked_by(deployment: Deployment, store: Store) -> Actor:
    """Return the requester. For an automatic retry, it is whoever started the attempt that errored.

    Otherwise a person could approve their own request once its first attempt errored.
    """
    if deployment.requested_by is not None:
        return deployment.requested_by
    # Not written down: it was claimed by an operator of an earlier version.
    if deployment.attempts == 1 or not _by_reconcile(deployment):
        return deployment.initiated_by
    for earlier in store.deployments(deployment.platform, deployment.environment, limit=_HISTORY):
        if earlier.id >= deployment.id or earlier.version != deployment.version:
            continue
        if earlier.phase is not Phase.ERRORED or not _by_reconcile(earlier):
            return earlier.initiated_by
    return deployment.initiated_by


def _by_reconcile(deployment: Deployment) -> bool:
    return deployment.initiated_by.automated and deployment.initiated_by.who == "reconcile"


def _personal(approval: Approval) -> list[str]:
    """Return the names of those who get a personal link by mail: all who may approve."""
    return [item.name for item in approval.approvers if item.email and not voters.is_barred(approval, item.name)]
