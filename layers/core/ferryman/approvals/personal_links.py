"""Request a personal link on the page of a shared link, which anyone can open. Called by decide_approval.

The answer does not reveal who is an approver or whether a mail is sent: it is always the same, and so is the number of
round trips. One difference remains: the last round trip is a write for an approver and a read for others. It amounts to
some milliseconds, and can be observed at most `MOST` times per approver and approval, `PAUSE` apart.
"""

import logging
from datetime import datetime, timedelta

from ferryman.errors import Conflict
from ferryman.ids import Clock, NewId
from ferryman.messages import approval as messages_approval
from ferryman.messages import timeline
from ferryman.records import Approval, ApproverRecord, EventType
from ferryman.records.writes import Save
from ferryman.store.table import Store

PAUSE = timedelta(minutes=5)
"""Between two links for one approver."""
MOST = 10
"""Links that one approver can request for one approval, in addition to the first mail and the reminder."""

_LOG = logging.getLogger("ferryman")


def ask_for_link(store: Store, approval_id: str, email: str, clock: Clock, new_id: NewId, *, source: str = "") -> None:
    """Queue a personal link for the approver with this mail address, if there is one and `PAUSE` has passed.

    Return nothing. `source`: network address and user agent of the request. Safe to repeat: requests within `PAUSE`
    count once.
    """
    wanted = email[:320].strip().casefold()
    for _ in store.attempts(7):
        approval = store.approval(approval_id)
        if approval is None:
            return
        approver = _entitled(approval, wanted)
        if approver is None or not _is_time(approval, approver.name, clock()):
            # Takes about as long as the write below.
            store.approval(approval_id)
            return
        at, number = clock(), approval.links_sent.get(approver.name, 0) + 1
        after = approval.but(
            links_asked={**approval.links_asked, approver.name: at},
            links_sent={**approval.links_sent, approver.name: number},
        )
        told = f"a personal link was requested for {approver.name} on the shared page (number {number})"
        sent = timeline.approval_event(
            approval,
            EventType.APPROVAL_LINK_SENT,
            told,
            at=at,
            new_id=new_id,
            who="shared link",
            detail={"name": approver.name, "source": source[:200]},
        )
        try:
            store.write(Save(after), sent, *messages_approval.for_link(after, approver.name, number, at))
        except Conflict:
            continue
        return
    _LOG.warning("approval %s kept changing: no link was queued; the approver can request one again", approval_id)


def _entitled(approval: Approval, email: str) -> ApproverRecord | None:
    if not email:
        return None
    return next((item for item in approval.approvers if item.email and item.email.strip().casefold() == email), None)


def _is_time(approval: Approval, name: str, now: datetime) -> bool:
    last = approval.links_asked.get(name)
    if not approval.open_at(now) or approval.links_sent.get(name, 0) >= MOST:
        return False
    return last is None or now - last >= PAUSE
