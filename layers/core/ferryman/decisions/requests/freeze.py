"""A person's freeze of an environment: nothing starts for a while. Pure; windows are the document's."""

from datetime import UTC, datetime

from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.requests.common import Outcome
from ferryman.errors import Refused
from ferryman.platform import Environment
from ferryman.records import EnvironmentState, Freeze


def request_freeze(
    state: EnvironmentState, environment: Environment, *, reason: str, until: datetime | None, who: str, at: datetime
) -> Outcome:
    """Let nothing start until a moment, or until a person thaws it; in the place of an earlier freeze."""
    env, standing = state.environment, state.freeze
    if until is not None and until <= at:
        raise Refused(f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC is over already; give a moment to come")
    until = until.astimezone(UTC) if until else None
    over = standing is None or (standing.until is not None and standing.until <= at)
    if not over and standing is not None and (standing.reason, standing.until) == (reason, until):
        return Outcome(None, f"{standing.who} has frozen {env} like this already")
    after = state.but(freeze=Freeze(reason=reason, who=who, at=at, until=until))
    seen = frozen(environment, after, at)
    told = seen.message if seen else "frozen"
    instead = f" (instead of {standing.who}: {standing.reason})" if standing is not None and not over else ""
    running = f"; deployment {state.active.deployment} runs to its end, if it has begun" if state.active else ""
    return Outcome(after, f"{env} is {told}{instead}{running}; `ferryman thaw {env}` lifts it")


def request_thaw(state: EnvironmentState, environment: Environment, at: datetime) -> Outcome:
    """Lift a person's freeze; what the document's windows say still counts."""
    env, standing = state.environment, state.freeze
    after = state.but(freeze=None)
    seen = frozen(environment, after, at)
    left = f"; the document's windows still keep it {seen.message}" if seen else ""
    if standing is None:
        return Outcome(None, f"nobody has frozen {env}{left}")
    over = standing.until is not None and standing.until <= at
    return Outcome(
        after,
        f"{env} is no longer frozen by {standing.who} ({standing.reason}"
        f"{'; that had ended by itself' if over else ''}){left}",
    )
