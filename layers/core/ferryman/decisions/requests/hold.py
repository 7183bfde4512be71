"""A person switches automation off, and on again. Pure."""

from datetime import datetime

from ferryman.decisions.requests.common import Outcome
from ferryman.records import EnvironmentState, Hold


def request_hold(state: EnvironmentState, reason: str, who: str, at: datetime) -> Outcome:
    """Switch automation off. A hold that stands keeps its reason and its owner."""
    env, standing = state.environment, state.hold
    if standing is not None:
        return Outcome(None, f"{env} is already on hold, by {standing.who}: {standing.reason}")
    # admit_deployment stops what automation started and what has not changed anything yet.
    running = f"; deployment {state.active.deployment} runs to its end, if it has begun" if state.active else ""
    message = f"{env} is on hold{running}; `ferryman resume {env}` lifts it"
    return Outcome(state.but(hold=Hold(reason=reason, who=who, at=at)), message)


def request_resume(state: EnvironmentState) -> Outcome:
    """Switch automation on again."""
    env = state.environment
    if state.hold is None:
        return Outcome(None, f"{env} was not on hold")
    return Outcome(
        state.but(hold=None), f"{env} is no longer on hold (it was, by {state.hold.who}: {state.hold.reason})"
    )
