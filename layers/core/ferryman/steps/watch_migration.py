"""Is the migration done? Judged by the named container's exit code, if that container ended by itself.

Called by watch_migration (the poll) and by relay_change (ECS task events): both read and judge with the same code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.clients import container_logs
from ferryman.clients import ecs as edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECSClient, ECSTask, LogsClient, StepFunctionsClient, TaskDefinition
from ferryman.clients.container_logs import ContainerLog
from ferryman.clients.stepfunctions import send_task_success
from ferryman.clients.task_states import some_stopped, task_state
from ferryman.contracts import DeploymentRef, MigrationVerdict, WatchMigrationInput
from ferryman.decisions import migration_attempts as claims
from ferryman.decisions import task_verdict
from ferryman.decisions.task_verdict import ContainerState
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, MigrationProgress, PlannedMigration, Step, StepStatus, Wait, step_keys
from ferryman.records.writes import Fenced, Save, Write
from ferryman.store.step_writer import amend, check_claim, end
from ferryman.store.table import Store
from ferryman.store.task_tokens import answer_all, remember
from ferryman.suggestions import suggest
from ferryman.text import sentence

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
    """How it ended, as a sentence for people."""
    status: str = ""
    ending: bool = False
    """Its desiredStatus is STOPPED: somebody stopped it, or an essential container ended."""
    essential: bool = True
    """Whether the end of the named container ends the task."""
    first: bool = True
    """Whether the named container certainly ended before every other one that could have ended the task."""
    before_the_task: bool = False
    """Whether the named container, which is not essential, was seen to end while the task went on."""
    ran: bool = False
    """Whether a container of the migration ran, as far as ECS tells."""
    interrupted: bool = False
    """Whether AWS took the task's host away."""
    image_fault: bool = False
    """Whether it never started because of its image or command."""
    log_of: str = ""
    """The container whose log explains it."""

    @property
    def by_itself(self) -> bool:
        """Whether the container ended without being told to: a program may well exit with 0 on SIGTERM."""
        by_a_container = self.stop_code == "EssentialContainerExited" or (
            not self.stop_code and (self.stopped or not self.ending)
        )
        return self.before_the_task or (self.first and by_a_container)

    @property
    def nothing_ran(self) -> bool:
        """Whether no container of the migration ran: another try is the first one."""
        return self.exit_code is None and not self.ran


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
    # What goes on after the container of a migration that is done, does so for nobody.
    rest = None if seen.essential or seen.stopped else "the migration is done"
    if seen.exit_code == 0 and seen.by_itself:
        return Verdict(StepStatus.SUCCEEDED, "Completed", "ended with exit code 0", rest)
    if terms.aborted_at is not None:
        stop = None if seen.stopped else terms.aborted
        if stop is not None and now < terms.aborted_at + STOPPING:
            return Verdict(None, stop=stop)
        return Verdict(StepStatus.ABORTED, "AbortRequested", f"was stopped: {terms.aborted}", stop)
    if seen.stopped and not (late and seen.stop_code == "UserInitiated"):
        return _stopped(seen)
    if rest is not None and seen.exit_code is not None and seen.by_itself:
        return Verdict(StepStatus.FAILED, "NonZeroExit", f"failed. {seen.why}", rest)
    if not late:
        return Verdict(None)
    spent = f"was not done after {terms.timeout_seconds} s and was stopped ({seen.status or 'not started'})"
    stop = None if seen.stopped else f"not done after {terms.timeout_seconds} s"
    if stop is not None and now < deadline + STOPPING:
        return Verdict(None, stop=stop)
    never = seen.stopped and seen.nothing_ran
    return Verdict(StepStatus.ERRORED if never else StepStatus.FAILED, "DeadlineExceeded", spent, stop)


def _stopped(seen: Seen) -> Verdict:
    if seen.nothing_ran:
        if seen.image_fault:
            return Verdict(StepStatus.FAILED, "ImageCannotRun", f"could not start. {seen.why}")
        if seen.stop_code == "UserInitiated":
            return Verdict(StepStatus.FAILED, "Stopped", f"was stopped before it started. {seen.why}")
        return Verdict(StepStatus.ERRORED, "TaskFailedToStart", f"never started. {seen.why}")
    if seen.exit_code == 0:
        return Verdict(StepStatus.FAILED, "Stopped", f"may have been stopped before it was done. {seen.why}")
    if seen.exit_code is None and seen.stop_code == "TaskFailedToStart":
        return Verdict(StepStatus.FAILED, "TaskFailedToStart", f"did not get to start. {seen.why}")
    if seen.interrupted or seen.exit_code is None:
        return Verdict(StepStatus.FAILED, "TaskInterrupted", f"was killed while it ran, and not by itself. {seen.why}")
    return Verdict(StepStatus.FAILED, "NonZeroExit", f"failed. {seen.why}")


