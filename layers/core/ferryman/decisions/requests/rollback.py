"""A person's request to roll back to an earlier release: to which one, whether it is safe, what it stops. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from ferryman.decisions.approval_needed import needs_approval
from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.requests.common import Outcome, find, what
from ferryman.decisions.requests.override import approvals_open, refuse_needless, to_be_asked
from ferryman.decisions.requests.rollback_schema import mismatch_of, revision_without_name, revisions_by_name
from ferryman.decisions.schema_compatibility import Schema
from ferryman.errors import Refused
from ferryman.platform import Environment, Platform
from ferryman.records import AbortRequest, Deployment, EnvironmentState, Hold, Phase, Release
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest
from ferryman.text import person


@dataclass(frozen=True)
class Situation:
    """What is known about the environment at the time of the request."""

    state: EnvironmentState
    environment: Environment
    releases: list[Release]
    """Oldest first."""
    history: list[Deployment]
    """Newest first."""
    active: Deployment | None
    """The deployment that holds the claim, unless it has ended."""

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.state.environment

    @property
    def running(self) -> str | None:
        """The release that runs, or that ran when the deployment in progress started."""
        return self.state.current.version if self.state.current else None

    def release(self, version: str | None) -> Release | None:
        """Return a release by version."""
        return next((release for release in self.releases if release.version == version), None)

    @property
    def begun(self) -> Deployment | None:
        """The deployment in progress, unless it changes no service (yet)."""
        if self.active is None or self.active.kind == "migrate" or approvals_open(self.active):
            return None
        return self.active


@dataclass(frozen=True)
class Wanted:
    """What a person requests."""

    reason: str
    who: str
    at: datetime
    accept_mismatch: bool = False
    downgrade: bool = False
    revision: str | None = None
    """Where the database goes back to, if its migration has no name."""
    revisions: dict[str, str] = field(default_factory=dict)
    """Where databases go back to, by name of the migration."""
    override: str = ""
    """Why an admin has it run without the approval that it needs."""


@dataclass(frozen=True)
class WayBack(Outcome):
    """An outcome that may stop the deployment in progress."""

    deployment: Deployment | None = None
    """Written in the same transaction: with an abort, or unchanged, so that a concurrent change is a Conflict."""
    aborts: bool = False


def target(situation: Situation, to: str | None, document: Platform) -> Release:
    """Return the release to roll back to: the given one, or what ran before. Raise Refused, or NotFound.

    During a deployment, what ran before is what ran when it started.
    """
    env, running, begun = situation.env, situation.running, situation.begun
    release = find(situation.releases, to, document) if to else _before(situation)
    if release.version == running and begun is None:
        raise Refused(
            f"{env} already runs {release.version}; to deploy it again, run "
            f"{suggest('redeploy', env, p=situation.state.platform)}"
        )
    runs = situation.release(running)
    if runs is not None and release.order > runs.order:
        raise Refused(
            f"{release.version} is newer than {runs.version}, which {env} runs, so this is not a rollback. Use "
            f"{suggest('deploy', env, p=situation.state.platform, release=release.version)} or "
            f"{suggest('retry', env, p=situation.state.platform, release=release.version)}"
        )
    if release.version not in _ran(situation):
        raise Refused(
            f"{release.version} has never run successfully in {env}, so it is no safe target; to see which releases "
            f"have, run {suggest('history', env, p=situation.state.platform)}"
        )
    return release


def _before(situation: Situation) -> Release:
    env, state, begun = situation.env, situation.state, situation.begun
    if begun is not None and situation.running is not None and begun.version != situation.running:
        version: str | None = situation.running
    elif state.previous is None:
        raise Refused(f"no earlier release is known in {env}; name a release with `--release`")
    else:
        version = state.previous.version
    if version is None:
        raise Refused(f"what ran in {env} before is not a release; name one with `--release`")
    release = situation.release(version)
    if release is None:
        raise Refused(f"{version}, which ran in {env} before, is no longer known; name another one with `--release`")
    return release


def _ran(situation: Situation) -> set[str | None]:
    state = situation.state
    known = {item.version for item in (state.current, state.last_succeeded, state.previous) if item is not None}
    known |= {release.version for release in situation.releases if situation.env in release.verified}
    for deployment in situation.history:
        if deployment.phase is Phase.SUCCEEDED and deployment.kind != "migrate":
            # The release that it replaced ran, too; it has no deployment if it ran before the adoption.
            known |= {deployment.version, deployment.from_version}
    return known


def request_rollback(
    situation: Situation,
    release: Release,
    schemas: list[Schema],
    wanted: Wanted,
    freeze: Frozen | None,
) -> WayBack:
    """Request the rollback, put the environment on hold, and stop the deployment in progress, all in one write.

    `schemas`: the database of each migration, compared with the release.
    """
    state, env, active = situation.state, situation.env, situation.active
    revision, revisions = _downgrade(situation, release, schemas, wanted)
    mismatch = ""
    if not wanted.downgrade:
        mismatch = mismatch_of(
            release.version, situation.environment, schemas, accepted=wanted.accept_mismatch
        )  # fmt: skip
    wish = Wish(
        version=release.version,
        kind="rollback",
        reason=wanted.reason,
        who=wanted.who,
        at=wanted.at,
        command="down" if wanted.downgrade else None,
        revision=revision,
        revisions=revisions,
        override=wanted.override,
        schema_mismatch=mismatch,
    )
    refuse_needless(situation.environment, wish)
    if active is not None and active.abort is None and _is_that(active, wish):
        raise Refused(
            f"deployment {active.id} is already rolling {env} back to it; to follow it, run "
            f"{suggest('watch', env, p=situation.state.platform)}"
        )
    stopped = _stopped(active, wanted)
    before = state.requested
    if before is not None and what(before) == what(wish) and stopped is None and state.hold is not None:
        return WayBack(None, f"{before.who} has already requested that; it starts next", release.version)
    return WayBack(
        state.but(requested=wish, hold=_hold(state, release, wanted)),
        _message(situation, release, schemas, wish, freeze, stops=stopped is not None),
        release.version,
        deployment=stopped or active,
        aborts=stopped is not None,
    )


def _downgrade(
    situation: Situation, release: Release, schemas: list[Schema], wanted: Wanted
) -> tuple[str | None, dict[str, str]]:
    """Return where the databases go back to: the one without a name, and those with names. Raise Refused."""
    env, version, environment = situation.env, release.version, situation.environment
    if (wanted.revision is not None or wanted.revisions) and not wanted.downgrade:
        raise Refused("`--revision` is the target of a downgrade: use it together with `--downgrade`")
    if not wanted.downgrade:
        return None, {}
    asked = (env, version, environment, schemas, wanted.revision, wanted.revisions)
    if environment.migrations:
        return None, revisions_by_name(*asked)
    return revision_without_name(*asked), {}


def _is_that(active: Deployment, wish: Wish) -> bool:
    """Tell whether a rollback in progress is the wanted one. One that waits for approval gives way to another."""
    if (active.kind, active.version) != ("rollback", wish.version):
        return False
    same = (active.command, active.revision, active.revisions) == (wish.command, wish.revision, wish.revisions)
    return not approvals_open(active) or (same and not wish.override)


def _stopped(active: Deployment | None, wanted: Wanted) -> Deployment | None:
    """Return the deployment in progress with an abort, if it must be stopped.

    One that is already rolling back continues. So does a database command, which must not be interrupted.
    """
    if active is None or active.abort is not None or active.kind == "migrate" or approvals_open(active):
        return None
    if active.phase is Phase.ROLLING_BACK:
        return None
    return active.but(abort=AbortRequest(reason=f"rollback: {wanted.reason}", who=wanted.who, at=wanted.at))


def _hold(state: EnvironmentState, release: Release, wanted: Wanted) -> Hold:
    """Return the hold. It keeps the reason of an earlier hold, because lifting it lifts that one, too."""
    standing, reason = state.hold, f"rolled back to {release.version}: {wanted.reason}"
    if standing is not None:
        reason += f" (previously put on hold by {person(standing.who)}: {standing.reason})"
    return Hold(reason=reason[:1_000], who=wanted.who, at=wanted.at)


def _message(
    situation: Situation, release: Release, schemas: list[Schema], wish: Wish, freeze: Frozen | None, *, stops: bool
) -> str:
    env, active, before = situation.env, situation.active, situation.state.requested
    if active is None:
        lead = f"{env} rolls back to {release.version} within seconds"
    elif stops:
        lead = f"deployment {active.id} of {active.version} is aborted, then {env} rolls back to {release.version}"
    elif approvals_open(active):
        lead = f"{active.version}, which is waiting for approval, is withdrawn, then {env} rolls back to "
        lead += release.version
    else:
        lead = f"{env} rolls back to {release.version} once deployment {active.id} has ended"
    if before is not None and what(before) != what(wish):
        lead += f" (instead of the {before.kind} of {before.version} that {before.who} requested)"
    said = [lead]
    if wish.revisions:
        down = ", ".join(f"{name} to {revision}" for name, revision in wish.revisions.items())
        said.append(f"its databases are downgraded first: {down}")
    elif wish.command == "down":
        said.append(f"its database is downgraded to {wish.revision} first")
    else:
        said += [schema.named(schema.since.message) for schema in schemas]
    if freeze is not None:
        said.append(f"the freeze does not apply to rollbacks ({freeze.message})")
    if needs_approval(situation.environment, wish):
        said.append(f"{to_be_asked(situation.environment)} to approve it")
    return (
        f"{'; '.join(said)}. {env} is on hold, so that nothing undoes it; to lift the hold, run "
        f"{suggest('resume', env, p=situation.state.platform)}"
    )
