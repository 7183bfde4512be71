"""How a proposed document ends."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions import proposal_state
from ferryman.records import AppliedPlatform, Approval, Proposal
from unit import asked
from unit import builders as make

HASH = "3f9c2ab" + "0" * 57
PROPOSAL = Proposal(
    platform="scr",
    id="01K00000000000000000000PRO",
    generation=1,
    hash=HASH,
    approvals={"production": "01K00000000000000000000APP"},
    proposed_by="arn:aws:iam::123456789012:user/jo",
    proposed_at=make.AT,
    expires_at=make.AT + timedelta(hours=24),
)
APPLIED = AppliedPlatform(
    name="scr", generation=1, document={}, applied_by="jo", applied_at=make.AT, proposal=PROPOSAL.id
)


def approval(**changes: Any) -> Approval:
    return asked.approval(**{"proposal": PROPOSAL.id, "version": HASH, **changes})


APPROVED = approval(status="Approved", decisions=[asked.decision()])
REJECTED = approval(status="Rejected", reason="not today", decisions=[asked.decision("reject")])


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        (APPROVED, "Approved"),
        (REJECTED, "Rejected"),
        (approval(), None),
        (None, None),
        (APPROVED.but(version="b" * 64), None),
        (APPROVED.but(proposal="01K00000000000000000000OLD"), None),
    ],
    ids=["approved", "rejected", "waits", "not-asked-yet", "of-another-document", "of-another-proposal"],
)
def test_only_what_its_own_approvers_say_ends_it(found: Approval | None, ends: str | None) -> None:
    due = proposal_state.due(PROPOSAL, APPLIED, {"production": found}, make.AT)
    assert (due[0] if due else None) == ends


@pytest.mark.parametrize("changes", [{"generation": 2}, {"proposal": "01K00000000000000000000NEW"}])
def test_approved_too_late_for_the_document_that_it_replaces(changes: dict[str, Any]) -> None:
    due = proposal_state.due(PROPOSAL, APPLIED.but(**changes), {"production": APPROVED}, make.AT)
    assert due == ("Superseded", "the platform document changed meanwhile")


def test_nobody_decides_in_time() -> None:
    at = PROPOSAL.expires_at
    assert proposal_state.due(PROPOSAL, APPLIED, {"production": approval()}, at - timedelta(seconds=1)) is None
    assert proposal_state.due(PROPOSAL, APPLIED, {"production": approval()}, at) == ("Expired", "not approved in time")


@pytest.mark.parametrize(
    ("ended", "status"),
    [("Expired", "Expired"), ("Superseded", "Superseded"), ("Rejected", "Aborted"), (None, "Aborted")],
)
def test_an_approval_ends_with_its_proposal(ended: Any, status: str) -> None:
    proposal = PROPOSAL.but(status=ended, reason="why") if ended else None
    assert proposal_state.as_it_stands(approval(), proposal).status == status
    assert proposal_state.as_it_stands(APPROVED, proposal).status == "Approved"
    assert proposal_state.as_it_stands(approval(), PROPOSAL).status == "Pending"
