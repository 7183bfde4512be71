"""Is a rollout done? Follows the one ECS deployment that we made, never "is the service stable".

Why: docs/reference/aws-facts.md#rollouts.

Called by watch_rollout (the poll) and by relay_change (ECS events): both read and judge with the same code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECSClient, ECSDeployment, ECSService, ECSTask, LogsClient, StepFunctionsClient
from ferryman.clients.ecs import primary, running_tasks, services, stopped_tasks, task_definition
from ferryman.clients.task_states import some_stopped, task_state
from ferryman.contracts import DeploymentRef, RolloutVerdict, WatchRolloutInput
from ferryman.decisions import task_verdict
from ferryman.decisions.task_verdict import Fault
from ferryman.decisions.wave_order import stops
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, PlannedService, RolloutProgress, Step, StepStatus, Wait, step_keys
from ferryman.records.step_keys import Direction
from ferryman.steps import task_diagnosis
from ferryman.steps.task_diagnosis import container_of
from ferryman.store.step_writer import amend, end
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, remember
from ferryman.text import listed

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
    not_its_fault: int = 0
    """Of the failed tasks those that AWS failed: capacity, secrets, the registry, the host."""
    only_aws: bool = False
    """Whether all that failed was AWS's fault."""
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Container → image digests in its running tasks; without those that no task tells."""
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
    digests: Mapping[str, frozenset[str]] | None
    """Container → image digests that are the release; None: not checked (the way back)."""
    unsure: bool = False
    """Whether nobody could tell which image of the index runs here."""
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
        return _blamed(seen, back, f"{name}: ECS {what}{f' ({seen.reason})' if seen.reason else ''}.")
    if not seen.primary:
        return _failed(
            "Replaced", f"{name}: another deployment took the place of ours: rolled back, or updated by others."
        )
    if seen.state == "COMPLETED":
        return _completed(seen, terms, now)
    at_fault = seen.failed - seen.not_its_fault
    if terms.fail_fast and at_fault >= terms.fail_fast:
        why = f"{at_fault} tasks failed, and failFast allows fewer than {terms.fail_fast}"
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
    wrong = {
        container: sorted(found)
        for container, accepted in terms.digests.items()
        if (found := seen.digests.get(container, frozenset()) - accepted)
    }
    if wrong:
        runs = " and ".join(f"container {container} runs {', '.join(found)}" for container, found in wrong.items())
        return _failed("WrongImage", f"{name}: {runs}, which is not the release's image.")
    containers = f" in {listed(terms.digests)}" if len(terms.digests) > 1 else ""
    said = f"{name} runs the release{containers} ({seen.running}/{seen.desired})"
    if terms.unsure:
        said += "; its task definition does not tell its platform, so each image of the index counts as the release"
    return Verdict(StepStatus.SUCCEEDED, "Completed", said)


def _in_time(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    if now < terms.started_at + timedelta(seconds=terms.timeout_seconds):
        return WAITING
    spent = f"not stable after {terms.timeout_seconds} s"
    return _blamed(seen, "DeadlineExceeded", f"{terms.service}: {spent} ({seen.running}/{seen.desired} run).")


def _blamed(seen: Seen, reason: str, message: str) -> Verdict:
    """It did not come about: Errored when nothing but AWS was at fault, so that it is tried again."""
    return Verdict(StepStatus.ERRORED, reason, message) if seen.only_aws else _failed(reason, message)


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
        digests=planned.accepted if forward else None,
        unsure=forward and planned.unsure,
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
            digests=_digests(tasks, planned.images),
            tasks=len(tasks),
        )
        if direction == "forward" and _asks_whose_fault(seen, now >= _deadline(planned, step)):
            seen = _faults(seen, service, found, cluster, planned.name, ecs)
        progress = progress.but(desired=seen.desired, running=seen.running, failed=seen.failed)
    return judge(seen, terms(deployment, planned, step, direction), now), progress, service


def _deadline(planned: PlannedService, step: Step) -> datetime:
    return step.started_at + timedelta(seconds=planned.timeout_seconds)


def _asks_whose_fault(seen: Seen, late: bool) -> bool:
    return seen.failed > 0 or seen.state == "FAILED" or late


def _faults(seen: Seen, service: ECSService, followed: ECSDeployment, cluster: str, name: str, ecs: ECSClient) -> Seen:
    """Count whose fault it is that tasks of the followed deployment stopped.

    What can't be read is the release's, as ECS counts it.
    """
    since = followed["createdAt"]
    try:
        stopped = stopped_tasks(ecs, cluster, name, followed["taskDefinition"], since)
        definition = task_definition(ecs, followed["taskDefinition"]) if stopped else None
    except Refusal:
        return seen
    faults = [task_verdict.fault(task_state(task, definition)) for task in stopped]
    by_aws, by_release = faults.count(Fault.AWS), faults.count(Fault.RELEASE)
    events = [event["message"] for event in service.get("events", []) if event["createdAt"] >= since]
    # ECS counts what found no place as failed, too, and then there are no tasks to look at.
    unplaced = task_verdict.no_capacity(events) and not by_release
    return replace(
        seen,
        not_its_fault=seen.failed if unplaced else min(by_aws, seen.failed),
        only_aws=(by_aws > 0 or unplaced) and not by_release,
    )


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
    planned = deployment.planned_job(event.service) or deployment.planned(event.service)
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
    shown: ECSTask | None = None,
) -> RolloutVerdict | None:
    """Judge one service's rollout and record it; None while it goes on. Safe to run from several places at once.

    `shown` is one of the service's tasks as an event showed it.
    """
    deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
    job = deployment.planned_job(service)
    key = step_keys.rollout(service, direction)
    step = deployment.step(key)
    if step is None:
        # update_service recorded nothing, on purpose.
        if direction == "back":
            return RolloutVerdict(service=service, verdict="Skipped", reason="Untouched")
        return RolloutVerdict(service=service, verdict="Stopped", reason=stops(deployment, service) or "NotStarted")
    if step.status is not StepStatus.RUNNING:
        return _told(service, step)
    if job is not None:
        # move_job ends its step before it answers: nothing comes that could be waited for.
        return RolloutVerdict(service=service, verdict="Errored", reason="NotJudged")
    planned = deployment.planned(service)
    verdict, progress, raw = check(deployment, planned, step, direction, ecs=ecs, now=clock())
    first = _first_stopped(shown, progress, ecs)
    if first:
        progress = progress.but(first_stopped=first)
    if verdict.status is None:
        amend(store, ref, key, lambda running: running.but(rollout=_newer(running, progress)))
        return None
    message, lines = verdict.message, list[str]()
    step = step.but(rollout=progress)
    if verdict.status in (StepStatus.FAILED, StepStatus.ERRORED):
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


def _first_stopped(shown: ECSTask | None, progress: RolloutProgress, ecs: ECSClient) -> str:
    """Return `<task id>/<container>` where an event shows one essential container of a new task stopped, not all."""
    definition = progress.task_definition
    if shown is None or definition is None or shown.get("taskDefinitionArn") != definition or not some_stopped(shown):
        return ""
    try:
        state = task_state(shown, task_definition(ecs, definition))
    except Refusal:
        return ""
    first = task_verdict.seen_to_stop_first(state)
    return f"{shown['taskArn'].rsplit('/', 1)[-1]}/{first}" if first else ""


def _newer(running: Step, progress: RolloutProgress) -> RolloutProgress:
    """Take the counts just seen, and leave everything else as it is recorded now."""
    counts = {"desired": progress.desired, "running": progress.running, "failed": progress.failed}
    known = running.rollout or progress
    return known.but(**counts, first_stopped=progress.first_stopped or known.first_stopped)


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
    why = task_diagnosis.rollout(
        ecs,
        logs,
        cluster=deployment.require_plan().cluster,
        service=service,
        name=planned.name,
        container=planned.container,
        definition=progress.task_definition or "",
        since=found["createdAt"] if found else step.started_at,
        first_stopped=progress.first_stopped,
    )
    if verdict.status is StepStatus.ERRORED:
        after = "AWS was at fault, not the release."
    elif direction == "forward":
        after = f"Fix it and push, or run `ferryman retry {deployment.environment}`."
    else:
        after = f"Look at the service in ECS: it is not back on its last good revision; then `ferryman resume {deployment.environment}`."  # noqa: E501
    return f"{verdict.message} {why.message} {after}", why.logs


def _told(service: str, step: Step) -> RolloutVerdict:
    return RolloutVerdict.model_validate({"service": service, "verdict": str(step.status), "reason": step.reason})


def _followed(service: ECSService | None, ecs_deployment: str | None) -> ECSDeployment | None:
    return next((found for found in (service or {}).get("deployments", []) if found["id"] == ecs_deployment), None)


def _digests(tasks: list[ECSTask], containers: Iterable[str]) -> dict[str, frozenset[str]]:
    found = {name: {(container_of(task, name) or {}).get("imageDigest") for task in tasks} for name in containers}
    return {name: told for name, digests in found.items() if (told := frozenset(item for item in digests if item))}
