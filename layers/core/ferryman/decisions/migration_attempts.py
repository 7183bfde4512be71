"""Decide whether a deployment may migrate, and with which attempt. Pure.

One success per environment, release and migration.

Called by `steps.run_migration`. The claim is written before RunTask, so that every task has a record. A person's
command (a downgrade, `ferryman migrate`) is claimed under its deployment's own key: it runs at most once, and does not
count as the release's one success. A named migration has claims of its own: `<name>/<release>` in the place of the
release.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.records import Deployment, MigrationClaim, PlannedMigration
from ferryman.suggestions import suggest

CERTAIN_AFTER = timedelta(minutes=2)
"""After this time, ListTasks certainly lists a task that RunTask started, and the Lambda that called it has ended."""
CERTAIN_UNTIL = timedelta(minutes=45)
"""Until then, ECS certainly still knows a stopped task (about an hour) and a clientToken (at least an hour)."""


@dataclass(frozen=True)
class Skip:
    """Nothing to migrate."""

    reason: str
    message: str


@dataclass(frozen=True)
class Refuse:
    """A person must decide first."""

    reason: str
    message: str


@dataclass(frozen=True)
class Resume:
    """A claim without a verdict: first find out what happened to its task."""

    claim: MigrationClaim
    own: bool
    """Whether this deployment made it; then it may call RunTask again with the same clientToken."""


@dataclass(frozen=True)
class Begin:
    """Claim this attempt and run it."""

    attempt: int


_OWN = "@"
"""Separates release and deployment in the key of a person's command; an image tag cannot contain it."""
_OF = "/"
"""Separates the name of a migration from the release; an image tag cannot contain it, nor can a name."""

NO_MIGRATION = Skip("NoMigration", "this deployment has no migration")
Decision = Skip | Refuse | Resume | Begin


def decide_attempt(deployment: Deployment, planned: PlannedMigration | None, claims: list[MigrationClaim]) -> Decision:
    """Decide about one migration of a deployment from the attempts at it so far, first to last.

    NotStarted means that no task ran: automation may try again. Failed means that a task ran: only a person may retry.
    """
    version, environment = deployment.version, deployment.environment
    if deployment.kind == "rollback" and deployment.command is None:
        return Skip("GoingBack", "a rollback does not run migrations")
    if planned is None:
        return NO_MIGRATION
    which = f"migration {planned.name}" if planned.name else "migration"
    done = next((claim for claim in claims if claim.status == "Succeeded"), None)
    if done is not None:
        which = f" ({planned.name})" if planned.name else ""
        return Skip("AlreadyMigrated", f"{version} was already migrated here{which}, by deployment {done.deployment}")
    if not claims:
        return Begin(1)
    last = claims[-1]
    if last.status == "Former":
        return Begin(last.attempt + 1)
    if last.status in ("Claimed", "Running", "Unknown"):
        return Resume(last, own=last.deployment == deployment.id and last.status != "Unknown")
    if last.status == "Failed" and deployment.initiated_by.automated:
        code = f" with exit code {last.exit_code}" if last.exit_code is not None else ""
        return Refuse(
            "MigrationFailedBefore",
            f"the {which} of {version} failed in deployment {last.deployment}{code} and is not retried "
            f"automatically: fix it and push, or run {suggest('retry', environment, p=deployment.platform)}",
        )
    return Begin(last.attempt + 1)


def release_key(version: str, name: str) -> str:
    """Return the key of the claims of one migration of a release; `name`: "" for the migration without a name."""
    return f"{name}{_OF}{version}" if name else version


def key_of(deployment: Deployment, name: str) -> str:
    """Return the key of a deployment's claims for one migration: the release's, or its own for a person's command."""
    key = release_key(deployment.version, name)
    return key if deployment.command is None else f"{key}{_OWN}{deployment.id}"


def release_of(claim: MigrationClaim) -> str:
    """Return the release that a claim is about."""
    return claim.version.partition(_OWN)[0].rpartition(_OF)[2]


def name_of(claim: MigrationClaim) -> str:
    """Return the name of the migration that a claim is about; "" for the one without a name."""
    return claim.version.rpartition(_OF)[0]


