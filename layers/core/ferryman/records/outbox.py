"""A message that has to reach a channel. Pure."""

from typing import Any

from pydantic import AwareDatetime

from ferryman.records.base import Record


class OutboxMessage(Record):
    """A message that has to reach a channel; keyed by deployment (or subject), event and channel, so sent once."""

    owner: str
    """Deployment id, or `<platform>#<subject>` for messages that belong to no deployment."""
    event: str
    channel: str
    platform: str
    environment: str | None
    subject: str
    text: str
    detail: dict[str, Any] = {}
    created_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    tried_at: AwareDatetime | None = None
    """When the last attempt began; the next one waits (`notify.pacing.due_at`)."""
    attempts: int = 0
    postponed: int = 0
    """How many of the attempts were answered with a request to slow down. They don't count as failures."""
    digested: bool = False
    """It was named in a digest, instead of being sent by itself."""
    last_error: str | None = None
    gave_up: bool = False
