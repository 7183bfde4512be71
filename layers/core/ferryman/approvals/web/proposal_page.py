"""The page of a link about a proposed document: what it weakens, and the form; no state changes by opening it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ferryman.approvals import wrong_words
from ferryman.approvals.web import render
from ferryman.approvals.web.page_model import Moment, Voice, moment, requested_by, voices
from ferryman.approvals.web.render import Form, Question, SharedView
from ferryman.decisions import proposal_state, voters
from ferryman.decisions.approval_rules import closed, more_needed
from ferryman.records import Approval, Proposal
from ferryman.store.table import Store
from ferryman.suggestions import suggest

if TYPE_CHECKING:
    from ferryman.approvals.web.decision_page import Visitor


@dataclass(frozen=True)
class ProposalFacts:
    """Everything that the page shows, except the form."""

    platform: str
    environment: str
    short: str
    generation: int
    headline: str
    """How it ended, or what is asked."""
    open: bool
    weaker: list[str]
    """What the visitor's environment loses: the reason why its approvers are asked."""
    elsewhere: list[str]
    stricter: list[str]
    neutral: list[str]
    asked_by: str
    asked_at: Moment
    expires: Moment
    required: int
    given: int
    voices: list[Voice]


def show(
    approval: Approval, visitor: "Visitor", store: Store, now: datetime, *, form: Form | None, status: int, said: str
) -> dict[str, Any]:
    """Return the page: the form while a decision is open; afterwards, how it ended."""
    proposal = store.proposal(approval.platform, approval.proposal or "")
    seen = proposal_state.as_it_stands(approval, proposal)
    over = closed(seen, None, now)
    if proposal is None or (over is not None and over.kind != "AlreadyDecided" and visitor.name is None):
        return gone(seen, "")
    facts = _facts(seen, proposal, "" if over is None else over.message, now)
    pause = wrong_words.paused_until(store, approval.deployment, visitor.link, now) if over is None else None
    question = _question(seen, visitor, pause) if over is None else None
    ask = over is None and visitor.name is None
    return render.proposal(facts, question, form=form, status=status if over is None else 200, said=said, ask=ask)


def shared(approval: Approval, store: Store, now: datetime) -> SharedView | None:
    """Return what anyone with the shared link may see; None when the request ended without a decision."""
    seen = proposal_state.as_it_stands(approval, store.proposal(approval.platform, approval.proposal or ""))
    over = closed(seen, None, now)
    if over is not None and over.kind != "AlreadyDecided":
        return None
    status = "Waiting for approval" if over is None else seen.status
    have = f"{len(seen.approved_by)} of {seen.required}"
    told = f"A change of the gates of {seen.environment} is waiting for approval ({have})."
    ended = f"A change of the gates of {seen.environment} was {seen.status.lower()}."
    return SharedView(seen.platform, seen.environment, status, told if over is None else ended, over is None)


def gone(approval: Approval, why: str) -> dict[str, Any]:
    """Return the page of a request that ended without a decision."""
    text = [
        why or f"To see what happened, run {suggest('proposal', p=approval.platform)}.",
        "It is too late to decide.",
    ]
    place = f"{approval.platform} / {approval.environment}"
    return render.notice(410, "This request has ended", text, place=place)


def _facts(approval: Approval, proposal: Proposal, ended: str, now: datetime) -> ProposalFacts:
    name = approval.environment
    mine = [change for change in proposal.weakened if change.environment == name]
    return ProposalFacts(
        platform=approval.platform,
        environment=name,
        short=proposal.short,
        generation=proposal.generation,
        headline=ended or f"Change the gates of {name}?",
        open=not ended,
        weaker=_texts(mine),
        elsewhere=_texts([change for change in proposal.weakened if change.environment != name]),
        stricter=_texts([change for change in proposal.changes if change.effect == "tighter"]),
        neutral=_texts([change for change in proposal.changes if change.effect == "neutral"]),
        asked_by=requested_by(approval),
        asked_at=moment(proposal.proposed_at, now),
        expires=moment(approval.expires_at, now),
        required=approval.required,
        given=len(approval.approved_by),
        voices=voices(approval, now),
    )


def _texts(changes: list[Any]) -> list[str]:
    return list(dict.fromkeys(change.text for change in changes))


def _question(approval: Approval, visitor: "Visitor", pause: datetime | None) -> Question:
    name, why_not = visitor.name, ""
    if name is not None and voters.has_decided(approval, name):
        missing = more_needed(approval.required - len(approval.approved_by))
        why_not = f"You have approved this. {missing} You can still reject it."
    elif name is not None and voters.is_barred(approval, name):
        why_not = "You proposed this, so somebody else must approve it. You can reject it."
    paused = f"{pause:%H:%M} UTC" if pause is not None else ""
    return Question(approval.short, name, not why_not, why_not, paused, f"../{approval.deployment}" if name else "")
