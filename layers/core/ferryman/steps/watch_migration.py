"""Is the migration done? Judged by the named container's exit code, and by nothing else.

Called by watch_migration (the poll) and by relay_change (ECS task events): both read and judge with the same code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.clients import container_logs
from ferryman.clients import ecs as edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECSClient, ECSTask, LogsClient, StepFunctionsClient
from ferryman.clients.stepfunctions import send_task_success
from ferryman.contracts import DeploymentRef, MigrationVerdict, WatchMigrationInput
from ferryman.decisions import migration_attempts as claims
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, MigrationProgress, PlannedMigration, Step, StepStatus, Wait, step_keys
from ferryman.records.writes import Fenced, Save, Write
from ferryman.steps import rollout_diagnosis
from ferryman.steps.rollout_diagnosis import container_of
from ferryman.store.step_writer import check_claim, end
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, remember

UNLISTED = timedelta(seconds=60)
"""How long DescribeTasks may miss a task that RunTask answered with (eventual consistency)."""
STOPPING = timedelta(seconds=180)
"""How long a task may take to stop: SIGTERM, up to 120 s of stopTimeout, SIGKILL, deprovisioning."""


_AT_ONCE = 50
"""Claims in one transaction; DynamoDB takes 100 actions."""


@dataclass(frozen=True)
class Seen:
    """What ECS says about the task."""

    listed: bool = False
    stopped: bool = False
    """The task's lastStatus is STOPPED: nothing follows, and its log is complete."""
    exit_code: int | None = None
    """Of the named container; absent when it never started or still runs."""
    stop_code: str = ""
    why: str = ""
    status: str = ""
    ending: bool = False
    """Its desiredStatus is STOPPED: somebody stopped it, or an essential container ended."""

    @property
    def by_itself(self) -> bool:
        """Whether the container ended without being told to: a program may well exit with 0 on SIGTERM."""
        return self.stop_code == "EssentialContainerExited" or (
            not self.stop_code and (self.stopped or not self.ending)
        )


@dataclass(frozen=True)
class Terms:
    """What a migration is judged against."""

    started_at: datetime
    followed_at: datetime
    timeout_seconds: int
    aborted_at: datetime | None = None
    aborted: str = ""


@dataclass(frozen=True)
class Verdict:
    """How it ended; status None: it goes on. `stop` says why its task has to be stopped, if it has to."""

    status: StepStatus | None
    reason: str = ""
    message: str = ""
    stop: str | None = None


