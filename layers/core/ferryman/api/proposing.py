"""Judge whether a document weakens a gate of the stored one, and propose it to the approvers instead of applying it.

Called by the route `apply`; most calls of the API don't, so what compares documents is imported by the functions.
Reconcile asks the approvers and applies what they approve (`controller.proposals`).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ferryman.api import requesters
from ferryman.api.context import Context
from ferryman.api.http import Request, how
from ferryman.errors import Conflict, InvalidDocument, Refused
from ferryman.messages import timeline
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, EventType, Proposal, ProposedChange, limits
from ferryman.records.writes import Save, Write
from ferryman.suggestions import suggest
from ferryman.text import byte_length, listed

if TYPE_CHECKING:
    from ferryman.decisions.document_changes.change import Change

_BY_HAND = (
    "An admin of Ferryman can apply it all the same: "
    f"{suggest('apply', f='FILE', override='REASON')}, which everybody is "
    "told"
)
_KEPT = 60
"""Neutral changes that are kept for people to read; what waits for approval is kept as a whole."""


@dataclass(frozen=True)
class Judged:
    """What a new document does to the gates of the stored one."""

    changes: "list[Change]" = field(default_factory=list)
    stored: Platform | None = None
    """The stored document; None when there is none, or none that can be read."""
    unreadable: str = ""
    """Why nobody can tell, although the stored document asks for approval somewhere."""
    returning: list[str] = field(default_factory=list)
    """Environments that asked for approval, were removed, and are in the new document again."""

    @property
    def weakened(self) -> list[str]:
        """The environments whose approvers have to agree."""
        return list(dict.fromkeys(change.environment for change in self.changes if change.effect == "looser"))


def judge(operator: Context, before: AppliedPlatform | None, document: Platform) -> Judged:
    """Compare a document with the stored one, and what the references in its gates stand for with what they did."""
    from ferryman.decisions.document_changes import references
    from ferryman.decisions.document_changes.compare import compare

    if before is None:
        return Judged()
    returning = [name for name in before.removed if name in document.spec.environments]
    try:
        stored = parse(before.document)
    except InvalidDocument as error:
        return Judged(unreadable=str(error) if _asks(before.document) else "", returning=returning)
    moved = {
        name: found
        for name in stored.spec.environments
        if (found := references.moved(stored, before.references, name, operator.outside.values))
    }
    return Judged(compare(stored, document, moved), stored, returning=returning)


def refuse_without_approvers(judged: Judged) -> None:
    """Raise Refused when a gate may be weakened and there is nobody to ask: only an admin can decide that."""
    if judged.returning:
        raise Refused(f"{came_back(judged.returning)}, and the stored document has no approvers for that. {_BY_HAND}")
    if judged.unreadable:
        raise Refused(
            "the stored document cannot be read by this version of Ferryman, so nobody can tell whether the new one "
            f"weakens a gate, nor ask its approvers ({judged.unreadable[:500]}). {_BY_HAND}"
        )


def came_back(names: list[str]) -> str:
    """Say which protected environments the document creates again."""
    was = "an environment that was" if len(names) == 1 else "environments that were"
    return f"the document creates {listed(names)} again, {was} removed while asking for approval"


def values_now(operator: Context, document: Platform) -> dict[str, str]:
    """Return hashes of what the references in its gates stand for now, where it asks for approval."""
    from ferryman.decisions.document_changes import references

    return references.hashes(document, operator.outside.values)


def removed_now(before: AppliedPlatform | None, document: Platform) -> list[str]:
    """Return the protected environments that this or an earlier document removed."""
    from ferryman.decisions.document_changes.compare import removed

    return removed(before.removed, before.document, document) if before is not None else []


def open_proposal(operator: Context, applied: AppliedPlatform | None) -> Proposal | None:
    """Return the proposal that waits to replace the stored document, if there is one."""
    if applied is None or applied.proposal is None:
        return None
    found = operator.store.proposal(applied.name, applied.proposal)
    return found if found is not None and found.status == "Proposed" else None


def superseded(operator: Context, pending: Proposal, request: Request) -> Write:
    """Return the write that ends a proposal because of a newer apply."""
    return Save(
        pending.but(
            status="Superseded", reason=f"{request.who} applied another document", ended_at=operator.clock()
        )
    )  # fmt: skip


def propose(operator: Context, request: Request, before: AppliedPlatform, new: Proposal) -> Proposal:
    """Store a proposal, in place of one that waits. One for the same document that waits already is returned."""
    pending, now = open_proposal(operator, before), operator.clock()
    if pending is not None and now < pending.expires_at and _same(pending, new):
        return pending
    what = listed(dict.fromkeys(change.text for change in new.weakened[:5]))
    told = f"proposed document {new.short} in place of generation {new.generation}; it waits for approval: {what}"
    event = timeline.environment_event(
        new.platform,
        None,
        EventType.APPROVAL_REQUESTED,
        told,
        at=now,
        new_id=operator.new_id,
        who=request.who,
        detail={**how(request), "proposal": new.id, "hash": new.hash},
    )
    writes: list[Write] = [Save(new), Save(before.but(proposal=new.id)), event]
    if pending is not None:
        writes.append(superseded(operator, pending, request))
    try:
        operator.store.write(*writes)
    except Conflict:
        raise Refused(
            f"somebody else applied platform {new.platform} at the same time; check the result, then apply again"
        ) from None
    return new


def _same(pending: Proposal, new: Proposal) -> bool:
    return (pending.hash, pending.generation, pending.changes) == (new.hash, new.generation, new.changes)


def proposal_of(
    operator: Context, request: Request, document: Platform, before: AppliedPlatform, judged: Judged
) -> Proposal:
    """Make the proposal of a document that weakens a gate.

    Raise Refused when that is more than people can review, or when a policy does not admit the caller as a requester.
    """
    from ferryman.decisions.document_changes import references

    assert judged.stored is not None
    for name in judged.weakened:
        requesters.admit_proposer(operator, request, judged.stored, name)
    at = operator.clock()
    return Proposal(
        platform=document.name,
        id=operator.new_id(),
        generation=before.generation,
        document=document.dump(),
        hash=references.fingerprint(document.dump()),
        changes=_kept(judged.changes),
        approvals={name: operator.new_id() for name in judged.weakened},
        proposed_by=request.who,
        proposed_at=at,
        expires_at=at + _open_for(judged.stored, judged.weakened),
    )


def _open_for(stored: Platform, names: list[str]) -> timedelta:
    """Return how long the proposal stays open: as long as the most impatient of the environments allows."""
    policies = (stored.spec.environments[name].approval for name in names)
    return min(policy.expires for policy in policies if policy is not None)


def _kept(changes: "list[Change]") -> list[ProposedChange]:
    """Return the changes to store; raise Refused when a person could not read what waits for approval."""
    gates = [change for change in changes if change.effect != "neutral"]
    neutral = [change for change in changes if change.effect == "neutral"]
    if sum(byte_length(change.text) + 100 for change in gates) > limits.CHANGES // 2:
        raise Refused(
            f"the document changes {len(gates)} gates at once, more than a person can review; apply it in smaller steps"
        )
    return [
        ProposedChange(
            environment=change.environment, path=change.path[:300], effect=change.effect, text=change.text
        )
        for change in [*gates, *neutral[:_KEPT]]
    ]  # fmt: skip


def _asks(document: dict[str, Any]) -> bool:
    """Whether a document that can't be read asks for approval anywhere."""
    spec = document.get("spec")
    environments = spec.get("environments") if isinstance(spec, dict) else None
    if not isinstance(environments, dict):
        return True
    return any(not isinstance(item, dict) or item.get("approval") is not None for item in environments.values())


def waits_for(proposal: Proposal, stored: Platform) -> list[dict[str, Any]]:
    """Return who has to agree: each environment with its approvers and how many of them are needed."""
    found = []
    for name in proposal.approvals:
        policy = stored.spec.environments[name].approval
        if policy is not None:
            found.append(
                {
                    "environment": name,
                    "approvers": [person.name for person in policy.approvers],
                    "required": policy.required,
                }
            )
    return found