def read(task: ECSTask | None, definition: TaskDefinition | None, container: str, first_stopped: str = "") -> Seen:
    """Take what counts out of a described task. Pure.

    `first_stopped` is what was seen of it earlier: the essential container that stopped while others still ran.
    """
    if task is None:
        return Seen()
    state = task_state(task, definition, first_stopped)
    mine = state.container(container) or ContainerState(container)
    found = task_verdict.cause(state, container)
    others = any(item.stopped for item in state.containers if item.essential and item.name != container)
    first = task_verdict.ended_first(state)
    return Seen(
        listed=True,
        stopped=state.stopped,
        exit_code=mine.exit_code,
        stop_code=state.stop_code,
        why=found.said,
        status=state.status,
        ending=state.ending,
        essential=mine.essential,
        first=first == container if mine.essential else not (state.stopped or state.ending or others),
        before_the_task=not mine.essential and mine.stopped and first_stopped == container,
        ran=task_verdict.any_ran(state, container),
        interrupted=state.interrupted,
        image_fault=task_verdict.image_cannot_run(state),
        log_of=found.container,
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
    key = step_keys.migration(event.migration)
    step = deployment.step(key)
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
                step=key,
                token=event.task_token,
                at=clock(),
            ),
        )
    verdict = settle(event, event.migration, store=store, ecs=ecs, logs=logs, clock=clock, new_id=new_id)
    if verdict is None:
        return
    if task is not None:
        answer_all(store, states, task, event.deployment, key, verdict)
    else:
        send_task_success(states, event.task_token, verdict)


def settle(
    ref: DeploymentRef,
    name: str,
    *,
    store: Store,
    ecs: ECSClient,
    logs: LogsClient,
    clock: Clock,
    new_id: NewId,
    shown: ECSTask | None = None,
) -> MigrationVerdict | None:
    """Judge a migration of a deployment and record it; None while it goes on. Safe to run from several places at once.

    `name` is the migration's; "" is the one without a name.
    `shown` is the task as an event showed it: perhaps an earlier state, in which fewer of its containers had stopped.
    """
    deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
    plan = deployment.require_plan()
    key = step_keys.migration(name)
    planned, step = next((item for item in plan.every_migration if item.name == name), None), deployment.step(key)
    if step is None or planned is None:
        return MigrationVerdict(verdict="Failed", reason="NotStarted")
    progress = step.migration
    arn = progress.task if progress is not None else None
    if step.status is not StepStatus.RUNNING or progress is None or arn is None:
        return _told(step)
    task = edge.task(ecs, plan.cluster, arn)
    looks = [look for look in (shown, task) if look is not None and look["taskArn"] == arn]
    # While nothing has stopped nobody has to know which containers are essential.
    definition = _definition(ecs, progress) if any(some_stopped(look) for look in looks) else None
    for look in looks:
        first = task_verdict.seen_to_stop_first(task_state(look, definition), planned.container)
        if first is not None and not progress.first_stopped:
            progress = progress.but(first_stopped=first)
    seen = read(task, definition, planned.container, progress.first_stopped)
    verdict = judge(seen, _terms(deployment, planned, step, progress), clock())
    if progress.first_stopped and (verdict.status is None or verdict.stop is not None):
        first_stopped = progress.first_stopped
        amend(store, ref, key, lambda running: _with_first_stopped(running, first_stopped))
    if verdict.stop is not None:
        # A deployment that lost its claim must not stop a task that another one follows now.
        check_claim(store, ref)
        edge.stop_task(ecs, plan.cluster, arn, f"Ferryman: {verdict.stop}")
    if verdict.status is None:
        return None
    if deployment.command == "down" and not seen.nothing_ran:
        _revert(ref, deployment, planned, store)
    log = _log(logs, definition or _definition(ecs, progress), seen.log_of or planned.container, task)
    message = told_to_people(verdict, deployment, planned, seen, log)
    ended = end(
        store,
        ref,
        key,
        lambda running: running.but(
            status=verdict.status,
            reason=verdict.reason,
            message=message,
            logs=list(log.lines),
            migration=progress.but(exit_code=seen.exit_code),
        ),
        clock=clock,
        new_id=new_id,
        also=lambda _: _claim(store, deployment, name, progress, verdict, seen),
    )
    return _told(ended)


def _with_first_stopped(running: Step, first: str) -> Step:
    if running.migration is None or running.migration.first_stopped:
        return running
    return running.but(migration=running.migration.but(first_stopped=first))


def _definition(ecs: ECSClient, progress: MigrationProgress) -> TaskDefinition | None:
    """Return the task's definition; None when it can't be read: then every container counts as essential."""
    try:
        return edge.task_definition(ecs, progress.task_definition) if progress.task_definition else None
    except Refusal:
        return None


