"""A person's request to run a database command: migrate up, down or current. Pure."""

from datetime import datetime
from typing import Literal

from ferryman.decisions import approval_needed, database_command
from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.requests.common import Outcome, asked, what
from ferryman.decisions.requests.override import approvals_open, refuse_needless, to_be_asked
from ferryman.errors import Refused
from ferryman.platform import Environment
from ferryman.records import Deployment, EnvironmentState, Release
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest

Command = Literal["up", "down", "current"]


def request_migrate(
    state: EnvironmentState,
    environment: Environment,
    releases: list[Release],
    *,
    command: Command,
    migration: str | None = None,
    revision: str | None,
    freeze: Frozen | None,
    reason: str,
    who: str,
    at: datetime,
    override: str = "",
    active: Deployment | None = None,
) -> Outcome:
    """Request a database command, which runs as a one-off task. No deployment may be in progress.

    `migration` is the name of the one that is meant; None: there is only one. `override`: why an admin has it run
    without the approval that it needs; it then replaces `active`, the deployment in progress, if that waits for one.
    """
    env = state.environment
    name = _chosen(state, environment, migration, command)
    found = environment.every_migration[name]
    words = {"up": found.command, "down": found.downgrade, "current": found.current}[command]
    if words is None:
        field = "downgrade" if command == "down" else command
        where = f"{field} of migration {name}" if name else f"migration.{field}"
        raise Refused(f"the document defines no command for `{command}` in {env}; set {where}")
    if command == "down" and revision is None:
        raise Refused("down needs the revision to downgrade to (`--revision`)")
    if command != "down" and revision is not None:
        raise Refused(f"only down takes a revision; `{command}` does not")
    version = state.current.version if state.current else None
    if version is None:
        raise Refused(f"{env} does not run a release that Ferryman knows; deploy one first")
    release = next((item for item in releases if item.version == version), None)
    if release is None or found.component not in release.components:
        raise Refused(f"{version}, which {env} runs, has no image of {found.component} to run `{command}` with")
    if state.active is not None and not (override and approvals_open(active)):
        raise Refused(
            f"deployment {state.active.deployment} of {state.active.version} is in progress in {env}; "
            f"wait until it has ended ({suggest('watch', env, p=state.platform)}), then try again"
        )
    if freeze is not None and command != "current":
        raise Refused(f"{env} is {freeze.message}. Try again when the freeze has ended")
    wish = Wish(
        version=version, kind="migrate", reason=reason, who=who, at=at, command=command, revision=revision,
        migration=name, override=override,
    )  # fmt: skip
    refuse_needless(environment, wish)
    before = state.requested
    if before is not None and what(before.but(version=version, override=override)) != what(wish):
        raise Refused(
            f"{before.who} requested {before.kind} of {before.version}, which starts first; try again after that"
        )
    outcome = asked(state, wish)
    if outcome.state is None:
        return outcome
    said = f"{database_command.in_words(wish)} in {env}"
    if approval_needed.needs_approval(environment, wish):
        return Outcome(outcome.state, f"{said} waits for approval: {to_be_asked(environment)}", version)
    instead = f"; it replaces what waits for approval, {active.version}" if active is not None else ""
    return Outcome(outcome.state, f"{said} starts within seconds{instead}", version)


def _chosen(state: EnvironmentState, environment: Environment, name: str | None, command: Command) -> str:
    """Return the name of the migration that is meant; raise Refused if that is not clear."""
    env, names = state.environment, list(environment.every_migration)
    if not names:
        raise Refused(f"{env} has no migration in the document, so there is no database command to run")
    if name is None and len(names) > 1:
        raise Refused(
            f"{env} has several migrations: {', '.join(names)}. Say which one: "
            f"{suggest('migrate', env, names[0], command, p=state.platform)}"
        )
    if name is None:
        return names[0]
    if name not in names or not name:
        listed = "; it has one without a name" if names == [""] else f"; it has: {', '.join(names)}"
        raise Refused(f"{env} has no migration {name!r}{listed}")
    return name
