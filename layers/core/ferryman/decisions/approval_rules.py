"""The rules for one person's decision about one approval. Pure; `approvals.record_decision` writes the result.

The caller has verified the person: by the nonce of a personal link, by Slack's signature, or by an IAM ARN. This module
decides whether that person may decide now, about exactly this version.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ferryman.decisions import voters
from ferryman.platform.identities import folded
from ferryman.records import Approval, Decision, Deployment, How, Phase, Step, StepStatus, step_keys
from ferryman.suggestions import suggest
from ferryman.text import sentence

LINK_KEPT = timedelta(hours=24)
"""How long a link shows what became of its deployment."""

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
    """A person's attempt to decide, and what proved their identity."""

    verdict: Literal["approve", "reject"]
    name: str
    """The approver's name; on the shared page, what was typed; for anyone else, a name that no approver has."""
    how: How
    identity: str
    """As in `Decision.identity`."""
    version: str = ""
    """What was typed."""
    confirmed: bool = False
    """Whether Slack's dialog confirmed the decision, in place of a typed version."""
    reason: str = ""
    source: str = ""
    """Network address and user agent."""


@dataclass(frozen=True)
class Verdict:
    """The result of an attempt.

    Approved: the last approval that was needed. Recorded: an approval, but more are needed. Frozen: nothing may start
    now, because of a freeze or a hold.
    """

    kind: Kind
    message: str
    """For people: what happened, why, what to do next."""
    by: str | None = None
    """Who decided, or the version that superseded this one."""
    given: int = 0
    """Different people who have approved."""
    required: int = 1

    @property
    def counts(self) -> bool:
        """Whether this attempt is recorded as a decision."""
        return self.kind in ("Approved", "Recorded", "Rejected")


def closed(approval: Approval, deployment: Deployment | None, now: datetime) -> Verdict | None:
    """Return why it is too late to decide, or None while a decision is open. `deployment`: None for a proposal."""
    env, given = approval.environment, len(approval.approved_by)

    def no(kind: Kind, message: str, by: str | None = None) -> Verdict:
        return Verdict(kind, sentence(message), by, given=given, required=approval.required)

    match approval.status:
        case "Approved":
            names = _listed(approval.approved_by)
            return no("AlreadyDecided", f"{approval.about} was approved by {names}{_on(approval)}.", names)
        case "Rejected":
            name = next((item.name for item in approval.decisions if item.verdict == "reject"), "somebody")
            told = f"{approval.about} was rejected by {name}{_on(approval)}: {approval.reason}"
            return no("AlreadyDecided", told, name)
        case "Superseded":
            instead = approval.superseded_by or "another release"
            told = f"{approval.about} was replaced by {instead}. If that needs approval, a new request will follow."
            return no("Superseded", told, approval.superseded_by)
        case "Aborted":
            return no("Aborted", sentence(f"{_what(approval)} was stopped: {approval.reason}", capital=True))
        case "Expired":
            return no("Expired", _expired(approval))
        case "Pending":
            pass
    if deployment is not None and deployment.abort is not None:
        abort = deployment.abort
        return no("Aborted", f"{abort.who} aborted {_what(approval)}: {abort.reason}")
    if deployment is not None and deployment.phase is not Phase.AWAITING_APPROVAL:
        kind: Kind = "Expired" if deployment.phase is Phase.EXPIRED else "Aborted"
        told = (
            f"{_what(approval)} has ended ({deployment.phase}). To see why, run "
            f"{suggest('explain', env, p=approval.platform)}."
        )
        return no(kind, sentence(told, capital=True))
    if approval.expired_at(now):
        return no("Expired", _expired(approval))
    return None


def link_ended(approval: Approval, deployment: Deployment | None, now: datetime) -> bool:
    """Tell whether the deployment, or the proposal (None), ended so long ago that its links show nothing any more."""
    if deployment is None:
        return now >= (approval.decided_at or approval.expires_at) + LINK_KEPT
    if not deployment.phase.terminal:
        return False
    return now >= (deployment.ended_at or approval.decided_at or approval.expires_at) + LINK_KEPT


def judge_attempt(
    approval: Approval,
    deployment: Deployment | None,
    attempt: Attempt,
    now: datetime,
    stopped: str | None = None,
    lost: Literal["removed", "changed"] | None = None,
) -> Verdict:
    """Return the result of an attempt.

    `stopped`: why nothing may start in the environment now. `lost`: why the document no longer lets this person decide
    in this way.
    """
    found = closed(approval, deployment, now)
    mine = own(approval, attempt)
    over = approval.status in ("Approved", "Rejected")
    if mine is not None and mine.verdict == attempt.verdict and (over or found is None):
        done = "approved" if mine.verdict == "approve" else "rejected"
        told = f"You have already {done} {approval.about}; it counts once.{_rest(approval)}"
        return _verdict(approval, "AlreadyYours", told)
    if found is not None:
        return found
    not_allowed = _not_allowed(approval, attempt) or _struck_off(approval, attempt, lost)
    if not_allowed is not None:
        return _verdict(approval, "NotAllowed", not_allowed)
    if not attempt.confirmed and not _typed(approval, attempt):
        of = "" if approval.proposal else ", the first characters of the version that you have reviewed"
        told = f"To decide, type {approval.short}{of}."
        return _verdict(approval, "WrongVersion", f"The version you typed does not match this request. {told}")
    if attempt.verdict == "reject":
        if not attempt.reason.strip():
            told = "Give a reason, so that the requester knows what to change."
            return _verdict(approval, "NeedsReason", told)
        return _verdict(approval, "Rejected", f"You have rejected {approval.about}. Nothing was changed.")
    if stopped is not None:
        told = f"{approval.about} cannot be approved now: {stopped}. Try again later, or reject it."
        return _verdict(approval, "Frozen", told)
    given = len(approval.approved_by) + 1
    if given < approval.required:
        told = f"You have approved {approval.about} ({given} of {approval.required} approvals)."
        return _verdict(approval, "Recorded", told, given)
    return _verdict(approval, "Approved", f"You have approved {approval.about}. {_goes_on(approval)}.", given)


