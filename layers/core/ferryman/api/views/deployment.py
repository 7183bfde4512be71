"""What the API shows of the records: the shapes that the `ferryman` command prints. Pure."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from ferryman.api.views.approval import ApprovalView
from ferryman.api.views.live_services import Counts
from ferryman.decisions import deployment_steps
from ferryman.decisions.explain.environment import current_step
from ferryman.records import (
    AbortRequest,
    Actor,
    CheckResult,
    Deployment,
    Phase,
    Publication,
    Record,
    Release,
    Step,
    step_keys,
)


class DeploymentSummary(Record):
    """One line of a history."""

    id: str
    platform: str
    environment: str
    version: str
    from_version: str | None
    kind: str
    tag: str | None
    """The semver tag that started it."""
    command: str | None
    """What is done with the database by hand: of migrate, and of a rollback with a downgrade."""
    revision: str | None
    migration: str
    """Of migrate: the name of the migration that it is about, if it has one."""
    revisions: dict[str, str]
    """Of a rollback with a downgrade: where it goes to, by name of the migration."""
    override: str
    """Why an admin had it run without the approval that it needs; "": no admin did."""
    schema_mismatch: str
    """Of a rollback: why the release may not suit the database, which whoever asked for it accepted."""
    why: str
    phase: Phase
    ended: bool
    reason: str
    message: str
    initiated_by: Actor
    approved_by: list[str]
    superseded_by: str | None
    publication: Publication | None
    """How its release on GitHub went."""
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    elapsed_seconds: int
    step: str | None
    """The step that runs, or that began last; None, too, where a list did not read the steps of a large one."""


class StepView(Record):
    """One step, also one that has not begun (`Pending`)."""

    key: str
    kind: deployment_steps.Kind
    service: str | None = None
    migration: str | None = None
    """Name of the migration, if it has one."""
    wave: int | None = None
    status: str = "Pending"
    reason: str = ""
    message: str = ""
    logs: list[str] = Field(default_factory=list)
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    elapsed_seconds: int | None = None
    timeout_seconds: int | None = None
    containers: list[str] = Field(default_factory=list)
    """Of a rollout and of the migration: the containers that get an image of the release."""
    desired: int | None = None
    running: int | None = None
    failed: int | None = None
    exit_code: int | None = None
    checks: list[CheckResult] = Field(default_factory=list)


class DeploymentView(DeploymentSummary):
    """Everything that `ferryman watch` shows."""

    digests: dict[str, str]
    attempts: int
    abort: AbortRequest | None
    approval: ApprovalView | None
    execution_arn: str | None
    waves: list[list[str]]
    steps: list[StepView]


class ReleaseView(Record):
    """One line of the list of releases."""

    version: str
    status: str
    names: list[str]
    components: dict[str, str]
    missing: list[str]
    refused: dict[str, str]
    verified: dict[str, AwareDatetime]
    unchecked: list[str]
    """Those environments of `verified` that have no smoke test."""
    runs_in: list[str]
    failed_in: dict[str, str]
    """Environment → how it ended there, where automation does not start it again or waits for another try."""
    first_seen_at: AwareDatetime
    ready_at: AwareDatetime | None


def summary(deployment: Deployment, now: datetime) -> DeploymentSummary:
    """Return what a history shows of a deployment."""
    return DeploymentSummary(**_summary(deployment, now))


def _summary(deployment: Deployment, now: datetime) -> dict[str, Any]:
    names = [name for name in DeploymentSummary.model_fields if name in Deployment.model_fields]
    return {
        **{name: getattr(deployment, name) for name in names},
        "ended": deployment.phase.terminal,
        "elapsed_seconds": _seconds(deployment.created_at, deployment.ended_at or now),
        "step": None if deployment.is_head else current_step(deployment),
    }


def deployment(
    deployment: Deployment,
    now: datetime,
    live: dict[str, Counts] | None = None,
    approval: ApprovalView | None = None,
) -> DeploymentView:
    """Return all that is to be seen of a deployment; `live` counts replace the recorded ones of running rollouts."""
    return DeploymentView(
        **_summary(deployment, now),
        digests=deployment.digests,
        attempts=deployment.attempts,
        abort=deployment.abort,
        approval=approval,
        execution_arn=deployment.execution_arn,
        waves=deployment.plan.waves if deployment.plan else [],
        steps=[
            _step(_pending(found, deployment), deployment, now, live or {})
            for found in deployment_steps.flow(deployment)
        ],
    )


def _pending(found: deployment_steps.Occurrence, deployment: Deployment) -> StepView:
    """Describe a step as it is before it begins: which one, of which service, and what the plan says about it."""
    view = StepView(key=found.key, kind=found.step.kind, service=found.service, migration=found.migration)
    plan = deployment.plan
    if plan is None:
        return view
    if found.service is not None:
        planned = plan.services.get(found.service)
        return view.but(
            wave=next(number for number, wave in enumerate(plan.waves) if found.service in wave),
            timeout_seconds=planned.timeout_seconds if planned else None,
            containers=list(planned.images) if planned else [],
        )
    name = step_keys.migration_of(found.key)
    task = next((item for item in plan.every_migration if item.name == name), None)
    return view.but(timeout_seconds=task.timeout_seconds, containers=list(task.images)) if task is not None else view


def _step(view: StepView, deployment: Deployment, now: datetime, live: dict[str, Counts]) -> StepView:
    step = deployment.step(view.key)
    if step is None:
        return view
    view = view.but(
        status=str(step.status),
        reason=step.reason,
        message=step.message,
        logs=step.logs,
        started_at=step.started_at,
        ended_at=step.ended_at,
        elapsed_seconds=_seconds(step.started_at, step.ended_at or now),
        checks=step.checks,
        exit_code=step.migration.exit_code if step.migration else None,
    )
    return _counted(view, step, live)


def _counted(view: StepView, step: Step, live: dict[str, Counts]) -> StepView:
    progress = step.rollout
    if progress is None:
        return view
    seen = live.get(progress.service)
    if step.ended_at is None and seen is not None and seen.ecs_deployment == progress.ecs_deployment:
        return view.but(desired=seen.desired, running=seen.running, failed=seen.failed)
    return view.but(desired=progress.desired, running=progress.running, failed=progress.failed)


def release(release: Release, components: list[str], runs_in: list[str], failed_in: dict[str, str]) -> ReleaseView:
    """Return what the list of releases shows of one."""
    return ReleaseView(
        version=release.version,
        status=str(release.status),
        names=release.names,
        components=release.digests,
        missing=[name for name in components if name not in release.components],
        refused=release.refused,
        verified={name: proof.at for name, proof in release.verified.items()},
        unchecked=[name for name, proof in release.verified.items() if proof.checks == 0],
        runs_in=runs_in,
        failed_in=failed_in,
        first_seen_at=release.first_seen_at,
        ready_at=release.ready_at,
    )


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))
