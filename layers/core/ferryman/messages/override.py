"""Messages about an admin who applied a document without the approval that it needed. Pure.

They go to all approvers and channels of the document that was replaced, which nobody can look up any more: each
message carries its destination (`notify.destinations`). This version may be unable to parse that document, so it is
read loosely.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ferryman.messages import outbox
from ferryman.messages.approval import PERSONAL
from ferryman.records import AppliedPlatform
from ferryman.records.writes import Add
from ferryman.text import one_line

EVENT = "unapproved-"
"""Begins the event of each of these messages. To an approver they are mails without a link."""


def for_override(before: dict[str, Any], applied: AppliedPlatform, at: datetime) -> list[Add]:
    """Make a message to each approver with a mail address, and to each channel. `before`: the document replaced."""
    override = applied.override
    assert override is not None
    name, who = applied.name, one_line(override.who)
    weaker = "\n".join(["What it weakens:", *(f"- {one_line(text)}" for text in override.changes)])
    what = f"applied generation {applied.generation} of the platform document without the approval that it needed"
    stays = f"`ferryman status {name}` shows this while the generation stands"
    blocks = [
        f"{name}: {who}, an admin of Ferryman, {what}.",
        f"Why without approval: {one_line(override.reason, limit=1_000)}",
        weaker,
        f"You don't have to do anything. {stays}; to see who did what, run `ferryman audit {name}`.",
    ]
    found = []
    for channel, destination in _audience(before):
        [row] = outbox.rows(
            [channel],
            owner=f"{name}#generation-{applied.generation}",
            event=f"{EVENT}{applied.generation}",
            platform=name,
            environment=None,
            subject=f"[Overridden] {name}: generation {applied.generation} was applied without approval",
            blocks=blocks,
            detail={"phase": "Overridden", "who": who, "override": one_line(override.reason)},
            at=at,
        )
        # Added here, because these names look like secrets, and are only the ARNs of some.
        detail = {**row.record.detail, "destination": destination}  # type: ignore[union-attr]
        found.append(Add(row.record.but(detail=detail), expires_at=row.expires_at))
    return found


def _audience(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each approver's mailbox and each channel once, as the document has them."""
    seen: set[str] = set()
    channels = _map(_map(document.get("spec")).get("channels"))
    for environment in _map(_map(document.get("spec")).get("environments")).values():
        policy = _map(_map(environment).get("approval"))
        for person in _list(policy.get("approvers")):
            name, email, sender = (_map(person).get("name"), _map(person).get("email"), policy.get("from"))
            if name and email and sender and str(name) not in seen:
                seen.add(str(name))
                yield f"{PERSONAL}{name}", {"mailbox": {"sender": sender, "address": email}}
        for channel in _list(_map(environment).get("notify")):
            if isinstance(channels.get(channel), dict) and f"#{channel}" not in seen:
                seen.add(f"#{channel}")
                yield str(channel), {"channel": channels[channel]}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
