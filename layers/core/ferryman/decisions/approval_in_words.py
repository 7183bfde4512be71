"""Who may still decide about an approval, how, and until when. Pure. For display only; it permits nothing."""

import re
from datetime import datetime

from ferryman.decisions import voters
from ferryman.durations import age
from ferryman.records import Approval, How, Record
from ferryman.suggestions import suggest
from ferryman.text import sentence

_SHA = re.compile(r"[0-9a-f]{7,40}")
_CONFIRMED = {
    None: "GitHub has not confirmed it",
    True: "GitHub confirms that this commit exists",
    False: "GitHub has no such commit in this repository",
}


class Decider(Record):
    """A person who may decide, and the ways in which they can."""

    name: str
    ways: list[How]


def deciders(approval: Approval) -> list[Decider]:
    """Return the approvers who may still approve."""
    found = []
    for approver in approval.approvers:
        known: list[tuple[str | None, How]] = [
            (approver.email, "mail"), (approver.slack, "slack"), (approver.arn, "cli"),
        ]  # fmt: skip
        if not voters.has_decided(approval, approver.name) and not voters.is_barred(approval, approver.name):
            found.append(Decider(name=approver.name, ways=[way for identity, way in known if identity]))
    return found


def stranger(approval: Approval) -> str | None:
    """Say that nobody knows who the requester is: perhaps an approver under another identity; None when it is known.

    See `decisions.requester`.
    """
    if (
        approval.requested_by.automated
        or approval.requester_known
        or (approval.requester_known is None and approval.requester)
    ):
        return None
    if approval.requester is not None:
        return f"nothing proves that the requester is {approval.requester}, so they can be another approver"
    return "the requester is not an approver, as far as IAM can tell"


def in_words(approval: Approval, now: datetime) -> list[str]:
    """Return sentences about a pending approval: its count, when it expires, and who may decide and how."""
    given, people = approval.approved_by, deciders(approval)
    count = f"{len(given)} of {approval.required} approvals received"
    by = f" ({', '.join(given)})" if given else ""
    left = f"expires in {age(now, approval.expires_at)}" if not approval.expired_at(now) else "has expired"
    sentences = [f"{count}{by}; the request {left} ({approval.expires_at:%Y-%m-%d %H:%M} UTC)."]
    if people:
        ways = {way for person in people for way in person.ways}
        means = [
            *(["the link in their mail"] if "mail" in ways else []),
            *(["the buttons in Slack"] if "slack" in ways else []),
            *(
                [suggest("approve", approval.environment, p=approval.platform, release=approval.short)]
                if "cli" in ways
                else []
            ),
        ]
        sentences.append(f"Can approve: {', '.join(person.name for person in people)}, with {' or '.join(means)}.")
    elif not approval.allow_unverified:
        sentences.append(
            "No listed approver can still approve it. It will expire, or you can end it with "
            f"{suggest('reject', approval.environment, p=approval.platform, reason='REASON')}."
        )
    if approval.allow_unverified:
        sentences.append("Unverified approvals are allowed: anyone who has the shared link can decide.")
    asked = approval.barred
    if asked is not None:
        sentences.append(f"{asked} requested it and cannot approve it.")
    unknown = stranger(approval)
    if unknown is not None:
        sentences.append(sentence(unknown, capital=True))
    return sentences


def names_commit(version: str) -> bool:
    """Tell whether a version can be the name of a commit: then the page links to it."""
    return _SHA.fullmatch(version) is not None


def claimed_commit(approval: Approval) -> str:
    """Say which commit the version claims to be, and what GitHub says of it; as `says commit 1a2b3c4; …`.

    A version is the tag that somebody pushed. GitHub confirms that there is such a commit, not that the images are made
    of it.
    """
    return f"says commit {approval.short}; {_CONFIRMED[approval.commit_confirmed]}"


def claim(approval: Approval) -> str:
    """Say the same for the page, which must not contain what people type."""
    return f"Which commit this is, is what the images' tag says: {_CONFIRMED[approval.commit_confirmed]}."
