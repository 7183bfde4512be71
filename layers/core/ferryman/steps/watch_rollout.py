"""Is a rollout done? Follows the one ECS deployment that we made, never "is the service stable".

Why: docs/reference/aws-facts.md#rollouts.

Called by watch_rollout (the poll) and by relay_change (ECS events): both read and judge with the same code.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ferryman.clients import task_protection
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import (
    ECSClient,
    ECSDeployment,
    ECSService,
    ECSTask,
    LogsClient,
    MakeClient,
    StepFunctionsClient,
)
from ferryman.clients.ecs import (
    find_task_definition,
    primary,
    running_tasks,
    services,
    stopped_tasks,
    task_definition,
)
from ferryman.clients.task_states import some_stopped, task_state
from ferryman.contracts import DeploymentRef, RolloutVerdict, WatchRolloutInput
from ferryman.decisions import task_verdict
from ferryman.decisions.rollout_verdict import (
    Seen,
    Terms,
    Verdict,
    judge,
    waits_for_old_tasks,
    with_health,
    with_protection,
)
from ferryman.decisions.scale_in_protection import seconds_left
from ferryman.decisions.task_verdict import Fault
from ferryman.decisions.wave_order import stops
from ferryman.ids import Clock, NewId
from ferryman.records import NOT_JUDGED, Deployment, PlannedService, RolloutProgress, Step, StepStatus, Wait, step_keys
from ferryman.records.step_keys import Direction
from ferryman.steps import rollout_health, task_diagnosis
from ferryman.steps.task_diagnosis import container_of
from ferryman.store.step_writer import amend, end
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, remember
from ferryman.suggestions import suggest


@dataclass(frozen=True)
class Edges:
    """What a rollout is read through; `client` makes the clients that only services behind a load balancer need."""

    ecs: ECSClient
    logs: LogsClient
    client: MakeClient


@dataclass(frozen=True)
class Look:
    """What one look at a rollout found; another one may have recorded more meanwhile."""

    at: datetime
    """When it began, before ECS was read."""
    verdict: Verdict
    progress: RolloutProgress
    """As it was recorded before, with what was seen."""
    healthy: bool | None = None
    """Whether all its tasks are healthy; None: it can't be told, or was not looked at."""
    service: ECSService | None = None
    """The service as described."""


def terms(
    deployment: Deployment,
    planned: PlannedService,
    step: Step,
    direction: Direction,
    progress: RolloutProgress,
    *,
    may_proceed: bool = False,
) -> Terms:
    """Return what this rollout is judged against. Pure. On the way back nothing stops it but ECS and the deadline."""
    forward = direction == "forward"
    abort = deployment.abort if forward else None
    return Terms(
        service=planned.name,
        started_at=step.started_at,
        followed_at=progress.followed_at or step.started_at,
        timeout_seconds=planned.timeout_seconds,
        fail_fast=planned.fail_fast if forward else 0,
        digests=planned.accepted if forward else _before(planned),
        back=not forward,
        unsure=forward and planned.unsure,
        aborted=f"{abort.who} asked to abort: {abort.reason}" if abort else None,
        scaled_to_zero=StepStatus.SKIPPED if forward else StepStatus.SUCCEEDED,
        healthy_at=progress.healthy_at,
        lost_at=progress.lost_at,
        drain_seconds=progress.drain_seconds,
        may_proceed=may_proceed and forward and planned.proceed_when == "healthy",
    )


