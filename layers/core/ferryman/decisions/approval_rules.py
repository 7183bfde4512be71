"""What becomes of one person's word about one approval. Pure; `approvals.record_decision` carries it out.

The caller has checked who it is: by the nonce of a personal link, by Slack's signature, by an IAM ARN. Here is decided
whether that person may say so, now, about exactly this.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.platform.identities import folded
from ferryman.records import Approval, Decision, Deployment, How, Phase, Step, StepStatus, step_keys
from ferryman.text import sentence

Kind = Literal[
    "Approved",
    "Recorded",
    "Rejected",
    "AlreadyYours",
    "AlreadyDecided",
    "Expired",
    "Superseded",
    "Aborted",
    "NotAllowed",
    "WrongVersion",
    "NeedsReason",
    "Frozen",
]


@dataclass(frozen=True)
class Attempt:
    """What somebody wants, and what proved who they are."""

    verdict: Literal["approve", "reject"]
    name: str
    """The approver's name; on the shared page what was typed; for a stranger anything that no approver is called."""
    how: How
    identity: str
    """As in `Decision.identity`."""
    version: str = ""
    """What was typed."""
    confirmed: bool = False
    """Slack's own dialog asked instead of having the version typed."""
    reason: str = ""
    source: str = ""
    """Network address and program."""


@dataclass(frozen=True)
class Verdict:
    """What became of it.

    Approved: the last yes that was needed. Recorded: a yes, and more are needed. Frozen: nothing may start now, because
    of a freeze or a hold.
    """

    kind: Kind
    message: str
    """For people: what happened, why, what to do next."""
    by: str | None = None
    """Who decided, or the version that goes instead."""
    given: int = 0
    """Different people who have said yes."""
    required: int = 1

    @property
    def counts(self) -> bool:
        """Whether this word was taken down as a decision."""
        return self.kind in ("Approved", "Recorded", "Rejected")


def closed(approval: Approval, deployment: Deployment, now: datetime) -> Verdict | None:
    """Return why nobody can decide any more, or None while the question stands."""
    env, given = approval.environment, len(approval.approved_by)

    def no(kind: Kind, message: str, by: str | None = None) -> Verdict:
        return Verdict(kind, sentence(message), by, given=given, required=approval.required)

    match approval.status:
        case "Approved":
            names = _listed(approval.approved_by)
            return no("AlreadyDecided", f"{approval.version} was approved by {names}{_on(approval)}.", names)
        case "Rejected":
            name = next((item.name for item in approval.decisions if item.verdict == "reject"), "somebody")
            told = f"{approval.version} was rejected by {name}{_on(approval)}: {approval.reason}"
            return no("AlreadyDecided", told, name)
        case "Superseded":
            instead = approval.superseded_by or "another release"
            told = f"{instead} takes the place of {approval.version}; a new request is on its way if it needs one."
            return no("Superseded", told, approval.superseded_by)
        case "Aborted":
            return no("Aborted", f"The deployment of {approval.version} was stopped: {approval.reason}")
        case "Expired":
            return no("Expired", _expired(approval))
        case "Pending":
            pass
    if deployment.abort is not None:
        abort = deployment.abort
        return no("Aborted", f"{abort.who} aborted the deployment of {approval.version}: {abort.reason}")
    if deployment.phase is not Phase.AWAITING_APPROVAL:
        kind: Kind = "Expired" if deployment.phase is Phase.EXPIRED else "Aborted"
        told = (
            f"The deployment of {approval.version} has ended ({deployment.phase}); `ferryman explain {env}` says why."
        )
        return no(kind, told)
    if approval.expired_at(now):
        return no("Expired", _expired(approval))
    return None


def judge_attempt(
    approval: Approval,
    deployment: Deployment,
    attempt: Attempt,
    now: datetime,
    stopped: str | None = None,
    listed: Iterable[str] | None = None,
) -> Verdict:
    """Return what becomes of an attempt.

    `stopped`: why nothing may start in the environment now. `listed`: names of the approvers that the document has by
    now, None when it does not tell.
    """
    found = closed(approval, deployment, now)
    mine = own(approval, attempt)
    over = approval.status in ("Approved", "Rejected")
    if mine is not None and mine.verdict == attempt.verdict and (over or found is None):
        yes = "You have approved" if mine.verdict == "approve" else "You have rejected"
        return _verdict(approval, "AlreadyYours", f"{yes} {approval.version} already; it counts once.{_rest(approval)}")
    if found is not None:
        return found
    not_allowed = _not_allowed(approval, attempt) or _struck_off(approval, attempt, listed)
    if not_allowed is not None:
        return _verdict(approval, "NotAllowed", not_allowed)
    if not attempt.confirmed and not _typed(approval, attempt):
        told = f"To decide, type {approval.short}: the first characters of the version that you have looked at."
        return _verdict(approval, "WrongVersion", f"What you typed is not the version that this is about. {told}")
    if attempt.verdict == "reject":
        if not attempt.reason.strip():
            told = "Say why: whoever asked has to know what would be right."
            return _verdict(approval, "NeedsReason", told)
        return _verdict(approval, "Rejected", f"You have rejected {approval.version}. Nothing was changed.")
    if stopped is not None:
        told = f"{approval.version} can't be approved now: {stopped}. Come back later, or reject it."
        return _verdict(approval, "Frozen", told)
    given = len(approval.approved_by) + 1
    if given < approval.required:
        told = f"You have approved {approval.version}: {given} of {approval.required}; it waits for the others."
        return _verdict(approval, "Recorded", told, given)
    return _verdict(approval, "Approved", f"You have approved {approval.version}. The deployment goes on.", given)


