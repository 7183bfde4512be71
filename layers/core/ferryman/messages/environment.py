"""Messages about an environment: frozen, on hold, or with a release that waits for a person. Pure.

Called by serve_api and reconcile.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from ferryman.decisions import same_images
from ferryman.decisions.freeze_windows import Frozen
from ferryman.durations import age
from ferryman.messages import outbox
from ferryman.records import Freeze, Hold
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line, person


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
            f"Why: {one_line(freeze.reason, limit=1_000)} (set by {one_line(person(freeze.who))})",
            "Running services are not affected. Pushes are recorded and wait. Rollbacks are allowed, with a reason.",
            f"{ends}To end it now, run {suggest('thaw', environment, p=platform)}.",
        ],
        detail={"phase": "Frozen", "reason": one_line(freeze.reason), "who": one_line(freeze.who)},
    )


def for_thaw(
    platform: str,
    environment: str,
    freeze: Freeze,
    who: str,
    still: Frozen | None,
    channels: Iterable[str],
    at: datetime,
) -> list[Add]:
    """Make the messages about a freeze that `who` ended; `still` is what the document's windows say now."""
    then = (
        f"The document's windows still apply: {one_line(still.message, limit=500)}."
        if still is not None
        else "Releases that are waiting start now."
    )
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"thaw-{freeze.at:%Y%m%dT%H%M%S%f}",
        subject="still frozen by the document" if still is not None else "deployments can start again",
        blocks=[
            f"{one_line(person(who))} ended the freeze of {platform}/{environment}. {then}",
            f"It was set by {one_line(person(freeze.who))}: {one_line(freeze.reason, limit=1_000)}",
        ],
        detail={"phase": "Thawed", "reason": one_line(freeze.reason), "who": one_line(who)},
    )


def for_hold(platform: str, environment: str, hold: Hold, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the messages about an environment whose automation stays off until a person lifts the hold, or it ends."""
    subject = f"automation is on hold until {_end_of(hold) or 'a person resumes it'}"
    return _held(platform, environment, hold, channels, at, event="hold", subject=subject)


def for_hold_reminder(platform: str, environment: str, hold: Hold, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the daily reminder of a hold."""
    subject = f"automation has been on hold for {age(hold.at, at)}"
    return _held(platform, environment, hold, channels, at, event=f"held-{at:%Y%m%d}", subject=subject)


def for_resume(
    platform: str, environment: str, hold: Hold, who: str | None, channels: Iterable[str], at: datetime
) -> list[Add]:
    """Make the messages about a hold that `who` lifted, or that ended by itself (None)."""
    how = f"{one_line(person(who))} lifted the hold" if who is not None else "The hold ended by itself"
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"resume-{hold.at:%Y%m%dT%H%M%S%f}",
        subject="automation continues",
        blocks=[
            f"{platform}/{environment} is no longer on hold. Releases that only waited for that start now.",
            f"{how} of {one_line(person(hold.who))}: {one_line(hold.reason, limit=1_000)}"
            if who is not None
            else f"{how}. It was set by {one_line(person(hold.who))}: {one_line(hold.reason, limit=1_000)}",
        ],
        detail={"phase": "Resumed", "reason": one_line(hold.reason), "who": one_line(who or "ferryman")},
    )


def _end_of(hold: Hold) -> str:
    return f"{hold.until.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC" if hold.until is not None else ""


def _held(
    platform: str, environment: str, hold: Hold, channels: Iterable[str], at: datetime, *, event: str, subject: str
) -> list[Add]:
    ends = f"The hold ends by itself at {_end_of(hold)}. To lift it now" if hold.until else "Once fixed"
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"{event}-{hold.at:%Y%m%dT%H%M%S%f}",
        subject=subject,
        blocks=[
            f"{platform}/{environment} is on hold: nothing is deployed automatically until the hold is lifted.",
            f"Why: {one_line(hold.reason, limit=1_000)} (set by {one_line(person(hold.who))})",
            "Running services are not affected. Pushes are still recorded and wait.",
            (
                f"What to do next: see {suggest('explain', environment, p=platform)}. {ends}, run "
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
