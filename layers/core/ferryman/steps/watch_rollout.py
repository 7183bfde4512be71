"""Is a rollout done? Follows the one ECS deployment that we made, never "is the service stable".

Why: docs/reference/aws-facts.md#rollouts.

Called by watch_rollout (the poll) and by relay_change (ECS events): both read and judge with the same code.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.clients.aws_types import ECSClient, ECSDeployment, ECSService, ECSTask, LogsClient, StepFunctionsClient
from ferryman.clients.ecs import primary, running_tasks, services
from ferryman.contracts import DeploymentRef, RolloutVerdict, WatchRolloutInput
from ferryman.decisions.wave_order import stops
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, PlannedService, RolloutProgress, Step, StepStatus, Wait, step_keys
from ferryman.records.step_keys import Direction
from ferryman.steps import rollout_diagnosis
from ferryman.steps.rollout_diagnosis import container_of
from ferryman.store.step_writer import amend, end
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, remember

UNLISTED = timedelta(seconds=60)
"""How long ECS may take to list a deployment that it answered with (eventual consistency)."""


@dataclass(frozen=True)
class Seen:
    """What ECS says about the deployment that we follow."""

    listed: bool = False
    primary: bool = False
    state: str = ""
    """`rolloutState`: IN_PROGRESS, COMPLETED or FAILED."""
    reason: str = ""
    desired: int = 0
    running: int = 0
    failed: int = 0
    digests: frozenset[str] | None = None
    """Image digests of its running tasks' named container; None when there is no such task or they don't tell."""
    tasks: int = 0
    """Its running tasks. Read, as the digests are, only once it is COMPLETED."""


@dataclass(frozen=True)
class Terms:
    """What a rollout is judged against."""

    service: str
    started_at: datetime
    followed_at: datetime
    timeout_seconds: int
    fail_fast: int
    digests: frozenset[str] | None
    """Either of them is the release; None: not checked (the way back)."""
    aborted: str | None = None
    scaled_to_zero: StepStatus = StepStatus.SKIPPED


@dataclass(frozen=True)
class Verdict:
    """How a rollout ended, or (status None) that it goes on."""

    status: StepStatus | None
    reason: str = ""
    message: str = ""


WAITING = Verdict(None)
_ROLLED_BACK = ("BreakerRolledBack", "gave the new deployment up and rolled back by itself")


def judge(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    """Decide. Pure.

    What the deployment became comes first, then how it goes; the deadline is last, but nothing escapes it.
    """
    name = terms.service
    if terms.aborted is not None:
        return Verdict(StepStatus.ABORTED, "AbortRequested", f"{name}: stopped waiting, {terms.aborted}")
    if not seen.listed:
        if now < terms.followed_at + UNLISTED:
            return WAITING
        return _failed("DeploymentGone", f"{name}: ECS no longer has our deployment: it was rolled back or replaced.")
    if seen.state == "FAILED":
        back, what = ("BreakerTripped", "gave the new deployment up") if seen.primary else _ROLLED_BACK
        return _failed(back, f"{name}: ECS {what}{f' ({seen.reason})' if seen.reason else ''}.")
    if not seen.primary:
        return _failed(
            "Replaced", f"{name}: another deployment took the place of ours: rolled back, or updated by others."
        )
    if seen.state == "COMPLETED":
        return _completed(seen, terms, now)
    if terms.fail_fast and seen.failed >= terms.fail_fast:
        why = f"{seen.failed} tasks failed, and failFast allows fewer than {terms.fail_fast}"
        return _failed("FailFast", f"{name}: {why}.")
    return _in_time(seen, terms, now)


def _completed(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    name = terms.service
    if seen.desired == 0:
        said = f"{name} is scaled to zero: it has the new revision, but nothing runs that could prove it"
        return Verdict(terms.scaled_to_zero, "ScaledToZero", said)
    if terms.digests is None:
        return Verdict(StepStatus.SUCCEEDED, "Completed", f"{name} is back on its last good revision")
    if seen.tasks == 0:
        return _in_time(seen, terms, now)
    if seen.digests is not None and not seen.digests <= terms.digests:
        wrong = ", ".join(sorted(seen.digests - terms.digests))
        return _failed("WrongImage", f"{name}: its tasks run {wrong}, which is not the release's image.")
    return Verdict(StepStatus.SUCCEEDED, "Completed", f"{name} runs the release ({seen.running}/{seen.desired})")


def _in_time(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    if now < terms.started_at + timedelta(seconds=terms.timeout_seconds):
        return WAITING
    spent = f"not stable after {terms.timeout_seconds} s"
    return _failed("DeadlineExceeded", f"{terms.service}: {spent} ({seen.running}/{seen.desired} run).")


def _failed(reason: str, message: str) -> Verdict:
    return Verdict(StepStatus.FAILED, reason, message)


def terms(deployment: Deployment, planned: PlannedService, step: Step, direction: Direction) -> Terms:
    """Return what this rollout is judged against. Pure. On the way back nothing stops it but ECS and the deadline."""
    forward = direction == "forward"
    progress = step.rollout or RolloutProgress(service=planned.name, direction=direction)
    abort = deployment.abort if forward else None
    return Terms(
        service=planned.name,
        started_at=step.started_at,
        followed_at=progress.followed_at or step.started_at,
        timeout_seconds=planned.timeout_seconds,
        fail_fast=planned.fail_fast if forward else 0,
        digests=frozenset({planned.digest, planned.platform_digest}) if forward else None,
        aborted=f"{abort.who} asked to abort: {abort.reason}" if abort else None,
        scaled_to_zero=StepStatus.SKIPPED if forward else StepStatus.SUCCEEDED,
    )


def check(
    deployment: Deployment, planned: PlannedService, step: Step, direction: Direction, *, ecs: ECSClient, now: datetime
) -> tuple[Verdict, RolloutProgress, ECSService | None]:
    """Read ECS and judge. Return the verdict, the progress as it now is, and the service as described."""
    cluster = deployment.require_plan().cluster
    progress = step.rollout or RolloutProgress(service=planned.name, direction=direction)
    service = services(ecs, cluster, [planned.name]).get(planned.name)
    found = _followed(service, progress.ecs_deployment)
    seen = Seen()
    if service is not None and found is not None:
        first = primary(service)
        state = found.get("rolloutState", "")
        tasks: list[ECSTask] = []
        if state == "COMPLETED" and direction == "forward":
            tasks = running_tasks(ecs, cluster, planned.name, found["taskDefinition"])
        tasks = [task for task in tasks if task.get("lastStatus") == "RUNNING"]
        seen = Seen(
            listed=True,
            primary=first is not None and first["id"] == found["id"],
            state=state,
            reason=found.get("rolloutStateReason") or "",
            # The service's own number: autoscaling changes it in the middle.
            desired=service.get("desiredCount", 0),
            running=found.get("runningCount", 0),
            failed=found.get("failedTasks", 0),
            digests=_digests(tasks, planned.container),
            tasks=len(tasks),
        )
        progress = progress.but(desired=seen.desired, running=seen.running, failed=seen.failed)
    return judge(seen, terms(deployment, planned, step, direction), now), progress, service


def watch(
    event: WatchRolloutInput,
    *,
    store: Store,
    ecs: ECSClient,
    logs: LogsClient,
    states: StepFunctionsClient,
    clock: Clock,
    new_id: NewId,
) -> None:
    """Remember the token, then judge; a verdict answers it at once. Else an event or the time-out comes next."""
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    planned = deployment.planned(event.service)
    key = step_keys.rollout(event.service, event.direction)
    remember(
        store,
        Wait(
            resource=planned.arn,
            platform=event.platform,
            environment=event.environment,
            deployment=event.deployment,
            fence=event.fence,
            step=key,
            token=event.task_token,
            service=event.service,
            direction=event.direction,
            at=clock(),
        ),
    )
    verdict = settle(event, event.service, event.direction, store=store, ecs=ecs, logs=logs, clock=clock, new_id=new_id)
    if verdict is not None:
        answer_all(store, states, planned.arn, event.deployment, key, verdict)


def settle(
    ref: DeploymentRef,
    service: str,
    direction: Direction,
    *,
    store: Store,
    ecs: ECSClient,
    logs: LogsClient,
    clock: Clock,
    new_id: NewId,
) -> RolloutVerdict | None:
    """Judge one service's rollout and record it; None while it goes on. Safe to run from several places at once."""
    deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
    planned = deployment.planned(service)
    key = step_keys.rollout(service, direction)
    step = deployment.step(key)
    if step is None:
        # update_service recorded nothing, on purpose.
        if direction == "back":
            return RolloutVerdict(service=service, verdict="Skipped", reason="Untouched")
        return RolloutVerdict(service=service, verdict="Stopped", reason=stops(deployment, service) or "NotStarted")
    if step.status is not StepStatus.RUNNING:
        return _told(service, step)
    verdict, progress, raw = check(deployment, planned, step, direction, ecs=ecs, now=clock())
    if verdict.status is None:
        amend(store, ref, key, lambda running: running.but(rollout=_newer(running, progress)))
        return None
    message, lines = verdict.message, list[str]()
    if verdict.status is StepStatus.FAILED:
        message, lines = _explained(verdict, deployment, planned, step, direction, raw, ecs=ecs, logs=logs)
    ended = end(
        store,
        ref,
        key,
        lambda running: running.but(
            status=verdict.status,
            reason=verdict.reason,
            message=message,
            logs=lines,
            rollout=_newer(running, progress),
        ),
        clock=clock,
        new_id=new_id,
    )
    return _told(service, ended)


