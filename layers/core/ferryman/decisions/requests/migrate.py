"""A database command that a person asks for: migrate up, down or current. Pure."""

from datetime import datetime
from typing import Literal

from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.requests.common import Outcome, asked
from ferryman.errors import Refused
from ferryman.platform import Environment
from ferryman.records import EnvironmentState, Release
from ferryman.records import Request as Wish

Command = Literal["up", "down", "current"]


def request_migrate(
    state: EnvironmentState,
    environment: Environment,
    releases: list[Release],
    *,
    command: Command,
    revision: str | None,
    freeze: Frozen | None,
    reason: str,
    who: str,
    at: datetime,
) -> Outcome:
    """Ask for a database command, as a one-off task; nothing else may be under way."""
    env, migration = state.environment, environment.migration
    if migration is None:
        raise Refused(f"{env} has no migration in the document, so there is no database command to run")
    words = {"up": migration.command, "down": migration.downgrade, "current": migration.current}[command]
    if words is None:
        field = "downgrade" if command == "down" else command
        raise Refused(f"the document does not say how `{command}` is done in {env}: give it migration.{field}")
    if command == "down" and revision is None:
        raise Refused("down needs a revision: where the database goes to (`--revision`)")
    if command != "down" and revision is not None:
        raise Refused(f"a revision belongs to down; `{command}` takes none")
    version = state.current.version if state.current else None
    if version is None:
        raise Refused(f"what {env} runs belongs to no release that Ferryman knows; deploy one first")
    release = next((item for item in releases if item.version == version), None)
    if release is None or migration.component not in release.components:
        raise Refused(f"{version}, which {env} runs, has no image of {migration.component} to run `{command}` with")
    if state.active is not None:
        raise Refused(
            f"deployment {state.active.deployment} of {state.active.version} is under way in {env}; "
            f"wait for its end (`ferryman watch {env}`), then ask again"
        )
    if freeze is not None and command != "current":
        raise Refused(f"{env} is {freeze.message}. Ask again when it has ended")
    wish = Wish(
        version=version, kind="migrate", reason=reason, who=who, at=at, command=command, revision=revision
    )  # fmt: skip
    before = state.requested
    if before is not None and (before.kind != "migrate" or (before.command, before.revision) != (command, revision)):
        raise Refused(f"{before.who} asked to {before.kind} {before.version}, which starts first; then ask again")
    outcome = asked(state, wish)
    if outcome.state is None:
        return outcome
    to = f" to {revision}" if revision else ""
    return Outcome(outcome.state, f"migrate {command}{to} in {env} starts within seconds", version)
