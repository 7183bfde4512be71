"""A person's request to waive the image scans of a release for a while. Pure."""

from datetime import datetime, timedelta

from ferryman.decisions.requests.common import find
from ferryman.durations import format_duration
from ferryman.errors import Refused
from ferryman.platform import Platform
from ferryman.records import EnvironmentState, Release, Waiver, limits
from ferryman.text import byte_length

_SIZE = 300
"""Bytes of a waiver at least, beside its texts: its version, times, names of fields."""


def request_waiver(
    state: EnvironmentState,
    document: Platform,
    releases: list[Release],
    *,
    release: str,
    reason: str,
    duration: timedelta,
    who: str,
    at: datetime,
) -> tuple[EnvironmentState, str]:
    """Return the state with the waiver, which replaces an earlier one, and a message.

    Raise Refused if the environment does not check scans, NotFound for an unknown release. Expired waivers are dropped.
    """
    env = state.environment
    if document.environment(env).scan is None:
        raise Refused(
            f"{env} does not check image scans, so there is nothing to waive; to check them, set `scan` in the document"
        )
    found = find(releases, release, document)
    waiver = Waiver(reason=reason, who=who, at=at, until=at + duration)
    standing = {version: known for version, known in state.waivers.items() if known.until > at}
    waivers = {**standing, found.version: waiver}
    if sum(map(_size, waivers.values())) > limits.WAIVERS:
        raise Refused(f"{env} has no room for another waiver: {len(standing)} have not expired, with long reasons")
    message = (
        f"image scans do not block {found.version} in {env} for {format_duration(duration)} "
        f"(until {waiver.until:%Y-%m-%d %H:%M} UTC)"
    )
    return state.but(waivers=waivers), message


def _size(waiver: Waiver) -> int:
    return _SIZE + byte_length(waiver.reason) + byte_length(waiver.who)
