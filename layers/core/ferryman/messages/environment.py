"""Messages about an environment: frozen, on hold, or with a release that waits for a person. Pure.

Called by serve_api and reconcile.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from ferryman.decisions import same_images
from ferryman.messages import outbox
from ferryman.records import Freeze, Hold
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line


def for_freeze(platform: str, environment: str, freeze: Freeze, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the messages about an environment in which nothing starts for a while."""
    until = f"{freeze.until.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC" if freeze.until else None
    how_long = f"until {until}" if until else "until a person thaws it"
    ends = f"The freeze ends automatically at {until}. " if until else "The freeze has no end time. "
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"freeze-{freeze.at:%Y%m%dT%H%M%S%f}",
        subject=f"no deployments {how_long}",
        blocks=[
            f"{platform}/{environment} is frozen: no deployment starts, and nothing can be approved.",
            f"Why: {one_line(freeze.reason, limit=1_000)} (set by {one_line(freeze.who)})",
            "Running services are not affected. Pushes are recorded and wait. Rollbacks are allowed, with a reason.",
            f"{ends}To end it now, run {suggest('thaw', environment, p=platform)}.",
        ],
        detail={"phase": "Frozen", "reason": one_line(freeze.reason), "who": one_line(freeze.who)},
    )


def for_hold(platform: str, environment: str, hold: Hold, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the messages about an environment whose automation stays off until a person lifts the hold."""
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"hold-{hold.at:%Y%m%dT%H%M%S%f}",
        subject="automation is on hold until a person resumes it",
        blocks=[
            f"{platform}/{environment} is on hold: nothing is deployed automatically until a person lifts the hold.",
            f"Why: {one_line(hold.reason, limit=1_000)} (set by {one_line(hold.who)})",
            "Running services are not affected. Pushes are still recorded and wait.",
            (
                f"What to do next: see {suggest('explain', environment, p=platform)}; once fixed, run "
                f"{suggest('resume', environment, p=platform)}."
            ),
        ],
        detail={"phase": "Held", "reason": one_line(hold.reason), "who": one_line(hold.who)},
    )


def for_waiting(
    platform: str, environment: str, version: str, reason: str, message: str, channels: Iterable[str], at: datetime
) -> list[Add]:
    """Make the messages about a release that waits for a person to do something, or that only a person starts."""
    ends = reason != same_images.REASON
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"waiting-{version}-{reason}",
        subject=f"{version} {'is waiting' if ends else 'does not start'}",
        blocks=[
            f"{platform}/{environment}: {version} {'cannot start yet' if ends else 'is not deployed automatically'}.",
            f"Why: {message}.",
            "Running services are not affected.",
        ],
        detail={"phase": reason, "version": version},
    )
