"""May this deployment migrate, and with which attempt? At most one success per environment and release. Pure.

Called by `steps.run_migration`. The claim is written before RunTask, so that nothing runs that no record knows of. What
a person asks for (a downgrade, `ferryman migrate`) is claimed under its deployment's own key: at most once each, and
never counted as the release's one success.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.records import Deployment, MigrationClaim

CERTAIN_AFTER = timedelta(minutes=2)
"""From then on ListTasks surely lists a task that RunTask started (and no Lambda that called it still lives)."""
CERTAIN_UNTIL = timedelta(minutes=45)
"""Until then ECS surely still tells of a task that stopped (about an hour), and of a clientToken (at least an hour)."""


@dataclass(frozen=True)
class Skip:
    """Nothing to migrate."""

    reason: str
    message: str


@dataclass(frozen=True)
class Refuse:
    """A person has to look first."""

    reason: str
    message: str


@dataclass(frozen=True)
class Resume:
    """A claim without a verdict: find out what became of its task before anything else."""

    claim: MigrationClaim
    own: bool
    """Made by this very deployment: it may call RunTask again with the same clientToken."""


@dataclass(frozen=True)
class Begin:
    """Claim this attempt and run it."""

    attempt: int


_OWN = "@"
"""Between release and deployment in the key of a person's command; no image tag has one."""

NO_MIGRATION = Skip("NoMigration", "this deployment has no migration")
Decision = Skip | Refuse | Resume | Begin


def decide_attempt(deployment: Deployment, claims: list[MigrationClaim]) -> Decision:
    """Decide from the attempts so far, first to last.

    NotStarted means that no task ran: automation may try again. Failed means that one did: a person has to want it.
    """
    version, environment = deployment.version, deployment.environment
    if deployment.kind == "rollback" and deployment.command is None:
        return Skip("GoingBack", "going backwards never migrates")
    if deployment.plan is None or deployment.plan.migration is None:
        return NO_MIGRATION
    done = next((claim for claim in claims if claim.status == "Succeeded"), None)
    if done is not None:
        return Skip("AlreadyMigrated", f"{version} was migrated here before, by deployment {done.deployment}")
    if not claims:
        return Begin(1)
    last = claims[-1]
    if last.status in ("Claimed", "Running", "Unknown"):
        return Resume(last, own=last.deployment == deployment.id and last.status != "Unknown")
    if last.status == "Failed" and deployment.initiated_by.automated:
        code = f" with exit code {last.exit_code}" if last.exit_code is not None else ""
        return Refuse(
            "MigrationFailedBefore",
            f"the migration of {version} failed in deployment {last.deployment}{code}, and only a person starts it "
            f"again: fix it and push, or `ferryman retry {environment}`",
        )
    return Begin(last.attempt + 1)


def key_of(deployment: Deployment) -> str:
    """Return the name under which a deployment's claims are kept: its release's, or its own for a person's command."""
    return deployment.version if deployment.command is None else f"{deployment.version}{_OWN}{deployment.id}"


def release_of(claim: MigrationClaim) -> str:
    """Return the release that a claim is about."""
    return claim.version.partition(_OWN)[0]


def last_migrated(claims: Iterable[MigrationClaim]) -> str | None:
    """Return the release whose migrations the database has: the latest success that no downgrade took back.

    It is not always the one that runs: a release that was rolled back leaves its migrations behind.
    """
    done = _of_releases(claims)
    return max(done, key=lambda claim: claim.at).version if done else None


def taken_back(deployment: Deployment, claims: Iterable[MigrationClaim], older: Iterable[str]) -> list[MigrationClaim]:
    """Return the successes that a `down` took back, or may have: their releases have to migrate again.

    Told by the lists of migrations where they are known, else by the order of releases: `older` are those that are not
    newer than the deployment's. A command without a target of its own release spares none: migrating up once more
    changes nothing where nothing was taken back.
    """
    gone = _after(deployment.plan.migrations if deployment.plan else None, deployment.revision)
    spared = set(older) if deployment.kind == "rollback" else set()

    def took(claim: MigrationClaim) -> bool:
        if gone is not None and claim.migrations is not None:
            return not gone.isdisjoint(claim.migrations)
        return claim.version not in spared

    return [claim for claim in _of_releases(claims) if took(claim)]


def _of_releases(claims: Iterable[MigrationClaim]) -> list[MigrationClaim]:
    return [claim for claim in claims if claim.status == "Succeeded" and _OWN not in claim.version]


def _after(ids: list[str] | None, revision: str | None) -> set[str] | None:
    """Return the migrations that go when the database goes to a revision; None when nobody can tell."""
    if ids is None or revision is None:
        return None
    if revision == "base":
        return set(ids)
    found = [item for item in ids if item == revision] or [item for item in ids if item.startswith(revision)]
    return set(ids[ids.index(found[0]) + 1 :]) if len(found) == 1 else None


def started_by(claim: MigrationClaim) -> str:
    """Return what RunTask and ListTasks know a claim's task by; at most 36 characters."""
    return claim.client_token[:36]


def client_token(deployment: str, attempt: int) -> str:
    """Return the token that makes RunTask idempotent: the same for every run of this attempt; `fm-<ulid>-<attempt>`."""
    return f"fm-{deployment}-{attempt}"


def settled_by_absence(claim: MigrationClaim, now: datetime) -> bool | None:
    """What it means that ECS lists no task of a claim: True, none ever ran; None, ask again later; False, unknown."""
    if now < claim.at + CERTAIN_AFTER:
        return None
    return claim.task is None and claim.status == "Claimed" and now < claim.at + CERTAIN_UNTIL
