"""Routes that start a deployment, a rollback or a database command at a person's request.

Each request is recorded with who, from where and why, also when it is refused. Then reconcile or the watchers are
woken.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from ferryman.api.context import Context
from ferryman.api.control import OptionalReason, Reason, answer_of, nudge, quietly
from ferryman.api.diff_migrations import Database, under_way
from ferryman.api.http import Body, Request, how
from ferryman.api.read import place, source_of
from ferryman.api.recorded_request import Asked
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.promotion_gate import gate
from ferryman.decisions.requests import deploy as wishes
from ferryman.decisions.requests import rollback as rollbacks
from ferryman.decisions.requests.common import Outcome, confirmed, find
from ferryman.decisions.requests.migrate import request_migrate
from ferryman.messages import timeline
from ferryman.messages.environment import for_hold
from ferryman.platform import Environment
from ferryman.platform.values import Name
from ferryman.records import EnvironmentState, EventType, Release
from ferryman.records import Request as Wish
from ferryman.records.writes import Add, Save, Write

_HISTORY = 200
"""Deployments that are read to know what ran here; older ones are known from the releases' proofs."""

Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Typed = Annotated[str, StringConstraints(max_length=128)]
Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+@/-]{1,128}$")]
"""Restricted, because it becomes an argument of a command, possibly in a shell."""


_OVERRIDE = "Of an admin: why it runs without the approval that it needs."


class DeployBody(Body):
    """Body of deploy."""

    release: Named = Field(description="Version, its first seven characters or more, or a semver name.")
    confirm: Typed = Field(default="", description="The word DEPLOY.")
    reason: OptionalReason = ""


class RollbackBody(Body):
    """Body of rollback."""

    to: Named | None = Field(default=None, description="Release to roll back to. Default: what ran before.")
    reason: Reason
    confirm: Typed = Field(default="", description="The environment's name.")
    accept_schema_mismatch: bool = Field(default=False, description="Roll back despite unsafe migrations.")
    downgrade: bool = Field(default=False, description="Downgrade the database first.")
    revision: Revision | None = Field(default=None, description="Target revision of the database.")
    revisions: dict[Name, Revision] = Field(
        default={}, max_length=10, description="Target revisions by name of the migration, where migrations have names."
    )
    override: Reason | None = Field(default=None, description=_OVERRIDE)


class MigrateBody(Body):
    """Body of migrate."""

    command: Literal["up", "down", "current"]
    migration: Name | None = Field(default=None, description="Name of the migration, if there are several.")
    revision: Revision | None = Field(default=None, description="Target revision of `down`.")
    reason: OptionalReason = ""
    confirm: Typed = Field(default="", description="The environment's name.")
    override: Reason | None = Field(default=None, description=_OVERRIDE)


def deploy(operator: Context, request: Request) -> dict[str, Any]:
    """Request a manual deployment; confirmed by typing DEPLOY."""
    platform, env = place(operator, request)
    body, at = request.read(DeployBody), operator.clock()
    asked, environment = Asked(operator, request, platform, env), platform.environment(env)
    asked.admitted("deploy")
    with asked.recorded(f"deploy of {body.release}"):
        confirmed(body.confirm, wishes.DEPLOY, "a manual deployment")
        releases = operator.store.releases(platform.name)
        release = find(releases, body.release, platform)
        scans = operator.outside.scans(platform, env, release) if environment.scan is not None else None
        source = source_of(operator, platform, env)

        def outcome_on(state: EnvironmentState) -> Outcome:
            waiver = state.waivers.get(release.version)
            return wishes.request_deploy(
                state, platform, releases, release,
                waits=gate(env, environment, release, at, source=source, scans=scans, waiver=waiver),
                freeze=frozen(environment, state, at), reason=body.reason, who=request.who, at=at,
            )  # fmt: skip

        def lines(outcome: Outcome) -> list[Write]:
            text = _with(outcome.message, body.reason)
            return [asked.event(EventType.DEPLOY_REQUESTED, text, version=release.version, digests=release.digests)]

        outcome = asked.write(outcome_on, lines)
    nudge(operator, platform.name, env)
    return {**answer_of(outcome), "version": release.version, "digests": release.digests}


