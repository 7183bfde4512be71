"""A person's request to run a database command: migrate up, down or current. Pure."""

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
    """Request a database command, which runs as a one-off task. No deployment may be in progress."""
    env, migration = state.environment, environment.migration
    if migration is None:
        raise Refused(f"{env} has no migration in the document, so there is no database command to run")
    words = {"up": migration.command, "down": migration.downgrade, "current": migration.current}[command]
    if words is None:
        field = "downgrade" if command == "down" else command
        raise Refused(f"the document defines no command for `{command}` in {env}; set migration.{field}")
    if command == "down" and revision is None:
        raise Refused("down needs the revision to downgrade to (`--revision`)")
    if command != "down" and revision is not None:
        raise Refused(f"only down takes a revision; `{command}` does not")
    version = state.current.version if state.current else None
    if version is None:
        raise Refused(f"{env} does not run a release that Ferryman knows; deploy one first")
    release = next((item for item in releases if item.version == version), None)
    if release is None or migration.component not in release.components:
        raise Refused(f"{version}, which {env} runs, has no image of {migration.component} to run `{command}` with")
    if state.active is not None:
        raise Refused(
            f"deployment {state.active.deployment} of {state.active.version} is in progress in {env}; "
            f"wait until it has ended (`ferryman watch {env}`), then try again"
        )
    if freeze is not None and command != "current":
        raise Refused(f"{env} is {freeze.message}. Try again when the freeze has ended")
    wish = Wish(
        version=version, kind="migrate", reason=reason, who=who, at=at, command=command, revision=revision
    )  # fmt: skip
    before = state.requested
    if before is not None and (before.kind != "migrate" or (before.command, before.revision) != (command, revision)):
        raise Refused(
            f"{before.who} requested {before.kind} of {before.version}, which starts first; try again after that"
        )
    outcome = asked(state, wish)
    if outcome.state is None:
        return outcome
    to = f" to {revision}" if revision else ""
    return Outcome(outcome.state, f"migrate {command}{to} in {env} starts within seconds", version)
