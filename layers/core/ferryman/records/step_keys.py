"""The keys of `Deployment.steps`. Pure. What they mean, and their order: `decisions.deployment_steps`."""

from typing import Literal

Direction = Literal["forward", "back"]

BEGIN = "begin_deployment"
APPROVAL = "approval"
ADMIT = "admit_deployment"
PROMOTION = "promotion"
MIGRATION = "migration"
ROLLOUT = "rollout"
SMOKE_TEST = "smoke_test"
ROLLBACK = "rollback"

_JOB = "job/"
"""No service has a slash in its name, so waves and steps can name services and jobs side by side."""


def migration(name: str) -> str:
    """The step of one migration: `migration`, or `migration/orders` for one that has a name."""
    return f"{MIGRATION}/{name}" if name else MIGRATION


def migration_of(key: str) -> str | None:
    """The name of the migration that a step is about: "" for the one without a name, None for any other step."""
    step, _, name = key.partition("/")
    return name if step == MIGRATION else None


def rollout(service: str, direction: Direction) -> str:
    """The step that brings one service or job forward, or back: `rollout/scr-api`, `rollback/job/nightly-report`."""
    return f"{ROLLOUT if direction == 'forward' else ROLLBACK}/{service}"


def job(name: str) -> str:
    """Return what a job is called in waves, steps and states: `job/nightly-report`."""
    return f"{_JOB}{name}"


def job_name(service: str) -> str | None:
    """Return the name of the job that stands in the place of a service; None for a service."""
    return service.removeprefix(_JOB) if service.startswith(_JOB) else None
