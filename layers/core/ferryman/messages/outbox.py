"""Making outbox rows: one message for each of some channels. Pure.

Called by the other modules of this package, one for each subject of messages.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ferryman.records import OutboxMessage, Release
from ferryman.records.writes import Add
from ferryman.text import bounded, byte_length, one_line, redacted, redacted_data

SUBJECT_LIMIT = 100
"""ASCII characters: the longest subject that SNS accepts."""
TEXT_LIMIT = 30_000
"""Bytes. SNS accepts 256 KB; people read less."""
LOG = "  | "
"""The prefix of each log line in a text. Channels format these lines differently."""

_LOGS_CUT = "[earlier lines left out: the command `events` shows them]"
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
    """Make one row per channel; empty blocks are left out, the rest are paragraphs of the text.

    A text that is too long loses log lines first. Its end, which says what to do next, always stays.
    """
    # What is quoted was cleaned before it was cut; this is for what nobody thought of.
    text = redacted(_fitted("\n\n".join(block for block in blocks if block)))
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
                detail=redacted_data(detail),
                created_at=at,
            ),
            expires_at=expires_at,
        )
        for channel in dict.fromkeys(channels)
    ]


def environment_rows(
    platform: str,
    environment: str,
    channels: Iterable[str],
    at: datetime,
    *,
    event: str,
    subject: str,
    blocks: list[str],
    detail: dict[str, Any],
) -> list[Add]:
    """Make the rows of a message about an environment, and no deployment in it; `subject` follows its name."""
    return rows(
        channels,
        owner=f"{platform}#{environment}",
        event=event,
        platform=platform,
        environment=environment,
        subject=f"[{detail['phase']}] {platform}/{environment}: {subject}",
        blocks=blocks,
        detail=detail,
        at=at,
    )


def release_rows(
    release: Release,
    channels: Iterable[str],
    at: datetime,
    *,
    event: str,
    subject: str,
    blocks: list[str],
    detail: dict[str, Any],
) -> list[Add]:
    """Make the rows of a message about a release, wherever it goes; `subject` follows the platform's name."""
    return rows(
        channels,
        owner=f"{release.platform}#{release.version}",
        event=event,
        platform=release.platform,
        environment=None,
        subject=f"[{detail['phase']}] {release.platform}: {subject}",
        blocks=blocks,
        detail={"version": release.version, **detail},
        at=at,
    )


def subject_line(text: str) -> str:
    """Return text as a subject: one line of ASCII, bounded."""
    plain = one_line(text, limit=SUBJECT_LIMIT * 2).encode("ascii", "replace").decode("ascii")
    return plain if len(plain) <= SUBJECT_LIMIT else plain[: SUBJECT_LIMIT - 3] + "..."


def _fitted(text: str) -> str:
    """Return text within TEXT_LIMIT: without as many of its log lines, the earliest first, as it takes."""
    excess = byte_length(text) - TEXT_LIMIT
    if excess <= 0:
        return text
    excess += byte_length(_LOGS_CUT) + 1
    kept: list[str] = []
    cut = False
    for line in text.split("\n"):
        if excess > 0 and line.startswith(LOG):
            excess -= byte_length(line) + 1
            if not cut:
                kept.append(_LOGS_CUT)
            cut = True
        else:
            kept.append(line)
    return bounded("\n".join(kept), TEXT_LIMIT)
