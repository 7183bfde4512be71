"""How the approvals of a proposed document stand. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ferryman.records import AppliedPlatform, Approval, Proposal
from ferryman.text import sentence

End = Literal["Approved", "Rejected", "Superseded", "Expired"]


def as_it_stands(approval: Approval, proposal: Proposal | None) -> Approval:
    """Return an approval as it will be once reconcile has ended it: its proposal may have ended before."""
    if approval.status != "Pending" or (proposal is not None and proposal.status == "Proposed"):
        return approval
    if proposal is None:
        return approval.but(status="Aborted", reason="its document no longer exists")
    match proposal.status:
        case "Expired":
            return approval.but(status="Expired", reason=proposal.reason)
        case "Superseded":
            return approval.but(status="Superseded", reason=proposal.reason, superseded_by="another document")
        case _:
            return approval.but(status="Aborted", reason=proposal.reason)


def due(
    proposal: Proposal, applied: AppliedPlatform, approvals: Mapping[str, Approval | None], now: datetime
) -> tuple[End, str] | None:
    """Return how a proposal ends now, and why; None while it waits. `approvals`: by environment."""
    # An approval of another document, however it came to be there, counts for nothing.
    approvals = {name: found if found and _is_of(found, proposal) else None for name, found in approvals.items()}
    for name, approval in approvals.items():
        if approval is not None and approval.status == "Rejected":
            by = next((item.name for item in approval.decisions if item.verdict == "reject"), "somebody")
            return "Rejected", f"{by} rejected it for {name}: {approval.reason}"
    if applied.generation != proposal.generation or applied.proposal != proposal.id:
        return "Superseded", "the platform document changed meanwhile"
    if all(approval is not None and approval.status == "Approved" for approval in approvals.values()):
        people = {name for approval in approvals.values() if approval for name in approval.approved_by}
        return "Approved", f"approved by {', '.join(sorted(people)) or 'its approvers'}"
    if now >= proposal.expires_at:
        return "Expired", "not approved in time"
    return None


def _is_of(approval: Approval, proposal: Proposal) -> bool:
    return approval.proposal == proposal.id and approval.version == proposal.hash


def in_words(proposal: Proposal) -> str:
    """Return one sentence about how a proposal stands."""
    about = f"Document {proposal.short}"
    match proposal.status:
        case "Proposed":
            return f"{about} waits for the approvers of {', '.join(proposal.approvals)}."
        case "Approved":
            return f"{about} was {proposal.reason or 'approved'}, and applied."
        case _:
            return sentence(f"{about} was not applied: {proposal.reason}")
