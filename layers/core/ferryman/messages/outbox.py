"""Making outbox rows: one message for each of some channels. Pure.

Called by the other modules of this package, one of which there is for each subject of a message.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ferryman.records import OutboxMessage
from ferryman.records.writes import Add
from ferryman.text import bounded, one_line

SUBJECT_LIMIT = 100
"""Characters, ASCII: what SNS takes as a subject."""
TEXT_LIMIT = 30_000
"""Bytes. SNS takes 256 KB, people less."""
LOG = "  | "
"""How each line of a log begins in a text: channels set these lines apart."""

_RETENTION = timedelta(days=400)


def rows(
    channels: Iterable[str],
    *,
    owner: str,
    event: str,
    platform: str,
    environment: str | None,
    subject: str,
    blocks: list[str],
    detail: dict[str, Any],
    at: datetime,
) -> list[Add]:
    """Make one row per channel; empty blocks are left out, the rest are paragraphs of the text."""
    text = bounded("\n\n".join(block for block in blocks if block), TEXT_LIMIT)
    expires_at = int((at + _RETENTION).timestamp())
    return [
        Add(
            OutboxMessage(
                owner=owner,
                event=event,
                channel=channel,
                platform=platform,
                environment=environment,
                subject=subject_line(subject),
                text=text,
                detail=detail,
                created_at=at,
            ),
            expires_at=expires_at,
        )
        for channel in dict.fromkeys(channels)
    ]


def subject_line(text: str) -> str:
    """Return text as a subject: one line of ASCII, bounded."""
    plain = one_line(text, limit=SUBJECT_LIMIT * 2).encode("ascii", "replace").decode("ascii")
    return plain if len(plain) <= SUBJECT_LIMIT else plain[: SUBJECT_LIMIT - 3] + "..."