def taken_down(
    approval: Approval, deployment: Deployment, attempt: Attempt, verdict: Verdict, at: datetime
) -> tuple[Approval, Deployment]:
    """Return both records with a decision that counts added."""
    approval = noted(approval, attempt, verdict, at)
    decision = approval.decisions[-1]
    deployment = deployment.but(approved_by=approval.approved_by)
    if verdict.kind == "Recorded":
        return approval, deployment
    if verdict.kind == "Rejected":
        step = ended(deployment, "Rejected", f"{decision.name} rejected it: {attempt.reason}", at)
        return approval, _with(deployment, step)
    before = deployment.step(step_keys.APPROVAL)
    step = Step(
        status=StepStatus.SUCCEEDED,
        reason="Approved",
        message=f"approved by {_listed(approval.approved_by)}",
        started_at=before.started_at if before else at,
        ended_at=at,
    )
    return approval, _with(deployment, step)


def noted(approval: Approval, attempt: Attempt, verdict: Verdict, at: datetime) -> Approval:
    """Return an approval with a decision that counts added."""
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
    if verdict.kind == "Rejected":
        return approval.but(status="Rejected", reason=attempt.reason, decided_at=at)
    return approval.but(status="Approved", decided_at=at) if verdict.kind == "Approved" else approval


def ended(deployment: Deployment, reason: str, message: str, at: datetime) -> Step:
    """Return the approval's step after an end without approval."""
    before = deployment.step(step_keys.APPROVAL)
    return Step(
        status=StepStatus.ABORTED,
        reason=reason,
        message=message,
        started_at=before.started_at if before else at,
        ended_at=at,
    )


def own(approval: Approval, attempt: Attempt) -> Decision | None:
    """Return the last decision of the same person, under whichever of their entries, if there is one."""
    names = voters.same_person(approval, _name(approval, attempt))
    return next((item for item in reversed(approval.decisions) if folded(item.name) in names), None)


def _not_allowed(approval: Approval, attempt: Attempt) -> str | None:
    env = approval.environment
    shared = attempt.how == "shared link"
    if shared and not approval.allow_unverified:
        return "You cannot decide with a shared link. Request your personal link on the same page."
    if shared and not attempt.name.strip():
        return "Enter your name: approvals are counted by name."
    if not shared and approval.approver(attempt.name) is None:
        return (
            f"{attempt.name} is not an approver of this request. Approvers are listed in the platform document "
            f"(spec.environments.{env}.approval.approvers); a change applies to later requests only. Ask one of them."
        )
    if attempt.verdict == "approve" and voters.is_barred(approval, _name(approval, attempt)):
        return f"You requested {approval.about}, so somebody else must approve it. You can reject it."
    return None


def _struck_off(approval: Approval, attempt: Attempt, lost: Literal["removed", "changed"] | None) -> str | None:
    """Say that somebody may no longer decide: what the document says now takes effect on open requests, too."""
    if lost is None:
        return None
    where = f"(spec.environments.{approval.environment}.approval.approvers)"
    if lost == "removed":
        return (
            f"{attempt.name} is no longer an approver in the platform document {where}. Somebody who is listed there "
            "must decide."
        )
    return (
        f"The address of {attempt.name} in the platform document {where} is not the one that was asked. Another "
        f"approver must decide, or run {suggest('retry', approval.environment, p=approval.platform)} to ask again."
    )


def _typed(approval: Approval, attempt: Attempt) -> bool:
    """Tell whether the right version was typed. Phones may capitalize it; the command line also takes it in full."""
    typed = attempt.version.strip().casefold()
    right = {approval.short.casefold()}
    return typed in (right | {approval.version.casefold()} if attempt.how == "cli" else right)


def _name(approval: Approval, attempt: Attempt) -> str:
    """Return the approver's name as the document spells it, however it was typed on the shared page."""
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
    return f" {more_needed(missing)}"


def more_needed(count: int) -> str:
    """Say how many approvals are missing."""
    return f"{count} more approval{' is' if count == 1 else 's are'} needed."


def _expired(approval: Approval) -> str:
    return (
        f"The request to approve {approval.about} expired at {approval.expires_at:%Y-%m-%d %H:%M} UTC. "
        f"To request approval again, {_again(approval)}."
    )


def _again(approval: Approval) -> str:
    if approval.proposal:
        return "apply the document again"
    return (
        "run the command again"
        if approval.command
        else f"run {suggest('retry', approval.environment, p=approval.platform)}"
    )


def _goes_on(approval: Approval) -> str:
    if approval.proposal:
        return "It is applied in a moment"
    return "It runs next" if approval.command else "The deployment continues"


def _what(approval: Approval) -> str:
    if approval.proposal:
        return f"the change to {approval.about}"
    return approval.about if approval.command else f"the deployment of {approval.version}"


def _on(approval: Approval) -> str:
    return f" at {approval.decided_at:%Y-%m-%d %H:%M} UTC" if approval.decided_at else ""


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
