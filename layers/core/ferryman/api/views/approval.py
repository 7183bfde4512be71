"""What the API shows of an approval: who may decide, who has, until when. Never a token, nor the hash of one. Pure."""

from datetime import datetime

from pydantic import AwareDatetime

from ferryman.decisions import approval_in_words, changes_in_words
from ferryman.decisions.approval_in_words import Decider
from ferryman.decisions.changes_in_words import Change
from ferryman.records import Approval, ApprovalStatus, How, Plan, Record

_CHANGES = 400
"""Lines about what changes: an answer of the API has room for more than a page."""


class DecisionView(Record):
    """What one person decided; by which proof of who they are stands in the audit."""

    name: str
    verdict: str
    how: How
    reason: str
    at: AwareDatetime


class ApprovalView(Record):
    """The question whether a deployment may go on, and how it stands."""

    platform: str
    environment: str
    deployment: str
    version: str
    short: str
    """What has to be typed to decide."""
    tag: str | None
    digests: dict[str, str]
    command: str
    """The database command that it is about: `migrate down to 0042`; "" for a deployment without one."""
    status: ApprovalStatus
    reason: str
    superseded_by: str | None
    requested_by: str
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    decided_at: AwareDatetime | None
    required: int
    approved_by: list[str]
    may_approve: list[Decider]
    barred: str | None
    """The approver who asked for it, where that keeps them from approving."""
    allow_unverified: bool
    decisions: list[DecisionView]
    refused: int
    """Attempts that were refused."""
    sentences: list[str]
    """While it is pending: how it stands, who may decide and how."""
    plan_hash: str
    """Of what people are asked about; empty in requests that an earlier version made."""
    changes: list[Change]
    """What changes against what runs."""
    not_frozen: list[str]
    """What the approval does not cover."""
    since_approved: list[str]
    """Of a request that takes the place of a voided approval: why, and what differs from what was approved."""


def approval(record: Approval, now: datetime, plan: Plan | None = None) -> ApprovalView:
    """Return what is to be seen of an approval."""
    names = [name for name in ApprovalView.model_fields if name in type(record).model_fields]
    shown = {name: getattr(record, name) for name in names if name not in ("requested_by", "decisions")}
    pending = record.status == "Pending"
    return ApprovalView(
        **shown,
        short=record.short,
        requested_by=record.requested_by.who,
        approved_by=record.approved_by,
        may_approve=approval_in_words.deciders(record) if pending else [],
        barred=record.barred,
        decisions=[
            DecisionView(name=item.name, verdict=item.verdict, how=item.how, reason=item.reason, at=item.at)
            for item in record.decisions
        ],
        sentences=approval_in_words.in_words(record, now) if pending else [],
        changes=changes_in_words.changes(plan, _CHANGES),
        not_frozen=plan.not_frozen if plan is not None else [],
        since_approved=plan.since_approved if plan is not None else [],
    )
