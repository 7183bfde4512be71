"""Record a decision about an approval, in the same way for pages, Slack and the command line.

One conditional transaction writes the approval and its deployment. Then a nudge lets reconcile answer the state
machine. Of a hundred decisions at once exactly one counts; the others get an answer that says what happened.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ferryman.approvals import lifecycle, link_tokens, notifications, standing
from ferryman.decisions.admission import stopped_by
from ferryman.decisions.approval_rules import Attempt, Verdict, closed, judge_attempt, taken_down
from ferryman.errors import ClaimLost, Conflict, NotFound
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import AppliedPlatform, Approval, Deployment, EventType, step_keys
from ferryman.records.writes import Add, Save, Unchanged, Write
from ferryman.store.documents import parsed
from ferryman.store.table import Store
from ferryman.suggestions import suggest
from ferryman.text import one_line

__all__ = ["REFUSALS_TOLD", "Attempt", "Verdict", "closed", "decide_approval", "judge_attempt"]

REFUSALS_TOLD = 20
"""Refused attempts per approval that are written to the timeline. More of them are only logged."""
TRIES = 7
BRIEF = {
    "mail": "with a personal link",
    "slack": "in Slack",
    "cli": "on the command line",
    "shared link": "with the shared link",
}

_LOG = logging.getLogger("ferryman")


def _silent(name: str) -> None:
    """Count nothing."""


def decide_approval(
    approval_id: str,
    attempt: Attempt,
    *,
    store: Store,
    nudge: Callable[[str, str], None],
    clock: Clock,
    new_id: NewId,
    text: Callable[[str], str],
    count: Callable[[str], None] = _silent,
) -> Verdict:
    """Record a person's decision, or say why it does not count. Safe to repeat: a repeated decision counts once.

    `text` resolves a value of the document. `nudge` gets platform and environment. If it fails, that is logged, and the
    sweep finds the decision. Raise NotFound for an unknown approval, Conflict when it kept changing (try again).
    """
    for _ in store.attempts(TRIES):
        approval = store.approval(approval_id)
        if approval is None:
            raise NotFound(f"there is no approval {approval_id[:40]!r}")
        if approval.proposal is not None:
            # Rare, and it needs this module.
            from ferryman.approvals.decide_proposal import decide

            return decide(
                approval_id, attempt, store=store, nudge=nudge, clock=clock, new_id=new_id, text=text, count=count
            )  # fmt: skip
        deployment = store.deployment(approval.platform, approval.environment, approval.deployment)
        attempt, now = cleaned(attempt, approval), clock()
        applied = store.find_platform(approval.platform)
        stopped, lost = _rules(store, applied, approval, deployment, attempt, now, text)
        verdict = judge_attempt(approval, deployment, attempt, now, stopped, lost)
        if not verdict.counts:
            note_refused(approval, attempt, verdict, store=store, clock=clock, new_id=new_id, count=count)
            break
        decided = _decided(approval, deployment, attempt, verdict, store=store, at=now, new_id=new_id)
        try:
            store.write(*decided, *as_applied(applied))
        except Conflict:
            continue
        except ClaimLost:
            told = f"{approval.about} is no longer active in {approval.environment}."
            return replace(verdict, kind="Aborted", message=told, given=len(approval.approved_by))
        count(f"Approval{verdict.kind}")
        _LOG.info("decided: %s", verdict.kind, extra=ids(approval, attempt))
        break
    else:
        raise Conflict(f"approval {approval_id} kept changing; try again")
    over = approval.status != "Pending" or verdict.kind == "Expired"
    if verdict.counts or (over and approval.answered_at is None):
        # Also when it had ended before: the nudge of that decision may have been lost.
        quietly(nudge, approval)
    return verdict


def _decided(
    approval: Approval, deployment: Deployment, attempt: Attempt, verdict: Verdict, *, store: Store, at: datetime,
    new_id: NewId,
) -> list[Write]:  # fmt: skip
    after, deployment = taken_down(approval, deployment, attempt, verdict, at)
    told = decision_line(after, verdict, at=at, new_id=new_id)
    mails = [] if after.status == "Pending" else notifications.of_end(store, after, deployment, at)
    return [lifecycle.fence(approval), Save(after), Save(deployment), told, *mails]


def as_applied(applied: AppliedPlatform | None) -> list[Unchanged]:
    """Return the condition that the document is still the one by which somebody may decide: it may revoke them."""
    return [Unchanged(applied)] if applied is not None else []


def _rules(
    store: Store,
    applied: AppliedPlatform | None,
    approval: Approval,
    deployment: Deployment,
    attempt: Attempt,
    now: datetime,
    text: Callable[[str], str],
) -> tuple[str | None, standing.Lost | None]:
    """Return why nothing may start in the environment, and why this person may no longer decide.

    admit_deployment checks again before anything changes. If the document has no approval policy any more, the
    approvers of the request count.
    """
    if closed(approval, deployment, now) is not None:
        return None, None
    lost = standing.lost(approval, attempt.name, attempt.how, applied.document if applied else {}, text)
    document = parsed(applied)
    environment = document.spec.environments.get(approval.environment) if document else None
    if environment is None:
        return (
            (
                "the platform document does not define this environment's rules; see "
                f"{suggest('explain', approval.environment, p=approval.platform)}"
            ),
            lost,
        )
    if attempt.verdict != "approve":
        return None, lost
    found = stopped_by(deployment, store.state(approval.platform, approval.environment), environment, now)
    return (found[1] if found is not None else None), lost


def decision_line(after: Approval, verdict: Verdict, *, at: datetime, new_id: NewId) -> Add:
    """Make the line in the timeline of the decision that was added last."""
    decision = after.decisions[-1]
    rejected = verdict.kind == "Rejected"
    tally = "" if rejected else f" ({verdict.given} of {verdict.required})"
    why = f": {decision.reason}" if decision.reason else ""
    return timeline.approval_event(
        after,
        EventType.REJECTED if rejected else EventType.APPROVED,
        f"{decision.name} {'rejected' if rejected else 'approved'} {after.about} {BRIEF[decision.how]}{tally}{why}",
        at=at,
        new_id=new_id,
        who=decision.name,
        step=step_keys.APPROVAL,
        detail={
            "how": decision.how,
            "identity": decision.identity,
            "source": decision.source,
            "reason": decision.reason,
            **_asked_about(after),
            "given": verdict.given,
            "required": verdict.required,
        },
    )


def note_refused(
    approval: Approval,
    attempt: Attempt,
    verdict: Verdict,
    *,
    store: Store,
    clock: Clock,
    new_id: NewId,
    count: Callable[[str], None],
) -> None:
    """Record a refused attempt: the first ones of an approval in the timeline, all of them in the log."""
    if verdict.kind == "AlreadyYours":
        return
    count("DecisionRefused")
    _LOG.warning("decision refused: %s", verdict.kind, extra=ids(approval, attempt))
    who = attempt.name or "somebody"
    for _ in store.attempts(3):
        if approval.refused >= REFUSALS_TOLD:
            return
        told = timeline.approval_event(
            approval,
            EventType.DECISION_REFUSED,
            f"{who} tried to {attempt.verdict} {approval.about} {BRIEF[attempt.how]}: {verdict.kind}",
            at=clock(),
            new_id=new_id,
            who=who,
            step=step_keys.APPROVAL,
            detail={
                "verdict": attempt.verdict,
                "refused": verdict.kind,
                "how": attempt.how,
                "identity": attempt.identity,
                "source": attempt.source,
                **_asked_about(approval),
            },
        )
        try:
            store.write(Save(approval.but(refused=approval.refused + 1)), told)
        except Conflict:
            approval = store.approval(approval.deployment) or approval
            continue
        return


def _asked_about(approval: Approval) -> dict[str, object]:
    return {"digests": approval.digests} if approval.proposal is None else {"hash": approval.version}


def cleaned(attempt: Attempt, approval: Approval) -> Attempt:
    """Truncate the input, and remove the key of a link that somebody pasted."""

    def line(text: str, limit: int) -> str:
        return one_line(link_tokens.hidden(approval, text[: limit * 2]), limit=limit)

    return replace(
        attempt,
        name=line(attempt.name, 80) if attempt.how == "shared link" else line(attempt.name, 300),
        identity=line(attempt.identity, 300),
        version=attempt.version[:200],
        reason=line(attempt.reason, 500),
        source=line(attempt.source, 200),
    )


def quietly(nudge: Callable[[str, str], None], approval: Approval) -> None:
    """Have reconcile look at what was decided; a failure is logged."""
    try:
        nudge(approval.platform, approval.environment)
    except Exception:  # noqa: BLE001 - the decision stands, and the sweep finds it
        _LOG.exception("could not nudge reconcile; the sweep will find the decision")


def ids(approval: Approval, attempt: Attempt) -> dict[str, str]:
    """Return the fields of a log line about an attempt."""
    asked = "deployment" if approval.proposal is None else "proposal"
    return {
        "platform": approval.platform,
        "environment": approval.environment,
        asked: approval.proposal or approval.deployment,
        "how": attempt.how,
        "who": attempt.name,
    }