def in_words(claim: MigrationClaim) -> str:
    """Return what a claim is about: `migration orders of abc1234`."""
    name = name_of(claim)
    return f"migration {name} of {release_of(claim)}" if name else f"migration of {release_of(claim)}"


def last_migrated(claims: Iterable[MigrationClaim], name: str) -> str | None:
    """Return the release whose migrations the database has: the latest success that no downgrade reverted.

    It is not always the one that runs: a release that was rolled back leaves its migrations behind. What the last
    downgrade was to revert may still be there, unless it succeeded. `claims` are those of an environment, `name` says
    for which of its migrations.
    """
    own = [claim for claim in claims if name_of(claim) == name]
    done = [*_of_releases(own, name), *_perhaps_reverted(own)]
    return release_of(max(done, key=lambda claim: claim.at)) if done else None


def _perhaps_reverted(claims: list[MigrationClaim]) -> list[MigrationClaim]:
    """Return the successes that the last downgrade was to revert, unless it succeeded; `claims`: of one migration."""
    downs = [claim for claim in claims if claim.command == "down" and claim.status != "NotStarted"]
    last = max(downs, key=lambda claim: claim.at, default=None)
    if last is None or last.status == "Succeeded":
        return []
    return [claim for claim in claims if claim.status == "Reverted" and claim.at < last.at]


def revision_of(deployment: Deployment, name: str) -> str | None:
    """Return where a `down` takes the database of a migration; None where it goes nowhere."""
    return deployment.revisions.get(name) if deployment.revisions else deployment.revision


def taken_back(
    deployment: Deployment, planned: PlannedMigration, claims: Iterable[MigrationClaim], older: Iterable[str]
) -> list[MigrationClaim]:
    """Return the successes that a `down` reverted, or may have reverted: their releases must migrate again.

    `claims` are those of the environment; only those of this migration count.

    Decided by the lists of migrations if they are known, else by the order of releases: `older` are the releases that
    are not newer than the deployment's. A command that is not part of a rollback spares none: migrating up again
    changes nothing where nothing was reverted.
    """
    plan = deployment.plan
    known = planned.migrations if planned.name else plan.migrations if plan else None
    gone = _after(known, revision_of(deployment, planned.name))
    spared = set(older) if deployment.kind == "rollback" else set()

    def took(claim: MigrationClaim) -> bool:
        if gone is not None and claim.migrations is not None:
            return not gone.isdisjoint(claim.migrations)
        return release_of(claim) not in spared

    return [claim for claim in _of_releases(claims, planned.name) if took(claim)]


def _of_releases(claims: Iterable[MigrationClaim], name: str) -> list[MigrationClaim]:
    done = [claim for claim in claims if claim.status == "Succeeded" and _OWN not in claim.version]
    return [claim for claim in done if name_of(claim) == name]


def _after(ids: list[str] | None, revision: str | None) -> set[str] | None:
    """Return the migrations that a downgrade to a revision reverts; None when that is unknown."""
    if ids is None or revision is None:
        return None
    if revision == "base":
        return set(ids)
    found = [item for item in ids if item == revision] or [item for item in ids if item.startswith(revision)]
    return set(ids[ids.index(found[0]) + 1 :]) if len(found) == 1 else None


def started_by(claim: MigrationClaim) -> str:
    """Return the `startedBy` of a claim's task for RunTask and ListTasks; at most 36 characters."""
    return claim.client_token[:36]


def client_token(deployment: str, attempt: int, number: int | None = None) -> str:
    """Return the token that makes RunTask idempotent: the same for every run of this attempt.

    `fm-<ulid>-<attempt>`, of a named migration `fm-<ulid>-<attempt>-<number>`: its place in the plan, 0 to 9, because
    no name fits into `started_by`.
    """
    return f"fm-{deployment}-{attempt}" + (f"-{number}" if number is not None else "")


def settled_by_absence(claim: MigrationClaim, now: datetime) -> bool | None:
    """Return what it means that ECS lists no task of a claim: True: none ran. None: ask again later. False: unknown."""
    if now < claim.at + CERTAIN_AFTER:
        return None
    return claim.task is None and claim.status == "Claimed" and now < claim.at + CERTAIN_UNTIL
