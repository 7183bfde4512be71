"""Asking for a personal link on the page that everybody in a shared channel can open. Called by decide_approval.

Whoever asks learns nothing: neither who is an approver, nor whether a mail goes out. The answer is the same, and so is
the number of round trips. What remains is that the last one is a write for an approver and a read for all others, some
milliseconds apart: to be seen, if at all, at most `MOST` times per approver and approval, `PAUSE` apart.
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
"""Links that one approver can be sent about one approval, beside the first mail and the reminder."""

_LOG = logging.getLogger("ferryman")


def ask_for_link(store: Store, approval_id: str, email: str, clock: Clock, new_id: NewId, *, source: str = "") -> None:
    """Queue a personal link for the approver with this mail address, if there is one and it is time; say nothing.

    `source`: network address and program of who asked. Safe to repeat: what was asked for within `PAUSE` counts once.
    """
    wanted = email[:320].strip().casefold()
    for _ in store.attempts(7):
        approval = store.approval(approval_id)
        if approval is None:
            return
        deployment = store.deployment(approval.platform, approval.environment, approval.deployment)
        approver = _entitled(approval, wanted)
        if approver is None or not _is_time(approval, approver.name, clock()):
            # In the place of the write.
            store.approval(approval_id)
            return
        at, number = clock(), approval.links_sent.get(approver.name, 0) + 1
        after = approval.but(
            links_asked={**approval.links_asked, approver.name: at},
            links_sent={**approval.links_sent, approver.name: number},
        )
        sent = timeline.event(
            deployment,
            EventType.APPROVAL_LINK_SENT,
            f"a personal link goes to {approver.name} (number {number}): somebody asked for it on the shared page",
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
    _LOG.warning("approval %s kept changing: no link was queued; whoever asked can ask again", approval_id)


def _entitled(approval: Approval, email: str) -> ApproverRecord | None:
    if not email:
        return None
    return next((item for item in approval.approvers if item.email and item.email.strip().casefold() == email), None)


def _is_time(approval: Approval, name: str, now: datetime) -> bool:
    last = approval.links_asked.get(name)
    if not approval.open_at(now) or approval.links_sent.get(name, 0) >= MOST:
        return False
    return last is None or now - last >= PAUSE