def taken_down(
    approval: Approval, deployment: Deployment, attempt: Attempt, verdict: Verdict, at: datetime
) -> tuple[Approval, Deployment]:
    """Return both records with a decision that counts."""
    decision = Decision(
        name=_name(approval, attempt),
        verdict=attempt.verdict,
        how=attempt.how,
        identity=attempt.identity,
        source=attempt.source,
        reason=attempt.reason,
        at=at,
    )
    approval = approval.but(decisions=[*approval.decisions, decision])
    deployment = deployment.but(approved_by=approval.approved_by)
    if verdict.kind == "Recorded":
        return approval, deployment
    if verdict.kind == "Rejected":
        approval = approval.but(status="Rejected", reason=attempt.reason, decided_at=at)
        step = ended(deployment, "Rejected", f"{decision.name} rejected it: {attempt.reason}", at)
        return approval, _with(deployment, step)
    approval = approval.but(status="Approved", decided_at=at)
    before = deployment.step(step_keys.APPROVAL)
    step = Step(
        status=StepStatus.SUCCEEDED,
        reason="Approved",
        message=f"approved by {_listed(approval.approved_by)}",
        started_at=before.started_at if before else at,
        ended_at=at,
    )
    return approval, _with(deployment, step)


def ended(deployment: Deployment, reason: str, message: str, at: datetime) -> Step:
    """Return the approval's step as it is after a no, whoever said it."""
    before = deployment.step(step_keys.APPROVAL)
    return Step(
        status=StepStatus.ABORTED,
        reason=reason,
        message=message,
        started_at=before.started_at if before else at,
        ended_at=at,
    )


def own(approval: Approval, attempt: Attempt) -> Decision | None:
    """Return the last decision of the same person, if there is one."""
    name = folded(_name(approval, attempt))
    return next((item for item in reversed(approval.decisions) if folded(item.name) == name), None)


def _not_allowed(approval: Approval, attempt: Attempt) -> str | None:
    env = approval.environment
    shared = attempt.how == "shared link"
    if shared and not approval.allow_unverified:
        return "A shared link decides nothing: ask for your personal link on the same page."
    if shared and not attempt.name.strip():
        return "Say who you are: approvals are counted by name."
    if not shared and approval.approver(attempt.name) is None:
        return (
            f"{attempt.name} is none of the approvers of this request. Who may approve stands in the platform document "
            f"(spec.environments.{env}.approval.approvers) and holds for requests from then on; ask one of them."
        )
    barred = approval.barred
    if attempt.verdict == "approve" and barred is not None and folded(_name(approval, attempt)) == folded(barred):
        return f"You asked for {approval.version} yourself: somebody else has to approve it. You may reject it."
    return None


def _struck_off(approval: Approval, attempt: Attempt, listed: Iterable[str] | None) -> str | None:
    """Say that somebody who was asked is no approver any more: whoever leaves takes no open question along."""
    if attempt.how == "shared link" or listed is None or folded(attempt.name) in map(folded, listed):
        return None
    return (
        f"{attempt.name} was asked, and has been taken out of the approvers since "
        f"(spec.environments.{approval.environment}.approval.approvers of the platform document): somebody else who is "
        "listed there has to decide."
    )


def _typed(approval: Approval, attempt: Attempt) -> bool:
    """Tell whether the right version was typed; phones begin with a capital letter, commands take it in full."""
    typed = attempt.version.strip().casefold()
    right = {approval.short.casefold()}
    return typed in (right | {approval.version.casefold()} if attempt.how == "cli" else right)


def _name(approval: Approval, attempt: Attempt) -> str:
    """Return the approver's name as the document writes it, however it was typed on the shared page."""
    typed = folded(attempt.name)
    return next((item.name for item in approval.approvers if folded(item.name) == typed), attempt.name)


def _verdict(approval: Approval, kind: Kind, message: str, given: int | None = None) -> Verdict:
    count = len(approval.approved_by) if given is None else given
    return Verdict(kind, message, given=count, required=approval.required)


def _with(deployment: Deployment, step: Step) -> Deployment:
    return deployment.but(steps={**deployment.steps, step_keys.APPROVAL: step})


def _rest(approval: Approval) -> str:
    missing = approval.required - len(approval.approved_by)
    if approval.status != "Pending" or missing <= 0:
        return ""
    return f" It waits for {missing} more."


def _expired(approval: Approval) -> str:
    return (
        f"The request to approve {approval.version} expired at {approval.expires_at:%Y-%m-%d %H:%M} UTC. "
        f"`ferryman retry {approval.environment}` asks again."
    )


def _on(approval: Approval) -> str:
    return f" at {approval.decided_at:%Y-%m-%d %H:%M} UTC" if approval.decided_at else ""


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