def rollback(operator: Context, request: Request) -> dict[str, Any]:
    """Request a rollback to the previous release, or to another one; confirmed by typing the environment's name."""
    platform, env = place(operator, request)
    body, at = request.read(RollbackBody), operator.clock()
    asked, environment = Asked(operator, request, platform, env), platform.environment(env)
    asked.admitted("rollback")
    with asked.recorded(f"rollback to {body.to or 'the release before'}"):
        confirmed(body.confirm, env, f"a rollback of {env}")
        _require_admin(operator, request, body.override)
        releases = operator.store.releases(platform.name)
        database = Database(operator, platform, env)
        wanted = rollbacks.Wanted(
            body.reason, request.who, at, body.accept_schema_mismatch, body.downgrade, body.revision, body.revisions,
            body.override or "",
        )  # fmt: skip

        def outcome_on(state: EnvironmentState) -> rollbacks.WayBack:
            active = under_way(operator, state)
            history = operator.store.deployments(platform.name, env, limit=_HISTORY, since=state.began_at)
            situation = rollbacks.Situation(state, environment, releases, history, active)
            release = rollbacks.target(situation, body.to, platform)
            schemas = database.schemas(state, active, release)
            return rollbacks.request_rollback(situation, release, schemas, wanted, frozen(environment, state, at))

        def lines(outcome: rollbacks.WayBack) -> list[Write]:
            return _rollback_lines(asked, outcome, find(releases, outcome.version or ""), body.reason)

        outcome = asked.write(outcome_on, lines)
    if outcome.deployment is not None and outcome.aborts:
        stopped = outcome.deployment.id
        quietly(lambda: operator.outside.wake(platform.name, env, stopped))
    nudge(operator, platform.name, env)
    aborted = outcome.deployment.id if outcome.deployment is not None and outcome.aborts else None
    return {**answer_of(outcome), "version": outcome.version, "aborted": aborted}


def _rollback_lines(asked: Asked, outcome: rollbacks.WayBack, release: Release, reason: str) -> list[Write]:
    assert outcome.state is not None
    operator, platform, env = asked.operator, asked.platform.name, asked.env
    wish = outcome.state.requested
    assert wish is not None
    text = _with(outcome.message, reason, wish)
    lines = [
        asked.event(
            EventType.ROLLBACK_REQUESTED, text, version=release.version, digests=release.digests, **_unapproved(wish)
        ),
        *_announced(platform, env, asked.platform.environment(env), wish, operator.clock()),
    ]
    if outcome.deployment is not None:
        # Also when it is unchanged: a concurrent change is then a Conflict, and the decision is made again.
        lines.append(Save(outcome.deployment))
    if outcome.deployment is not None and outcome.aborts:
        lines.append(
            timeline.event(
                outcome.deployment,
                EventType.ABORT_REQUESTED,
                f"abort requested: rollback to {release.version}: {reason}",
                at=operator.clock(),
                new_id=operator.new_id,
                who=asked.request.who,
                detail=how(asked.request),
            )
        )
    hold = outcome.state.hold
    if hold is not None:
        channels = asked.platform.environment(env).notify
        lines += for_hold(platform, env, hold, channels, operator.clock())
    return lines


def migrate(operator: Context, request: Request) -> dict[str, Any]:
    """Request a database command; confirmed by typing the environment's name."""
    platform, env = place(operator, request)
    body, at = request.read(MigrateBody), operator.clock()
    asked, environment = Asked(operator, request, platform, env), platform.environment(env)
    asked.admitted("migrate")
    with asked.recorded(f"migrate {f'{body.migration} ' if body.migration else ''}{body.command}"):
        confirmed(body.confirm, env, f"a command on the database of {env}")
        _require_admin(operator, request, body.override)
        releases = operator.store.releases(platform.name)

        def outcome_on(state: EnvironmentState) -> Outcome:
            return request_migrate(
                state, environment, releases, command=body.command, migration=body.migration, revision=body.revision,
                freeze=frozen(environment, state, at), reason=body.reason, who=request.who, at=at,
                override=body.override or "", active=under_way(operator, state) if body.override else None,
            )  # fmt: skip

        def lines(outcome: Outcome) -> list[Write]:
            wish = outcome.state.requested if outcome.state is not None else None
            assert wish is not None
            text = _with(outcome.message, body.reason, wish)
            event = asked.event(EventType.MIGRATE_REQUESTED, text, version=outcome.version, **_unapproved(wish))
            return [event, *_announced(platform.name, env, environment, wish, at)]

        outcome = asked.write(outcome_on, lines)
    nudge(operator, platform.name, env)
    name = body.migration or next(iter(environment.every_migration))
    return {**answer_of(outcome), "version": outcome.version, "command": body.command, "migration": name}


def _require_admin(operator: Context, request: Request, override: str | None) -> None:
    """Raise NotPermitted for an override by anybody but an admin."""
    if override:
        operator.access.require_admin(request.who, "override an approval (`--override`)")


def _announced(platform: str, env: str, environment: Environment, wish: Wish, at: datetime) -> list[Add]:
    # Imported here: most requests to the API only read.
    from ferryman.messages.announcement import for_unapproved

    return for_unapproved(platform, env, environment, wish, at)


def _unapproved(wish: Wish) -> dict[str, str]:
    """Return what the audit keeps of a request that runs without an approval, or accepts a schema mismatch."""
    kept = {"override": wish.override, "schemaMismatch": wish.schema_mismatch}
    return {name: text for name, text in kept.items() if text}


def _with(message: str, reason: str, wish: Wish | None = None) -> str:
    told = [f"{message}: {reason}" if reason else message]
    if wish is not None and wish.override:
        told.append(f"Without approval, which {wish.who} overrode as an admin: {wish.override}")
    if wish is not None and wish.schema_mismatch:
        told.append(f"The schema mismatch was accepted: {wish.schema_mismatch}")
    return ". ".join(told)
