"""Times and durations as people type them: `2026-12-24 18:00`, `2d`."""

from datetime import UTC, datetime, timedelta

from ferryman_cli.exits import Exit, Stop


def moment(text: str, option: str) -> datetime:
    """Parse a time in ISO 8601 format; without a time zone, it is local time of this machine."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Stop(
            Exit.BAD_INPUT,
            f"{option}: {text!r} is not a time; write '2026-12-24 18:00' (local time) or 2026-12-24T18:00Z",
        ) from None
    try:
        return found.astimezone(UTC)
    except (OverflowError, OSError, ValueError):
        raise Stop(Exit.BAD_INPUT, f"{option}: {text!r} is out of range; use a date such as 2026-12-24") from None


def span(text: str, option: str) -> float:
    """Parse a duration such as 90s, 15m or 2d; return seconds."""
    from ferryman.platform.values import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise Stop(Exit.BAD_INPUT, f"{option}: {error}") from None


def end_of(until: str | None, for_: str | None) -> datetime | None:
    """Return the end that `--until` or `--for` names; None for neither. Raise Stop for both, or for the past."""
    if until is not None and for_ is not None:
        raise Stop(Exit.BAD_INPUT, "use either --until or --for, not both")
    now = datetime.now(UTC).replace(microsecond=0)
    if for_ is not None:
        return now + timedelta(seconds=span(for_, "--for"))
    if until is None:
        return None
    end = moment(until, "--until")
    if end <= now:
        raise Stop(Exit.BAD_INPUT, f"--until: {local(end.isoformat())} is in the past; nothing was sent")
    return end


def local(text: str | None) -> str:
    """Convert a time in ISO 8601 format to local time of this machine with its time zone, and with UTC beside it."""
    if text is None:
        return "-"
    at = datetime.fromisoformat(text).astimezone()
    here = f"{at:%Y-%m-%d %H:%M %Z}"
    if not at.utcoffset():
        return here
    world = at.astimezone(UTC)
    return f"{here} ({world:%H:%M} UTC)" if world.date() == at.date() else f"{here} ({world:%Y-%m-%d %H:%M} UTC)"
