"""A document that waits for approval, because it weakens a gate of the document that is applied. Pure."""

from typing import Any, Literal

from pydantic import AwareDatetime

from ferryman.records.base import Record

ProposalStatus = Literal["Proposed", "Approved", "Rejected", "Superseded", "Expired"]


class ProposedChange(Record):
    """One change of a gate, in words."""

    environment: str
    """Whose gate it is."""
    path: str
    effect: Literal["looser", "tighter", "neutral"]
    text: str


class Proposal(Record):
    """A document that somebody wants to apply, and what the approvers of the applied one say about it.

    Each environment whose gates it weakens decides by itself, with an `Approval` of its own. It is applied when all of
    them have approved it. Nothing changes before that.
    """

    platform: str
    id: str
    generation: int
    """The generation of the applied document that it replaces; it never replaces another one."""
    document: dict[str, Any] = {}
    hash: str
    """SHA-256 (hex) of the document with its defaults written out: what people approve."""
    status: ProposalStatus = "Proposed"
    changes: list[ProposedChange] = []
    approvals: dict[str, str]
    """Environment whose approvers decide → id of its approval."""
    proposed_by: str
    proposed_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    reason: str = ""
    """Why it ended as it did, for people."""
    problem: str = ""
    """Why its approvers could not be asked, or the approved document not be applied, at the last attempt."""
    closed: bool = False
    """Whether its approvals have ended, too, and everybody was told."""
    rev: int = 0

    @property
    def short(self) -> str:
        """What a person types to decide."""
        return self.hash[:7]

    @property
    def weakened(self) -> list[ProposedChange]:
        """The changes for which it waits."""
        return [change for change in self.changes if change.effect == "looser"]
