"""What the API shows of the records: the shapes that the `ferryman` command prints. Pure."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from ferryman.api.views.approval import ApprovalView
from ferryman.api.views.live_services import Counts
from ferryman.decisions import deployment_report
from ferryman.decisions.explain.environment import current_step
from ferryman.records import (
    AbortRequest,
    Actor,
    CheckResult,
    Deployment,
    Phase,
    Plan,
    Publication,
    Record,
    Release,
    Step,
)
from ferryman.records import step_keys as steps

StepKind = Literal["begin", "approval", "admit", "promotion", "migration", "rollout", "rollback", "smokeTest"]


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
    """The step that runs, or that began last."""


class StepView(Record):
    """One step, also one that has not begun (`Pending`)."""

    key: str
    kind: StepKind
    service: str | None = None
    wave: int | None = None
    status: str = "Pending"
    reason: str = ""
    message: str = ""
    logs: list[str] = Field(default_factory=list)
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    elapsed_seconds: int | None = None
    timeout_seconds: int | None = None
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
    runs_in: list[str]
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
        "step": current_step(deployment),
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
        steps=[_step(view, deployment, now, live or {}) for view in _flow(deployment)],
    )


_KINDS: dict[str, StepKind] = {
    steps.BEGIN: "begin",
    steps.APPROVAL: "approval",
    steps.ADMIT: "admit",
    steps.PROMOTION: "promotion",
    steps.MIGRATION: "migration",
    steps.SMOKE_TEST: "smokeTest",
}


def _flow(deployment: Deployment) -> list[StepView]:
    """Describe all steps in the order of the flow."""
    plan = deployment.plan
    rollouts = {
        view.key: view
        for number, wave in enumerate(plan.waves if plan else [])
        for name in wave
        for view in _rollouts(name, number, plan)
    }
    limit = plan.migration.timeout_seconds if plan and plan.migration else None
    return [
        rollouts.get(key)
        or StepView(key=key, kind=_KINDS[key], timeout_seconds=limit if key == steps.MIGRATION else None)
        for key in deployment_report.flow(deployment)
    ]


def _rollouts(service: str, wave: int, plan: Plan | None) -> tuple[StepView, StepView]:
    """Describe the way forward and the way back of one service."""
    planned = plan.services.get(service) if plan else None
    about: dict[str, Any] = {
        "service": service,
        "wave": wave,
        "timeout_seconds": planned.timeout_seconds if planned else None,
    }
    return (
        StepView(key=steps.rollout(service, "forward"), kind="rollout", **about),
        StepView(key=steps.rollout(service, "back"), kind="rollback", **about),
    )


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


def release(release: Release, components: list[str], runs_in: list[str]) -> ReleaseView:
    """Return what the list of releases shows of one."""
    return ReleaseView(
        version=release.version,
        status=str(release.status),
        names=release.names,
        components=release.digests,
        missing=[name for name in components if name not in release.components],
        refused=release.refused,
        verified={name: proof.at for name, proof in release.verified.items()},
        runs_in=runs_in,
        first_seen_at=release.first_seen_at,
        ready_at=release.ready_at,
    )


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))
