"""Record a decision about a proposed document. Called by `record_decision`, for pages, Slack and the command alike.

Only the approval changes here: the function behind the public pages may not write documents. Reconcile, which is
nudged, applies what all environments have approved (`controller.proposals`).
"""

import logging
from collections.abc import Callable

from ferryman.approvals import standing
from ferryman.approvals.record_decision import TRIES, as_applied, cleaned, decision_line, ids, note_refused, quietly
from ferryman.decisions.approval_rules import Attempt, Verdict, judge_attempt, noted
from ferryman.decisions.proposal_state import as_it_stands
from ferryman.errors import Conflict, NotFound
from ferryman.ids import Clock, NewId
from ferryman.records.writes import Save
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
            note_refused(approval, attempt, verdict, store=store, clock=clock, new_id=new_id, count=count)
            return verdict
        after = noted(approval, attempt, verdict, now)
        try:
            store.write(Save(after), decision_line(after, verdict, at=now, new_id=new_id), *as_applied(applied))
        except Conflict:
            continue
        count(f"Approval{verdict.kind}")
        _LOG.info("decided about a document: %s", verdict.kind, extra=ids(approval, attempt))
        quietly(nudge, approval)
        return verdict
    raise Conflict(f"approval {approval_id} kept changing; try again")
