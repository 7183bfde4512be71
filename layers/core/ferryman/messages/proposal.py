"""Messages about a proposed document: asked, reminded, ended. Pure.

Called by reconcile (`controller.proposals`). Personal mails and links work as in `messages.approval`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ferryman.decisions import approval_in_words, proposal_state
from ferryman.messages import outbox
from ferryman.messages.approval import (
    APPROVAL,
    ENDED,
    PERSONAL,
    REMINDER,
    decide_by_link,
    decision_lines,
    how_to_decide,
    undecided,
)
from ferryman.platform import ChatChannel, Platform
from ferryman.records import Approval, Proposal, ProposedChange
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line, sentence

_MOST = 40
"""Changes that a message lists; the page has all of them."""


def for_request(approval: Approval, proposal: Proposal, document: Platform, at: datetime) -> list[Add]:
    """Make the messages that ask: a mail to each approver who may agree, and one message to each channel."""
    return _asking(approval, proposal, document, APPROVAL, "[Approval]", "needs your decision", at)


def for_reminder(approval: Approval, proposal: Proposal, document: Platform, at: datetime) -> list[Add]:
    """Make the reminders to those who have not decided, and to the channels."""
    return _asking(approval, proposal, document, REMINDER, "[Reminder]", f"needs approval by {_until(approval)}", at)


def for_ended(approval: Approval, document: Platform, at: datetime) -> list[Add]:
    """Make the rows that update what a Slack bot posted."""
    where, channels = f"{approval.platform}/{approval.environment}", document.spec.channels
    bots = [
        name
        for name in _channels(approval, document)
        if isinstance(channel := channels.get(name), ChatChannel) and channel.bot_token_secret_arn
    ]
    return _rows(
        bots, approval, ENDED, f"[{approval.status}] {where}: {approval.about}",
        [f"{where}: {approval.about} ({approval.status}).", decision_lines(approval)], {}, at,
    )  # fmt: skip


def for_outcome(proposal: Proposal, document: Platform, generation: int, at: datetime) -> list[Add]:
    """Tell the channels of all environments that were asked how a proposal ended. `document`: the one before."""
    names = dict.fromkeys(
        channel
        for name in proposal.approvals
        if (environment := document.spec.environments.get(name)) is not None
        for channel in environment.notify
    )
    said = f"It is generation {generation} now." if proposal.status == "Approved" else "Nothing was changed."
    blocks = [
        f"{proposal.platform}: {proposal_state.in_words(proposal)} {said}",
        f"Proposed by {one_line(proposal.proposed_by)}.",
        _listed("It weakens:" if proposal.status == "Approved" else "It would weaken:", proposal.weakened),
        f"To see it, run {suggest('proposal', p=proposal.platform)}.",
    ]
    return outbox.rows(
        names,
        owner=f"{proposal.platform}#proposal-{proposal.id}",
        event="proposal-ended",
        platform=proposal.platform,
        environment=None,
        subject=f"[{proposal.status}] {proposal.platform}: document {proposal.short}",
        blocks=blocks,
        detail={"phase": proposal.status, "proposal": proposal.id},
        at=at,
    )


def facts(approval: Approval, proposal: Proposal) -> list[tuple[str, str]]:
    """Return labels and values about a proposal, for the fields of a Slack message."""
    unknown = approval_in_words.stranger(approval)
    mine = [change.text for change in proposal.weakened if change.environment == approval.environment]
    found = [
        ("Proposed by", f"{one_line(proposal.proposed_by)}{f'; {unknown}' if unknown else ''}"),
        ("Document", f"{proposal.short}, in place of generation {proposal.generation}"),
        (f"Weakens in {approval.environment}", one_line("; ".join(mine), limit=1_000)),
        ("Expires", _until(approval)),
    ]
    if approval.required > 1:
        found.append(("Approvals needed", f"{approval.required} (so far: {', '.join(approval.approved_by) or 'none'})"))
    return found


def _asking(
    approval: Approval, proposal: Proposal, document: Platform, event: str, kind: str, what: str, at: datetime
) -> list[Add]:
    where = f"{approval.platform}/{approval.environment}"
    opening = (
        f"{where}: {one_line(proposal.proposed_by)} wants to apply a document that weakens gates of "
        f"{approval.environment}. The document that is applied now stays until its approvers have agreed."
    )
    unknown = approval_in_words.stranger(approval)
    doubt = sentence(unknown, capital=True) if unknown else ""
    blocks = [opening, doubt, *_lists(approval, proposal), f"The request expires at {_until(approval)}."]
    people = [f"{PERSONAL}{name}" for name in undecided(approval)]
    detail = {"facts": [list(fact) for fact in facts(approval, proposal)]}
    subject = f"{kind} {where}: a change of its gates {what}"
    shared = f"{kind} {where}: a change of its gates waits for approval"
    return [
        *_rows(people, approval, event, subject, [*blocks, decide_by_link(approval)], {}, at),
        *_rows(
            _channels(approval, document),
            approval,
            event,
            shared,
            [*blocks, how_to_decide(approval)],
            detail,
            at,
        ),
    ]


def _lists(approval: Approval, proposal: Proposal) -> list[str]:
    """Return what changes: first what this environment's approvers are asked about."""
    name = approval.environment
    gates = [change for change in proposal.changes if change.effect != "neutral"]
    neutral = [change for change in proposal.changes if change.effect == "neutral"]
    return [
        _listed(f"Weaker in {name}:", [c for c in gates if c.effect == "looser" and c.environment == name]),
        _listed("Weaker elsewhere, where others decide:", [
            c for c in gates if c.effect == "looser" and c.environment != name
        ]),
        _listed("Stricter:", [c for c in gates if c.effect == "tighter"]),
        _listed("What else changes:", neutral),
    ]  # fmt: skip


def _listed(title: str, changes: Iterable[ProposedChange]) -> str:
    lines = list(dict.fromkeys(f"- {one_line(change.text, limit=500)}" for change in changes))
    more = [f"- and {len(lines) - _MOST} more, which the page shows"] if len(lines) > _MOST else []
    return "\n".join([title, *lines[:_MOST], *more]) if lines else ""


def _rows(
    channels: Iterable[str],
    approval: Approval,
    event: str,
    subject: str,
    blocks: list[str],
    detail: dict[str, Any],
    at: datetime,
) -> list[Add]:
    return outbox.rows(
        channels,
        owner=approval.deployment,
        event=event,
        platform=approval.platform,
        environment=approval.environment,
        subject=subject,
        blocks=blocks,
        detail={"phase": approval.status, "proposal": approval.proposal or "", **detail},
        at=at,
    )


def _channels(approval: Approval, document: Platform) -> list[str]:
    environment = document.spec.environments.get(approval.environment)
    return environment.notify if environment else []


def _until(approval: Approval) -> str:
    return f"{approval.expires_at:%Y-%m-%d %H:%M} UTC"
