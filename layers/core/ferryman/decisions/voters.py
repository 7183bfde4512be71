"""Which entries of an approval belong to one human, who has one vote and may not approve their own request. Pure.

Documents of earlier versions may list a person twice (`platform.identities.one_human`); the votes count once all the
same.
"""

from ferryman.platform.identities import folded, namesakes
from ferryman.records import Approval


def same_person(approval: Approval, name: str) -> frozenset[str]:
    """Return the names, folded, of all entries of the human who has this one."""
    return namesakes(approval.approvers, name)


def is_barred(approval: Approval, name: str) -> bool:
    """Whether somebody requested this and may therefore not approve it, under whichever of their entries."""
    return approval.barred is not None and folded(name) in same_person(approval, approval.barred)


def has_decided(approval: Approval, name: str) -> bool:
    """Whether somebody's vote is given already, under whichever of their entries."""
    return bool(same_person(approval, name) & {folded(decision.name) for decision in approval.decisions})
