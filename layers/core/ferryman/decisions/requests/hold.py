"""A person's request to put automation on hold, or to resume it. Pure."""

from datetime import datetime

from ferryman.decisions.requests.common import Outcome
from ferryman.records import EnvironmentState, Hold
from ferryman.suggestions import suggest


def request_hold(state: EnvironmentState, reason: str, who: str, at: datetime) -> Outcome:
    """Put automation on hold. An existing hold keeps its reason and its owner."""
    env, standing = state.environment, state.hold
    if standing is not None:
        return Outcome(None, f"{env} was already put on hold by {standing.who}: {standing.reason}")
    # admit_deployment stops an automatic deployment that has not changed anything yet.
    running = f"; deployment {state.active.deployment} continues if it is already admitted" if state.active else ""
    message = f"{env} is on hold{running}; to lift the hold, run {suggest('resume', env, p=state.platform)}"
    return Outcome(state.but(hold=Hold(reason=reason, who=who, at=at)), message)


def request_resume(state: EnvironmentState) -> Outcome:
    """Resume automation."""
    env = state.environment
    if state.hold is None:
        return Outcome(None, f"{env} was not on hold")
    return Outcome(state.but(hold=None), f"{env} is no longer on hold (set by {state.hold.who}: {state.hold.reason})")
