"""A person's request to put automation on hold, or to resume it. Pure."""

from datetime import UTC, datetime

from ferryman.decisions.requests.common import Outcome
from ferryman.errors import Refused
from ferryman.records import EnvironmentState, Hold
from ferryman.suggestions import suggest
from ferryman.text import person


def request_hold(
    state: EnvironmentState, reason: str, who: str, at: datetime, until: datetime | None = None
) -> Outcome:
    """Put automation on hold, until a given time or without an end. One that lasts as long stays as it is."""
    env, standing = state.environment, state.hold
    if until is not None and until <= at:
        raise Refused(f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC is in the past; give a time in the future")
    until = until.astimezone(UTC) if until is not None else None
    if standing is not None and not _is_longer(until, standing):
        return Outcome(
            None, f"{env} was already put on hold{standing.end} by {person(standing.who)}: {standing.reason}"
        )
    # admit_deployment stops an automatic deployment that has not changed anything yet.
    running = f"; deployment {state.active.deployment} continues if it is already admitted" if state.active else ""
    hold = Hold(reason=reason, who=who, at=at, until=until).instead_of(standing)
    message = f"{env} is on hold{hold.end}{running}; to lift the hold, run {suggest('resume', env, p=state.platform)}"
    return Outcome(state.but(hold=hold), message)


def _is_longer(until: datetime | None, standing: Hold) -> bool:
    return standing.until is not None and (until is None or until > standing.until)


def request_resume(state: EnvironmentState) -> Outcome:
    """Resume automation."""
    env = state.environment
    if state.hold is None:
        return Outcome(None, f"{env} was not on hold")
    return Outcome(
        state.but(hold=None), f"{env} is no longer on hold (set by {person(state.hold.who)}: {state.hold.reason})"
    )
