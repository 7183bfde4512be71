"""Record a decision about a proposed document. Called by `record_decision`, for pages, Slack and the command alike.

Only the approval changes here: the function behind the public pages may not write documents. Reconcile, which is
nudged, applies what all environments have approved (`controller.proposals`).
"""

import logging
from collections.abc import Callable

from ferryman.approvals import standing
from ferryman.approvals.record_decision import BRIEF, REFUSALS_TOLD, TRIES, cleaned, quietly
from ferryman.decisions.approval_rules import Attempt, Verdict, judge_attempt, noted
from ferryman.decisions.proposal_state import as_it_stands
from ferryman.errors import Conflict, NotFound
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import Approval, EventType
from ferryman.records.writes import Add, Save
from ferryman.store.table import Store

_LOG = logging.getLogger("ferryman")


def decide(
    approval_id: str,
    attempt: Attempt,
    *,
    store: Store,
    nudge: Callable[[str, str], None],
    clock: Clock,
    new_id: NewId,
    text: Callable[[str], str],
    count: Callable[[str], None],
) -> Verdict:
    """Record a person's decision, or say why it does not count. Holds and freezes do not stop it.

    Raise NotFound for an unknown approval, Conflict when it kept changing (try again).
    """
    for _ in store.attempts(TRIES):
        approval = store.approval(approval_id)
        if approval is None or approval.proposal is None:
            raise NotFound(f"there is no approval {approval_id[:40]!r}")
        proposal, now = store.proposal(approval.platform, approval.proposal), clock()
        attempt = cleaned(attempt, approval)
        applied = store.find_platform(approval.platform)
        lost = standing.lost(approval, attempt.name, attempt.how, applied.document if applied else {}, text)
        verdict = judge_attempt(as_it_stands(approval, proposal), None, attempt, now, lost=lost)
        if not verdict.counts:
            _refused(approval, attempt, verdict, store=store, clock=clock, new_id=new_id, count=count)
            return verdict
        after = noted(approval, attempt, verdict, now)
        try:
            store.write(Save(after), _told(after, verdict, clock=clock, new_id=new_id))
        except Conflict:
            continue
        count(f"Approval{verdict.kind}")
        _LOG.info("decided about a document: %s", verdict.kind, extra=_ids(approval, attempt))
        quietly(nudge, approval)
        return verdict
    raise Conflict(f"approval {approval_id} kept changing; try again")


def _told(approval: Approval, verdict: Verdict, *, clock: Clock, new_id: NewId) -> Add:
    decision = approval.decisions[-1]
    rejected = verdict.kind == "Rejected"
    tally = "" if rejected else f" ({verdict.given} of {verdict.required})"
    why = f": {decision.reason}" if decision.reason else ""
    done = "rejected" if rejected else "approved"
    return timeline.environment_event(
        approval.platform,
        approval.environment,
        EventType.REJECTED if rejected else EventType.APPROVED,
        f"{decision.name} {done} {approval.about} {BRIEF[decision.how]}{tally}{why}",
        at=clock(),
        new_id=new_id,
        who=decision.name,
        detail={
            "how": decision.how,
            "identity": decision.identity,
            "source": decision.source,
            "reason": decision.reason,
            "proposal": approval.proposal,
            "hash": approval.version,
            "given": verdict.given,
            "required": verdict.required,
        },
    )


def _refused(
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
    _LOG.warning("decision about a document refused: %s", verdict.kind, extra=_ids(approval, attempt))
    if approval.refused >= REFUSALS_TOLD:
        return
    who = attempt.name or "somebody"
    told = timeline.environment_event(
        approval.platform,
        approval.environment,
        EventType.DECISION_REFUSED,
        f"{who} tried to {attempt.verdict} {approval.about} {BRIEF[attempt.how]}: {verdict.kind}",
        at=clock(),
        new_id=new_id,
        who=who,
        detail={"verdict": attempt.verdict, "refused": verdict.kind, "how": attempt.how, "identity": attempt.identity,
                "source": attempt.source, "proposal": approval.proposal},
    )  # fmt: skip
    try:
        store.write(Save(approval.but(refused=approval.refused + 1)), told)
    except Conflict:
        _LOG.info("a refused decision was not written down: the approval changed")


def _ids(approval: Approval, attempt: Attempt) -> dict[str, str]:
    return {
        "platform": approval.platform,
        "environment": approval.environment,
        "proposal": approval.proposal or "",
        "how": attempt.how,
        "who": attempt.name,
    }
