"""May this deployment migrate, and with which attempt? At most one success per environment and release. Pure.

Called by `ferryman.migration`. The claim is written before RunTask, so that nothing runs that no record knows of.
"""

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


NO_MIGRATION = Skip("NoMigration", "this deployment has no migration")
Decision = Skip | Refuse | Resume | Begin


def decide(deployment: Deployment, claims: list[MigrationClaim]) -> Decision:
    """Decide from the attempts so far, first to last.

    NotStarted means that no task ran: automation may try again. Failed means that one did: a person has to want it.
    """
    version, environment = deployment.version, deployment.environment
    if deployment.kind == "rollback":
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