def judge(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    """Decide. Pure. Never waits for RUNNING: some migrations are done before anybody saw them run."""
    if not seen.listed:
        if now < terms.followed_at + UNLISTED:
            return Verdict(None)
        return Verdict(
            StepStatus.ERRORED, "OutcomeUnknown", "ECS no longer knows its task, so its exit code is unknown"
        )
    deadline = terms.started_at + timedelta(seconds=terms.timeout_seconds)
    late = now >= deadline
    if seen.exit_code == 0 and seen.by_itself:
        return Verdict(StepStatus.SUCCEEDED, "Completed", "ended with exit code 0")
    if terms.aborted_at is not None:
        stop = None if seen.stopped else terms.aborted
        if stop is not None and now < terms.aborted_at + STOPPING:
            return Verdict(None, stop=stop)
        return Verdict(StepStatus.ABORTED, "AbortRequested", f"was stopped: {terms.aborted}", stop)
    if seen.stopped and not (late and seen.stop_code == "UserInitiated"):
        return _stopped(seen)
    if not late:
        return Verdict(None)
    spent = f"was not done after {terms.timeout_seconds} s and was stopped ({seen.status or 'not started'})"
    stop = None if seen.stopped else f"not done after {terms.timeout_seconds} s"
    if stop is not None and now < deadline + STOPPING:
        return Verdict(None, stop=stop)
    return Verdict(StepStatus.FAILED, "DeadlineExceeded", spent, stop)


def _stopped(seen: Seen) -> Verdict:
    why = f" ({seen.why})" if seen.why else ""
    if seen.exit_code is None:
        return Verdict(StepStatus.FAILED, "TaskFailedToStart", f"never started{why}")
    if seen.exit_code == 0:
        return Verdict(StepStatus.FAILED, "Stopped", f"was stopped before it was done{why}")
    return Verdict(StepStatus.FAILED, "NonZeroExit", f"exited with code {seen.exit_code}{why}")


def read(task: ECSTask | None, container: str) -> Seen:
    """Take what counts out of a described task. Pure."""
    if task is None:
        return Seen()
    state = container_of(task, container) or {}
    why = [str(text) for text in (state.get("reason"), task.get("stoppedReason")) if text]
    return Seen(
        listed=True,
        stopped=task.get("lastStatus") == "STOPPED",
        exit_code=state.get("exitCode"),
        stop_code=task.get("stopCode") or "",
        why="; ".join(dict.fromkeys(why))[:400],
        status=task.get("lastStatus") or "",
        ending=task.get("desiredStatus") == "STOPPED",
    )


def watch(
    event: WatchMigrationInput,
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
    step = deployment.step(step_keys.MIGRATION)
    task = step.migration.task if step is not None and step.migration is not None else None
    if task is not None:
        remember(
            store,
            Wait(
                resource=task,
                platform=event.platform,
                environment=event.environment,
                deployment=event.deployment,
                fence=event.fence,
                step=step_keys.MIGRATION,
                token=event.task_token,
                at=clock(),
            ),
        )
    verdict = settle(event, store=store, ecs=ecs, logs=logs, clock=clock, new_id=new_id)
    if verdict is None:
        return
    if task is not None:
        answer_all(store, states, task, event.deployment, step_keys.MIGRATION, verdict)
    else:
        send_task_success(states, event.task_token, verdict)


def settle(
    ref: DeploymentRef, *, store: Store, ecs: ECSClient, logs: LogsClient, clock: Clock, new_id: NewId
) -> MigrationVerdict | None:
    """Judge a deployment's migration and record it; None while it goes on. Safe to run from several places at once."""
    deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
    plan = deployment.require_plan()
    planned, step = plan.migration, deployment.step(step_keys.MIGRATION)
    if step is None or planned is None:
        return MigrationVerdict(verdict="Failed", reason="NotStarted")
    progress = step.migration
    if step.status is not StepStatus.RUNNING or progress is None or progress.task is None:
        return _told(step)
    task = edge.task(ecs, plan.cluster, progress.task)
    seen = read(task, planned.container)
    verdict = judge(seen, _terms(deployment, planned, step, progress), clock())
    if verdict.stop is not None:
        # A deployment that lost its claim must not stop a task that another one follows now.
        check_claim(store, ref)
        edge.stop_task(ecs, plan.cluster, progress.task, f"Ferryman: {verdict.stop}")
    if verdict.status is None:
        return None
    if deployment.command == "down" and verdict.reason != "TaskFailedToStart":
        _revert(ref, deployment, store)
    lines = _tail(logs, ecs, progress, planned.container)
    message = told_to_people(verdict, deployment, planned, lines)
    ended = end(
        store,
        ref,
        step_keys.MIGRATION,
        lambda running: running.but(
            status=verdict.status,
            reason=verdict.reason,
            message=message,
            logs=lines,
            migration=progress.but(exit_code=seen.exit_code),
        ),
        clock=clock,
        new_id=new_id,
        also=lambda _: _claim(store, deployment, progress, verdict, seen),
    )
    return _told(ended)


def told_to_people(verdict: Verdict, deployment: Deployment, planned: PlannedMigration, lines: list[str]) -> str:
    """Say what ran, how it ended, what its log says last, and what to do next. Pure."""
    command, env = " ".join(planned.command), deployment.environment
    by_hand = deployment.command is not None
    what = "database command" if by_hand else "migration"
    said = f"The {what} `{command}` of {deployment.version} {verdict.message}."
    if verdict.status is StepStatus.SUCCEEDED:
        return f"{said} {rollout_diagnosis.last_line(lines)}" if by_hand else said
    said += f" {rollout_diagnosis.last_line(lines)} No service was changed. "
    current = f"`ferryman migrate {env} current` tells where the database stands"
    if verdict.reason == "OutcomeUnknown" and by_hand:
        return said + f"It is not run a second time: {current}; then `ferryman resume {env}`."
    if verdict.reason == "OutcomeUnknown":
        return (
            said + f"It is not run a second time: look at the database, push a new commit, and `ferryman resume {env}`."
        )
    if deployment.command == "down":
        return said + f"It may have got half way: {current}. Releases that it may have taken back migrate again."
    if by_hand:
        return said + f"Look at it ({current}), then ask for it again."
    return said + f"Fix it and push, or run `ferryman retry {env}`."


def _terms(deployment: Deployment, planned: PlannedMigration, step: Step, progress: MigrationProgress) -> Terms:
    abort = deployment.abort
    return Terms(
        started_at=step.started_at,
        followed_at=progress.followed_at or step.started_at,
        timeout_seconds=planned.timeout_seconds,
        aborted_at=abort.at if abort else None,
        aborted=f"{abort.who} asked to abort: {abort.reason}" if abort else "",
    )


def _tail(logs: LogsClient, ecs: ECSClient, progress: MigrationProgress, container: str) -> list[str]:
    if progress.task is None or progress.task_definition is None:
        return []
    try:
        definition = edge.task_definition(ecs, progress.task_definition)
    except Refusal:
        return []
    return container_logs.tail(logs, definition, container, progress.task)


def _revert(ref: DeploymentRef, deployment: Deployment, store: Store) -> None:
    """Mark what a `down` took back, before its step ends: a crash in between repeats it, and then finds it done.

    Also when it failed: each of its migrations may have been a transaction of its own.
    """
    platform, env = deployment.platform, deployment.environment
    releases = store.releases(platform)
    target = next((release for release in releases if release.version == deployment.version), None)
    older = [release.version for release in releases if target is not None and release.order <= target.order]
    gone = claims.taken_back(deployment, store.migrations(platform, env), older)
    held = Fenced(ref.platform, ref.environment, ref.deployment, ref.fence)
    for start in range(0, len(gone), _AT_ONCE):
        store.write(held, *(Save(claim.but(status="Reverted")) for claim in gone[start : start + _AT_ONCE]))


def _claim(
    store: Store, deployment: Deployment, progress: MigrationProgress, verdict: Verdict, seen: Seen
) -> Iterable[Write]:
    """The claim's verdict goes into the same transaction as the step's."""
    if verdict.status is StepStatus.SUCCEEDED:
        status = "Succeeded"
    else:
        status = "Unknown" if verdict.reason == "OutcomeUnknown" else "Failed"
    for claim in store.migration_claims(deployment.platform, deployment.environment, claims.key_of(deployment)):
        if claim.attempt == progress.attempt:
            yield Save(claim.but(status=status, exit_code=seen.exit_code))
    if status == "Succeeded" and deployment.command == "up":
        # What a downgrade took back is there again.
        attempts = store.migration_claims(deployment.platform, deployment.environment, deployment.version)
        if attempts and attempts[-1].status == "Reverted":
            yield Save(attempts[-1].but(status="Succeeded"))


def _told(step: Step) -> MigrationVerdict:
    match step.status:
        case StepStatus.SUCCEEDED | StepStatus.SKIPPED:
            return MigrationVerdict(verdict="Succeeded", reason=step.reason)
        case StepStatus.ABORTED:
            return MigrationVerdict(verdict="Aborted", reason=step.reason)
    return MigrationVerdict(verdict="Failed", reason=step.reason or "NotStarted")