def check(
    deployment: Deployment,
    planned: PlannedService,
    step: Step,
    direction: Direction,
    *,
    edges: Edges,
    now: datetime,
    may_proceed: bool = False,
) -> Look:
    """Read ECS and judge."""
    ecs, cluster = edges.ecs, deployment.require_plan().cluster
    progress = step.rollout or RolloutProgress(service=planned.name, direction=direction)
    service = services(ecs, cluster, [planned.name]).get(planned.name)
    found = _followed(service, progress.ecs_deployment)
    seen = Seen()
    if service is not None and found is not None:
        first = primary(service)
        seen = Seen(
            listed=True,
            primary=first is not None and first["id"] == found["id"],
            state=found.get("rolloutState", ""),
            reason=found.get("rolloutStateReason") or "",
            # The service's own number: autoscaling changes it in the middle.
            desired=service.get("desiredCount", 0),
            running=found.get("runningCount", 0),
            failed=found.get("failedTasks", 0),
        )
        seen = _with_tasks(seen, service, found, planned, direction, edges)
        if direction == "forward" and _asks_whose_fault(seen, now >= _deadline(planned, step)):
            seen = _faults(seen, service, found, cluster, planned.name, ecs)
        progress = progress.but(desired=seen.desired, running=seen.running, failed=seen.failed)
        progress = with_health(progress, seen.healthy, now)
        if progress.healthy_at is not None and progress.drain_seconds is None:
            progress = progress.but(drain_seconds=_drain_seconds(service, found, edges, now))
    limits = terms(deployment, planned, step, direction, progress, may_proceed=may_proceed)
    verdict = judge(seen, limits, now)
    if service is not None and waits_for_old_tasks(verdict):
        verdict = with_protection(verdict, task_protection.of_old_tasks(ecs, service))
    return Look(now, verdict, progress, seen.healthy, service)


def _with_tasks(
    seen: Seen,
    service: ECSService,
    followed: ECSDeployment,
    planned: PlannedService,
    direction: Direction,
    edges: Edges,
) -> Seen:
    """Look at the tasks of the followed deployment, once there are enough of them: their images and their health."""
    going = seen.state == "IN_PROGRESS" and seen.primary
    if going and seen.running < seen.desired:
        return replace(seen, healthy=False)
    if not going and (seen.state != "COMPLETED" or (direction == "back" and not planned.rollback_digests)):
        return seen
    listed = running_tasks(edges.ecs, service["clusterArn"], planned.name, followed["taskDefinition"])
    tasks = _of_deployment([task for task in listed if task.get("lastStatus") == "RUNNING"], followed)
    containers = planned.images if direction == "forward" else planned.rollback_digests
    seen = replace(seen, digests=_digests(tasks, containers), tasks=len(tasks))
    if not going:
        return seen
    try:
        definition = task_definition(edges.ecs, followed["taskDefinition"])
    except Refusal:
        return seen
    found = rollout_health.health(tasks, definition, service, ecs=edges.ecs, client=edges.client)
    return replace(seen, healthy=found.healthy, unread=found.unread)


def _before(planned: PlannedService) -> dict[str, frozenset[str]] | None:
    """Return the images that a way back goes to, where they were noted because only tags named them."""
    children = planned.rollback_children
    return {name: frozenset({digest, *children}) for name, digest in planned.rollback_digests.items()} or None


def _of_deployment(tasks: list[ECSTask], followed: ECSDeployment) -> list[ECSTask]:
    """Return the tasks that this deployment started: a forced one has the task definition of the one before.

    ECS may count tasks to it that another one started, as after a rollback: then all of the task definition are its.
    """
    own = [task for task in tasks if task.get("startedBy") == followed["id"]]
    return own if len(own) >= followed.get("runningCount", 0) else tasks


def _drain_seconds(service: ECSService, followed: ECSDeployment, edges: Edges, now: datetime) -> int:
    definitions = []
    for arn in dict.fromkeys([followed["taskDefinition"], *(d["taskDefinition"] for d in service["deployments"])]):
        found = find_task_definition(edges.ecs, arn)
        definitions += [found] if found is not None else []
    left = seconds_left(task_protection.of_old_tasks(edges.ecs, service), now)
    return rollout_health.drain_seconds(service, definitions, client=edges.client, protected_seconds=left)


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
    edges: Edges,
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
            may_proceed=event.may_proceed,
            at=clock(),
        ),
    )
    verdict = settle(
        event,
        event.service,
        event.direction,
        store=store,
        edges=edges,
        clock=clock,
        new_id=new_id,
        may_proceed=event.may_proceed,
    )
    if verdict is not None:
        answer_all(store, states, planned.arn, event.deployment, key, verdict)