def _newer(running: Step, progress: RolloutProgress) -> RolloutProgress:
    """Take the counts just seen, and leave everything else as it is recorded now."""
    counts = {"desired": progress.desired, "running": progress.running, "failed": progress.failed}
    return (running.rollout or progress).but(**counts)


def _explained(
    verdict: Verdict,
    deployment: Deployment,
    planned: PlannedService,
    step: Step,
    direction: Direction,
    service: ECSService | None,
    *,
    ecs: ECSClient,
    logs: LogsClient,
) -> tuple[str, list[str]]:
    progress = step.rollout or RolloutProgress(service=planned.name, direction=direction)
    found = _followed(service, progress.ecs_deployment)
    why = rollout_diagnosis.rollout(
        ecs,
        logs,
        cluster=deployment.require_plan().cluster,
        service=service,
        name=planned.name,
        container=planned.container,
        definition=progress.task_definition or "",
        since=found["createdAt"] if found else step.started_at,
    )
    if direction == "forward":
        after = f"Fix it and push, or run `ferryman retry {deployment.environment}`."
    else:
        after = f"Look at the service in ECS: it is not back on its last good revision; then `ferryman resume {deployment.environment}`."  # noqa: E501
    return f"{verdict.message} {why.message} {after}", why.logs


def _told(service: str, step: Step) -> RolloutVerdict:
    return RolloutVerdict.model_validate({"service": service, "verdict": str(step.status), "reason": step.reason})


def _followed(service: ECSService | None, ecs_deployment: str | None) -> ECSDeployment | None:
    return next((found for found in (service or {}).get("deployments", []) if found["id"] == ecs_deployment), None)


def _digests(tasks: list[ECSTask], container: str) -> frozenset[str] | None:
    found = {(container_of(task, container) or {}).get("imageDigest") for task in tasks}
    told = frozenset(digest for digest in found if digest)
    return told or None
