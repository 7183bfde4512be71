"""Route that shows the newest proposed document of a platform, and what other reads say about it."""

from typing import Any

from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.errors import NotFound
from ferryman.records import AppliedPlatform, Approval, Proposal
from ferryman.suggestions import suggest


def proposal(operator: Context, request: Request) -> dict[str, Any]:
    """The newest proposed document: what it changes, who has to agree, who has, and how it ended."""
    applied = operator.store.platform(request.params["platform"])
    # Few calls are about a proposal, here and below.
    from ferryman.decisions import proposal_state

    newest = operator.store.proposals(applied.name, 1)
    if not newest:
        raise NotFound(
            f"no document of {applied.name} waits, or has waited, for approval; `apply` proposes one that "
            "weakens a gate"
        )
    found = newest[0]
    return {
        "platform": found.platform,
        "id": found.id,
        "short": found.short,
        "hash": found.hash,
        "generation": found.generation,
        "status": found.status,
        "message": proposal_state.in_words(found),
        "problem": found.problem if found.status == "Proposed" else "",
        "proposedBy": found.proposed_by,
        "proposedAt": found.proposed_at.isoformat(),
        "expiresAt": found.expires_at.isoformat(),
        "changes": [change.dump() for change in found.changes],
        "approvals": [
            _approval(name, operator.store.approval(id), found) for name, id in found.approvals.items()
        ],
    }  # fmt: skip


def waiting(operator: Context, platform: str, environment: str) -> tuple[Proposal, Approval] | None:
    """Return the proposal that waits for an environment's approvers, with the approval that they give or refuse."""
    applied = operator.store.find_platform(platform)
    if applied is None or applied.proposal is None:
        return None
    found = operator.store.proposal(platform, applied.proposal)
    if found is None or found.status != "Proposed" or environment not in found.approvals:
        return None
    approval = operator.store.approval(found.approvals[environment])
    return (found, approval) if approval is not None else None


def notes(operator: Context, applied: AppliedPlatform) -> list[str]:
    """Return sentences for a status: a document that waits, and an admin's override while its generation stands."""
    found = []
    if applied.proposal is not None:
        from ferryman.decisions import proposal_state

        pending = operator.store.proposal(applied.name, applied.proposal)
        if pending is not None and pending.status == "Proposed":
            found.append(f"{proposal_state.in_words(pending)} To see it, run {suggest('proposal', p=applied.name)}.")
            if pending.problem:
                by_hand = suggest("apply", f="FILE", override="REASON")
                found.append(f"It can't go on: {pending.problem}. An admin can use {by_hand}.")
    if applied.override is not None:
        override = applied.override
        found.append(
            f"Generation {applied.generation} was applied without the approval that it needed, by {override.who} at "
            f"{override.at:%Y-%m-%d %H:%M} UTC: {override.reason} ({'; '.join(override.changes)})."
        )
    return found


def _approval(name: str, approval: Approval | None, proposal: Proposal) -> dict[str, Any]:
    if approval is None:
        return {"environment": name, "status": "Pending", "required": None, "approvedBy": [], "approvers": []}
    from ferryman.decisions import proposal_state

    seen = proposal_state.as_it_stands(approval, proposal)
    return {
        "environment": name,
        "status": seen.status,
        "required": seen.required,
        "approvedBy": seen.approved_by,
        "approvers": [person.name for person in seen.approvers],
    }