def settle(
    ref: DeploymentRef,
    service: str,
    direction: Direction,
    *,
    store: Store,
    edges: Edges,
    clock: Clock,
    new_id: NewId,
    shown: ECSTask | None = None,
    may_proceed: bool = False,
) -> RolloutVerdict | None:
    """Judge one service's rollout and record it; None while it goes on. Safe to run from several places at once.

    `shown` is one of the service's tasks as an event showed it. `may_proceed`: whoever waits takes the answer Healthy.
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
        return RolloutVerdict(service=service, verdict="Errored", reason=NOT_JUDGED)
    planned = deployment.planned(service)
    look = check(deployment, planned, step, direction, edges=edges, now=clock(), may_proceed=may_proceed)
    verdict = look.verdict
    first = _first_stopped(shown, look.progress, edges.ecs)
    if first:
        look = replace(look, progress=look.progress.but(first_stopped=first))
    if verdict.status is None:
        amend(store, ref, key, lambda running: running.but(rollout=_newer(running, look)))
        return RolloutVerdict(service=service, verdict="Healthy") if verdict.proceeds else None
    message, lines = verdict.message, list[str]()
    step = step.but(rollout=look.progress)
    if verdict.status in (StepStatus.FAILED, StepStatus.ERRORED):
        message, lines = _explained(verdict, deployment, planned, step, direction, look.service, edges=edges)
    ended = end(
        store,
        ref,
        key,
        lambda running: running.but(
            status=verdict.status,
            reason=verdict.reason,
            message=message,
            logs=lines,
            rollout=_newer(running, look),
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


def _newer(running: Step, look: Look) -> RolloutProgress:
    """Note what a look saw on the progress as it is recorded now, which a faster look may have written meanwhile."""
    seen = look.progress
    known = running.rollout or seen
    return with_health(known, look.healthy, look.at).but(
        desired=seen.desired,
        running=seen.running,
        failed=seen.failed,
        drain_seconds=seen.drain_seconds if known.drain_seconds is None else known.drain_seconds,
        first_stopped=seen.first_stopped or known.first_stopped,
    )


def _explained(
    verdict: Verdict,
    deployment: Deployment,
    planned: PlannedService,
    step: Step,
    direction: Direction,
    service: ECSService | None,
    *,
    edges: Edges,
) -> tuple[str, list[str]]:
    progress = step.rollout or RolloutProgress(service=planned.name, direction=direction)
    found = _followed(service, progress.ecs_deployment)
    why = task_diagnosis.rollout(
        edges.ecs,
        edges.logs,
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
        after = f"Fix it and push, or run {suggest('retry', deployment.environment, p=deployment.platform)}."
    else:
        after = f"Look at the service in ECS: it is not back on its last good revision; then {suggest('resume', deployment.environment, p=deployment.platform)}."  # noqa: E501
    return f"{verdict.message} {why.message} {after}", why.logs


def _told(service: str, step: Step) -> RolloutVerdict:
    return RolloutVerdict.model_validate({"service": service, "verdict": str(step.status), "reason": step.reason})


def _followed(service: ECSService | None, ecs_deployment: str | None) -> ECSDeployment | None:
    return next((found for found in (service or {}).get("deployments", []) if found["id"] == ecs_deployment), None)


def _digests(tasks: list[ECSTask], containers: Iterable[str]) -> dict[str, frozenset[str]]:
    found = {name: {(container_of(task, name) or {}).get("imageDigest") for task in tasks} for name in containers}
    return {name: told for name, digests in found.items() if (told := frozenset(item for item in digests if item))}
