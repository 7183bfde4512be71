"""Who may still decide about an approval, by which ways, and until when. Pure; for people, no gate."""

from datetime import datetime

from ferryman.durations import age
from ferryman.records import Approval, How, Record
from ferryman.text import sentence


class Decider(Record):
    """A person who may decide, and what proves who they are."""

    name: str
    ways: list[How]


def deciders(approval: Approval) -> list[Decider]:
    """Return those who may still say yes."""
    decided = {decision.name for decision in approval.decisions} | {approval.barred}
    found = []
    for approver in approval.approvers:
        known: list[tuple[str | None, How]] = [
            (approver.email, "mail"), (approver.slack, "slack"), (approver.arn, "cli"),
        ]  # fmt: skip
        if approver.name not in decided:
            found.append(Decider(name=approver.name, ways=[way for identity, way in known if identity]))
    return found


def stranger(approval: Approval) -> str | None:
    """Say that the person who asked is none of the approvers, as far as anybody can tell; None when they are one.

    An approver without the `arn` that they asked with can't be told from a stranger.
    """
    if approval.requested_by.automated or approval.requester is not None:
        return None
    return "the requester is not an approver, as far as IAM can tell"


def in_words(approval: Approval, now: datetime) -> list[str]:
    """Tell in sentences how a pending approval stands, who may decide and how, and when it expires."""
    given, people = approval.approved_by, deciders(approval)
    count = f"{len(given)} of {approval.required} approvals are there"
    by = f" ({', '.join(given)})" if given else ""
    left = f"it expires in {age(now, approval.expires_at)}" if not approval.expired_at(now) else "its time is over"
    sentences = [f"{count}{by}; {left} ({approval.expires_at:%Y-%m-%d %H:%M} UTC)."]
    if people:
        ways = {way for person in people for way in person.ways}
        means = [
            *(["the link in their mail"] if "mail" in ways else []),
            *(["the buttons in Slack"] if "slack" in ways else []),
            *([f"`ferryman approve {approval.environment} --release {approval.short}`"] if "cli" in ways else []),
        ]
        sentences.append(f"May approve: {', '.join(person.name for person in people)}, with {' or '.join(means)}.")
    elif not approval.allow_unverified:
        sentences.append(
            f"Nobody who is listed may still approve: it expires, or `ferryman reject {approval.environment}` ends it."
        )
    if approval.allow_unverified:
        sentences.append("Unverified approvals are allowed: whoever has the shared link may decide.")
    asked = approval.barred
    if asked is not None:
        sentences.append(f"{asked} asked for it and may not approve.")
    unknown = stranger(approval)
    if unknown is not None:
        sentences.append(sentence(unknown, capital=True))
    return sentences
