"""A release, or a database command, that a person asks for: decided on what is known. Pure.

Each function returns an outcome with what to say, or raises Refused with the reason and the next thing to do.
"""

from datetime import datetime
from typing import Literal

from ferryman.decisions.candidates import Waits
from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.requests.common import Outcome, asked, refuse_active
from ferryman.errors import NotFound, Refused
from ferryman.platform import Environment, Platform
from ferryman.records import EnvironmentState, Release, ReleaseStatus
from ferryman.records import Request as Wish

DEPLOY = "DEPLOY"
"""What has to be typed to deploy by hand."""
SHORTEST = 7
"""Characters of a version that are enough, if no other release begins with them."""

Command = Literal["up", "down", "current"]


def confirmed(typed: str, expected: str, doing: str) -> None:
    """Raise Refused unless a person typed what was asked for."""
    if typed != expected:
        raise Refused(f"nothing was done: {doing} has to be confirmed by typing {expected} (`--confirm {expected}`)")


def find(releases: list[Release], text: str) -> Release:
    """Return the release of a version, a semver name, or the beginning of a version; raise NotFound, or Refused."""
    exact = [release for release in releases if text in (release.version, *release.names)]
    found = exact or [release for release in releases if len(text) >= SHORTEST and release.version.startswith(text)]
    if len(found) > 1:
        names = ", ".join(release.version for release in found)
        raise Refused(f"{text} may be any of {names}; write more of it")
    if not found:
        latest = ", ".join(release.version for release in releases[:-6:-1]) or "none has been pushed yet"
        raise NotFound(f"there is no release {text!r}; the latest are: {latest}")
    return found[0]


def deploy(
    state: EnvironmentState,
    document: Platform,
    releases: list[Release],
    release: Release,
    *,
    waits: Waits | None,
    freeze: Frozen | None,
    reason: str,
    who: str,
    at: datetime,
) -> Outcome:
    """Ask for a release by hand. `waits` is what the gate of a promotion says, `freeze` whether nothing may start."""
    env = state.environment
    environment, version = document.environment(env), release.version
    if "manual" not in environment.triggers:
        has = ", ".join(environment.triggers)
        raise Refused(f"{env} is not deployed to by hand: its triggers are {has}. Add `manual` to them in the document")
    if release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        raise Refused(f"release {version} is {release.status}, not Ready: `ferryman releases` shows what it lacks")
    missing = [name for name in document.spec.components if name not in release.components]
    if missing:
        raise Refused(f"release {version} has no image of {', '.join(missing)}; push it under the same tag")
    if state.current is not None and state.current.version == version:
        again = f"`ferryman redeploy {env}` deploys it once more"
        if state.active is not None:
            again = f"`ferryman rollback {env}` stops deployment {state.active.deployment} and goes back to it"
        raise Refused(f"{env} runs {version} already; {again}")
    refuse_active(state, version)
    runs = _running(state, releases)
    if runs is not None and release.order < runs.order:
        raise Refused(
            f"{version} is older than {runs.version}, which {env} runs: going there is a rollback. "
            f"`ferryman rollback {env} --to {version} --reason ...` does it"
        )
    if waits is not None:
        raise Refused(f"{waits.message.replace('ENV', env)} ({waits.reason})")
    if freeze is not None:
        raise Refused(f"{env} is {freeze.message}. Nothing starts before it ends, but a rollback")
    if state.hold is not None:
        hold = state.hold
        raise Refused(
            f"{env} is on hold, by {hold.who}: {hold.reason}. Lift it with `ferryman resume {env}`, then ask again"
        )
    outcome = asked(state, Wish(version=version, kind="deploy", reason=reason, who=who, at=at))
    if environment.approval is None or outcome.state is None:
        return outcome
    names = ", ".join(approver.name for approver in environment.approval.approvers)
    return Outcome(outcome.state, f"{outcome.message}; then {names} will be asked to approve it", version)


def migrate(
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


def _running(state: EnvironmentState, releases: list[Release]) -> Release | None:
    version = state.current.version if state.current else None
    return next((release for release in releases if release.version == version), None)