def told_to_people(
    verdict: Verdict, deployment: Deployment, planned: PlannedMigration, seen: Seen, log: ContainerLog
) -> str:
    """Say what ran, how it ended, what its log says last, and what to do next. Pure."""
    command, env = " ".join(planned.command), deployment.environment
    by_hand = deployment.command is not None
    what = ("database command" if by_hand else "migration") + (f" {planned.name}" if planned.name else "")
    said = f"The {what} `{command}` of {deployment.version} {sentence(verdict.message)}"
    quoted = log.sentence("Its log" if seen.log_of in ("", planned.container) else f"The log of {seen.log_of}")
    if verdict.status is StepStatus.SUCCEEDED:
        return f"{said} {quoted}" if by_hand else said
    if verdict.status is StepStatus.ERRORED and seen.listed and seen.nothing_ran:
        again = "ask for it again" if by_hand else "the release is not at fault"
        return f"{said} It did not run and no service was changed; {again}.{_before(deployment, planned.name)}"
    said += f" {quoted} No service was changed.{_before(deployment, planned.name)} "
    resume, retry = suggest("resume", env, p=deployment.platform), suggest("retry", env, p=deployment.platform)
    current = (
        f"{suggest('migrate', env, planned.name, 'current', p=deployment.platform)} tells where the database stands"
    )
    if verdict.reason == "OutcomeUnknown" and by_hand:
        return said + f"It is not run a second time: {current}; then {resume}."
    if verdict.reason == "OutcomeUnknown":
        return said + f"It is not run a second time: look at the database, push a new commit, and {resume}."
    if deployment.command == "down" and not seen.nothing_ran:
        return said + f"It may have got half way: {current}. Releases that it may have taken back migrate again."
    if by_hand:
        return said + f"Look at it ({current}), then ask for it again."
    if verdict.reason in ("TaskInterrupted", "Stopped") and not seen.nothing_ran:
        return said + f"It may have got half way, so it is not run again by itself: look at the database, then {retry}."
    return said + f"Fix it and push, or run {retry}."


def _before(deployment: Deployment, name: str) -> str:
    """Say which other databases are done already; empty if there are none."""
    plan = deployment.plan
    others = [item.name for item in plan.every_migration if item.name != name] if plan is not None else []
    steps = {other: deployment.step(step_keys.migration(other)) for other in others}
    done = [other for other, step in steps.items() if step is not None and step.status.passed]
    if not done:
        return ""
    what, names = "downgrade" if deployment.command == "down" else "migration", ", ".join(done)
    if len(done) > 1:
        return f" The {what}s {names} succeeded and stay as they are."
    return f" The {what} {names} succeeded and stays as it is."


def _terms(deployment: Deployment, planned: PlannedMigration, step: Step, progress: MigrationProgress) -> Terms:
    abort = deployment.abort
    return Terms(
        started_at=step.started_at,
        followed_at=progress.followed_at or step.started_at,
        timeout_seconds=planned.timeout_seconds,
        aborted_at=abort.at if abort else None,
        aborted=f"{abort.who} asked to abort: {abort.reason}" if abort else "",
    )


def _log(logs: LogsClient, definition: TaskDefinition | None, container: str, task: ECSTask | None) -> ContainerLog:
    if task is None:
        return ContainerLog(unread="ECS no longer knows the task")
    if definition is None:
        return ContainerLog(unread="its task definition can't be read")
    return container_logs.read(logs, definition, container, task)


def _revert(ref: DeploymentRef, deployment: Deployment, planned: PlannedMigration, store: Store) -> None:
    """Mark what a `down` took back, before its step ends: a crash in between repeats it, and then finds it done.

    Also when it failed: each of its migrations may have been a transaction of its own.
    """
    platform, env = deployment.platform, deployment.environment
    releases = store.releases(platform)
    target = next((release for release in releases if release.version == deployment.version), None)
    older = [release.version for release in releases if target is not None and release.order <= target.order]
    gone = claims.taken_back(deployment, planned, store.migrations(platform, env), older)
    held = Fenced(ref.platform, ref.environment, ref.deployment, ref.fence)
    for start in range(0, len(gone), _AT_ONCE):
        store.write(held, *(Save(claim.but(status="Reverted")) for claim in gone[start : start + _AT_ONCE]))


def _claim(
    store: Store, deployment: Deployment, name: str, progress: MigrationProgress, verdict: Verdict, seen: Seen
) -> Iterable[Write]:
    """The claim's verdict goes into the same transaction as the step's."""
    if verdict.status is StepStatus.SUCCEEDED:
        status = "Succeeded"
    elif verdict.status is StepStatus.ERRORED and seen.listed and seen.nothing_ran:
        status = "NotStarted"
    else:
        status = "Unknown" if verdict.reason == "OutcomeUnknown" else "Failed"
    for claim in store.migration_claims(deployment.platform, deployment.environment, claims.key_of(deployment, name)):
        if claim.attempt == progress.attempt:
            yield Save(claim.but(status=status, exit_code=seen.exit_code))
    if status == "Succeeded" and deployment.command == "up":
        # What a downgrade took back is there again.
        key = claims.release_key(deployment.version, name)
        attempts = store.migration_claims(deployment.platform, deployment.environment, key)
        if attempts and attempts[-1].status == "Reverted":
            yield Save(attempts[-1].but(status="Succeeded"))


def _told(step: Step) -> MigrationVerdict:
    match step.status:
        case StepStatus.SUCCEEDED | StepStatus.SKIPPED:
            return MigrationVerdict(verdict="Succeeded", reason=step.reason)
        case StepStatus.ABORTED:
            return MigrationVerdict(verdict="Aborted", reason=step.reason)
    return MigrationVerdict(verdict="Failed", reason=step.reason or "NotStarted")
