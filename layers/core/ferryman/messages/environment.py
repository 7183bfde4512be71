"""What people are told when somebody freezes an environment. Pure; called by serve_api."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ferryman.messages import outbox
from ferryman.records import Freeze
from ferryman.records.writes import Add
from ferryman.text import one_line


def for_freeze(platform: str, environment: str, freeze: Freeze, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the messages about an environment in which nothing starts for a while."""
    until = f"{freeze.until.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC" if freeze.until else None
    how_long = f"until {until}" if until else "until it is thawed"
    ends = f"It ends by itself at {until}; " if until else "It has no end; "
    return outbox.rows(
        channels,
        owner=f"{platform}#{environment}",
        event=f"freeze-{freeze.at:%Y%m%dT%H%M%S%f}",
        platform=platform,
        environment=environment,
        subject=f"[Frozen] {platform}/{environment}: nothing starts {how_long}",
        blocks=[
            f"{platform}/{environment} is frozen: nothing starts here, and nothing can be approved.",
            f"Why: {one_line(freeze.reason, limit=1_000)} (set by {one_line(freeze.who)})",
            "What runs stays as it is. Pushes are still recorded and wait. A rollback may pass, with a reason.",
            f"{ends}`ferryman thaw {environment}` ends it now.",
        ],
        detail={"phase": "Frozen", "reason": one_line(freeze.reason), "who": one_line(freeze.who)},
        at=at,
    )
