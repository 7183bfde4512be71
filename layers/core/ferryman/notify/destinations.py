"""The destination of an outbox row: one of the document's channels, an approver's mailbox, or GitHub. Pure.

Only the part of the document that is needed is read. So messages go out even if a later version of Ferryman is stricter
about the rest of it.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ferryman.errors import InvalidDocument
from ferryman.messages.approval import PERSONAL
from ferryman.messages.github import CHANNEL, EVENTS
from ferryman.platform import GitHub, channel_of
from ferryman.platform.document import Channel
from ferryman.records import OutboxMessage


@dataclass(frozen=True)
class Mailbox:
    """The mailbox of one approver."""

    approver: str
    sender: str
    """As in the document: an address, or a reference to one."""
    address: str | None = None
    """The approver's own, as in the document, for a mail that is about no approval: an approval knows the address that
    it was asked with."""


Destination = Channel | Mailbox | GitHub


def destination_of(document: dict[str, Any], message: OutboxMessage) -> Destination | None:
    """Return a message's destination; None when the document does not (or no longer) have it. Raise InvalidDocument."""
    if (kept := _kept(message)) is not None:
        return kept
    if message.channel.startswith(PERSONAL):
        policy = _mapping_at(document, "spec", "environments", message.environment or "", "approval")
        sender = policy.get("from")
        if not isinstance(sender, str) or not sender:
            return None
        name = message.channel.removeprefix(PERSONAL)
        return Mailbox(name, sender, _address(policy, name))
    if message.channel == CHANNEL and message.event.startswith(EVENTS):
        data = _mapping_at(document, "spec", "github")
        try:
            return GitHub.model_validate(data, by_alias=True, by_name=False) if data else None
        except ValidationError as error:
            # Rare: `ferryman apply` stores only documents that are right.
            from ferryman.platform import error_messages

            found = error_messages.of(error, data, GitHub)
            raise InvalidDocument([(f"spec.github.{path}", text) for path, text in found]) from None
    return channel_of(document, message.channel)


def _address(policy: dict[str, Any], name: str) -> str | None:
    """Return an approver's mail address as the document has it; None when it has none."""
    listed = policy.get("approvers")
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    emails = (item.get("email") for item in found if item.get("name") == name)
    return next((email for email in emails if isinstance(email, str) and email), None)


def _kept(message: OutboxMessage) -> Destination | None:
    """Return the destination that a message carries, because the document that had it was replaced."""
    mailbox = _mapping_at(message.detail, "destination", "mailbox")
    if mailbox:
        return Mailbox(message.channel.removeprefix(PERSONAL), str(mailbox["sender"]), str(mailbox["address"]))
    channel = _mapping_at(message.detail, "destination", "channel")
    return channel_of({"spec": {"channels": {message.channel: channel}}}, message.channel) if channel else None


def _mapping_at(data: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path; an empty one when there is none."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}
