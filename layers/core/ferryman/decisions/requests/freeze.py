"""A person's request to freeze or thaw an environment. Pure. Freeze windows come from the document instead."""

from datetime import UTC, datetime

from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.requests.common import Outcome
from ferryman.errors import Refused
from ferryman.platform import Environment
from ferryman.records import EnvironmentState, Freeze
from ferryman.suggestions import suggest
from ferryman.text import person


def request_freeze(
    state: EnvironmentState, environment: Environment, *, reason: str, until: datetime | None, who: str, at: datetime
) -> Outcome:
    """Freeze the environment until a given time, or until a person thaws it. Replaces an earlier freeze."""
    env, standing = state.environment, state.freeze
    if until is not None and until <= at:
        raise Refused(f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC is in the past; give a time in the future")
    until = until.astimezone(UTC) if until else None
    over = standing is None or (standing.until is not None and standing.until <= at)
    if not over and standing is not None and (standing.reason, standing.until) == (reason, until):
        return Outcome(None, f"{person(standing.who)} has already frozen {env} like this")
    after = state.but(freeze=Freeze(reason=reason, who=who, at=at, until=until))
    seen = frozen(environment, after, at)
    told = seen.message if seen else "frozen"
    instead = f" (instead of {person(standing.who)}: {standing.reason})" if standing is not None and not over else ""
    running = f"; deployment {state.active.deployment} continues if it is already admitted" if state.active else ""
    return Outcome(
        after, f"{env} is {told}{instead}{running}; to lift the freeze, run {suggest('thaw', env, p=state.platform)}"
    )


def request_thaw(state: EnvironmentState, environment: Environment, at: datetime) -> Outcome:
    """Lift a person's freeze; the document's windows still apply."""
    env, standing = state.environment, state.freeze
    after = state.but(freeze=None)
    seen = frozen(environment, after, at)
    left = f"; the document's windows still apply: {seen.message}" if seen else ""
    if standing is None:
        return Outcome(None, f"nobody has frozen {env}{left}")
    over = standing.until is not None and standing.until <= at
    return Outcome(
        after,
        f"{env} is no longer frozen by {person(standing.who)} ({standing.reason}"
        f"{'; that freeze had already ended' if over else ''}){left}",
    )
