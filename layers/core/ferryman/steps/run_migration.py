"""The one-off task that migrates the database: claimed, then run, at most once. Called by run_migration.

Judging it is `steps.watch_migration`. An unknown outcome is resolved by `startedBy` and by the same clientToken, or
it stays unknown and a person has to look: never a second run.
"""

from collections.abc import Iterable

from ferryman.clients import ecs as edge
from ferryman.clients import task_definitions
from ferryman.clients.aws_errors import Refusal, code_and_sentence
from ferryman.clients.aws_types import ECSClient, RunTaskRequest, VpcConfiguration
from ferryman.contracts import RunMigrationInput, RunMigrationOutput
from ferryman.decisions import migration_attempts as claims
from ferryman.errors import InvalidInput, NotVisibleYet, VerificationFailed
from ferryman.ids import Clock, NewId
from ferryman.records import (
    Deployment,
    MigrationClaim,
    MigrationProgress,
    PlannedMigration,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.records.writes import Fenced, Save, Write
from ferryman.steps import still_owned
from ferryman.store.step_writer import Also, amend, check_claim, end, require_turn, start
from ferryman.store.table import Store
from ferryman.suggestions import suggest


def run(event: RunMigrationInput, *, store: Store, ecs: ECSClient, clock: Clock, new_id: NewId) -> RunMigrationOutput:
    """Start the migration, or say why not. Failures are recorded in the step; only what may pass is raised."""
    return _Run(event, store, ecs, clock, new_id).run()


def request(claim: MigrationClaim, planned: PlannedMigration, cluster: str) -> RunTaskRequest:
    """Return RunTask's request; the same for every call of one attempt, or ECS refuses the token. Pure."""
    wanted: RunTaskRequest = {
        "cluster": cluster,
        # The exact revision, not the family: it is the release's image by digest.
        "taskDefinition": claim.task_definition,
        "count": 1,
        "launchType": planned.launch_type,
        "clientToken": claim.client_token,
        "startedBy": claims.started_by(claim),
        "overrides": {"containerOverrides": [{"name": planned.container, "command": planned.command}]},
    }
    if planned.subnets:
        network: VpcConfiguration = {
            "subnets": planned.subnets,
            "assignPublicIp": "ENABLED" if planned.assign_public_ip else "DISABLED",
        }
        if planned.security_groups:
            network["securityGroups"] = planned.security_groups
        wanted["networkConfiguration"] = {"awsvpcConfiguration": network}
    return wanted


class _Run:
    def __init__(self, event: RunMigrationInput, store: Store, ecs: ECSClient, clock: Clock, new_id: NewId) -> None:
        self._event, self._store, self._ecs, self._clock, self._new_id = event, store, ecs, clock, new_id
        self._deployment = store.deployment(event.platform, event.environment, event.deployment)
        self._plan = self._deployment.require_plan()
        self._name = event.migration
        self._step = step_keys.migration(event.migration)
        self._key = claims.key_of(self._deployment, event.migration)

    def run(self) -> RunMigrationOutput:
        planned = self._planned()
        step = self._deployment.step(self._step)
        if step is not None and step.status is not StepStatus.RUNNING:
            return _told(step)
        if step is not None and step.migration is not None and step.migration.task is not None:
            return RunMigrationOutput(verdict="Started")
        if step is None and self._deployment.abort is not None:
            return RunMigrationOutput(verdict="Aborted", reason="AbortRequested")
        require_turn(self._deployment, self._step)  # before a revision is registered
        attempts = self._store.migration_claims(self._event.platform, self._event.environment, self._key)
        decision = claims.decide_attempt(self._deployment, planned, attempts)
        if isinstance(decision, claims.Skip) or planned is None:
            skip = decision if isinstance(decision, claims.Skip) else claims.NO_MIGRATION
            return self._end(StepStatus.SKIPPED, skip.reason, skip.message)
        if isinstance(decision, claims.Refuse):
            return self._end(StepStatus.FAILED, decision.reason, decision.message)
        other = self._other_migrates()
        if other is not None:
            return self._end(StepStatus.ERRORED, "AnotherMigrationRuns", other)
        try:
            if isinstance(decision, claims.Resume):
                return self._resume(decision, planned)
            return self._start(self._claim(decision.attempt, planned), planned)
        except VerificationFailed as error:
            return self._end(StepStatus.ERRORED, "VerificationFailed", str(error))
        except Refusal as error:
            code, said = code_and_sentence(error)
            return self._end(StepStatus.ERRORED, code, said)

    def _planned(self) -> PlannedMigration | None:
        """Return what the plan says; None if it has no migration. Raise InvalidInput for one that it does not have."""
        every = self._plan.every_migration
        names = [item.name for item in every]
        if self._name not in names:
            if self._name or any(names):
                raise InvalidInput(f"the plan has the migrations {', '.join(names) or '(none)'}, not {self._name!r}")
            return None
        return every[names.index(self._name)]

    def _other_migrates(self) -> str | None:
        """Say which other migration's task still changes a database; its own deployment may be long gone.

        Raise NotVisibleYet while nobody can tell. The deployment ends Errored and is tried again a minute later.
        """
        for claim in self._store.open_migrations(self._event.platform, self._event.environment):
            if claim.version == self._key:
                continue
            listed = edge.tasks_started_by(self._ecs, self._plan.cluster, claims.started_by(claim))
            known = edge.task(self._ecs, self._plan.cluster, claim.task) if claim.task else None
            task = known or next(iter(listed), None)
            if task is None and self._clock() < claim.at + claims.CERTAIN_AFTER:
                raise NotVisibleYet(f"the {claims.in_words(claim)} was just claimed; ECS does not list its task yet")
            if task is not None and task.get("lastStatus") != "STOPPED":
                return (
                    f"the {claims.in_words(claim)} (deployment {claim.deployment}, task {task['taskArn']}) still runs, "
                    "and two at once could break the database: wait for it, or stop that task"
                )
        return None

    # ── a fresh attempt ──

    def _claim(self, attempt: int, planned: PlannedMigration) -> MigrationClaim:
        base = edge.task_definition(self._ecs, planned.base_task_definition)
        wanted = task_definitions.with_images(base, planned.images)
        still_owned.check(self._store, self._event, wanted)
        definition = task_definitions.ensure(self._ecs, wanted, (base["taskDefinitionArn"],))
        now = self._clock()
        claim = MigrationClaim(
            platform=self._event.platform,
            environment=self._event.environment,
            version=self._key,
            attempt=attempt,
            deployment=self._deployment.id,
            status="Claimed",
            task_definition=definition,
            client_token=claims.client_token(self._deployment.id, attempt, self._number()),
            command=self._deployment.command,
            migrations=planned.migrations if planned.name else self._plan.migrations,
            at=now,
        )
        step = Step(status=StepStatus.RUNNING, started_at=now, migration=_progress(claim))
        said = f"{_doing(self._deployment, planned.name)}: `{' '.join(planned.command)}`"
        start(self._store, self._event, self._step, step, said, new_id=self._new_id, also=lambda _: [Save(claim)])
        return claim.but(rev=claim.rev + 1)

    def _number(self) -> int | None:
        """Return the place of a named migration in the plan, which tells its task from those of the others."""
        names = [item.name for item in self._plan.named_migrations]
        return names.index(self._name) if self._name else None

    def _start(self, claim: MigrationClaim, planned: PlannedMigration) -> RunMigrationOutput:
        check_claim(self._store, self._event)
        try:
            answer = edge.run_task(self._ecs, request(claim, planned, self._plan.cluster))
        except Refusal as error:
            code, said = code_and_sentence(error)
            if code == "ConflictException":
                # The token is taken by a call with other parameters: a task of ours may run, and it is not listed.
                if self._clock() < claim.at + claims.CERTAIN_AFTER:
                    raise NotVisibleYet(f"RunTask knows {claim.client_token}, ListTasks does not yet") from error
                return self._unknown(claim)
            return self._not_started(claim, code, said)
        if answer.get("tasks"):
            return self._follow(claim, answer["tasks"][0]["taskArn"])
        failures = answer.get("failures", [])
        said = "; ".join(f"{item.get('reason')} {item.get('detail') or ''}".strip() for item in failures)
        return self._not_started(
            claim, "TaskNotStarted", f"ECS could not start the migration: {said or 'no reason given'}"
        )

    # ── an attempt of which we don't know what became ──

    def _resume(self, decision: claims.Resume, planned: PlannedMigration) -> RunMigrationOutput:
        claim = decision.claim
        listed = edge.tasks_started_by(self._ecs, self._plan.cluster, claims.started_by(claim))
        known = edge.task(self._ecs, self._plan.cluster, claim.task) if claim.task else None
        found = known or next(iter(listed), None)
        if found is not None:
            # Also when a deployment that died started it: it is this release's migration.
            return self._follow(claim, found["taskArn"])
        if decision.own and claim.task is None:
            if self._deployment.abort is not None:
                return self._end(StepStatus.ABORTED, "AbortRequested", "a person asked to abort before it ran")
            if self._clock() < claim.at + claims.CERTAIN_UNTIL:
                return self._start(claim, planned)
            return self._unknown(claim)
        never_ran = claims.settled_by_absence(claim, self._clock())
        if never_ran is None:
            raise NotVisibleYet(f"the migration task of deployment {claim.deployment} may not be listed yet")
        if not never_ran:
            return self._unknown(claim)
        ref = self._event
        held = Fenced(ref.platform, ref.environment, ref.deployment, ref.fence)
        self._store.write(held, Save(claim.but(status="NotStarted")))
        return self._start(self._claim(claim.attempt + 1, planned), planned)

    # ── recording ──

    def _follow(self, claim: MigrationClaim, task: str) -> RunMigrationOutput:
        """Record the task in claim and step, in one transaction; a foreign claim becomes ours."""
        now = self._clock()
        running = claim.but(status="Running", task=task, deployment=self._deployment.id)
        progress = _progress(running).but(followed_at=now)
        step = Step(status=StepStatus.RUNNING, started_at=now, migration=progress)
        of = f"{self._name} of " if self._name else ""
        said = f"a migration task of {of}{self._deployment.version} is there already and is followed"
        also = self._saving(running)
        recorded = start(self._store, self._event, self._step, step, said, new_id=self._new_id, also=also)
        if recorded.steps[self._step] != step:
            amend(self._store, self._event, self._step, lambda step: step.but(migration=progress), also=also)
        return RunMigrationOutput(verdict="Started")

    def _not_started(self, claim: MigrationClaim, reason: str, message: str) -> RunMigrationOutput:
        again = "it is tried again" if self._deployment.command is None else "ask for it again"
        said = f"{message}. The migration did not run and no service was changed; {again}"
        return self._end(StepStatus.ERRORED, reason, said, claim.but(status="NotStarted"))

    def _unknown(self, claim: MigrationClaim) -> RunMigrationOutput:
        env = self._event.environment
        resume = suggest("resume", env, p=claim.platform)
        then = f"push a new commit, and {resume}"
        if self._deployment.command is not None:
            current = suggest("migrate", env, self._name, "current", p=claim.platform)
            then = f"for example with {current}, then {resume}"
        message = (
            f"nobody can tell whether attempt {claim.attempt} at the {claims.in_words(claim)} ran (task "
            f"{claim.task or 'unknown'}, deployment {claim.deployment}); it is not run a second time. No service was "
            f"changed. Look at the database, {then}"
        )
        return self._end(StepStatus.ERRORED, "OutcomeUnknown", message, claim.but(status="Unknown"))

    def _end(
        self, status: StepStatus, reason: str, message: str, claim: MigrationClaim | None = None
    ) -> RunMigrationOutput:
        ended = end(
            self._store,
            self._event,
            self._step,
            lambda step: step.but(
                status=status,
                reason=reason,
                message=message,
                migration=step.migration or (_progress(claim) if claim else None),
            ),
            clock=self._clock,
            new_id=self._new_id,
            also=self._saving(claim),
        )
        return _told(ended)

    def _saving(self, claim: MigrationClaim | None) -> Also:
        """Save the claim beside the step, at the revision that the table has now."""

        def also(_: Deployment) -> Iterable[Write]:
            if claim is None:
                return []
            found = self._store.migration_claims(claim.platform, claim.environment, claim.version)
            stored = next((item.rev for item in found if item.attempt == claim.attempt), 0)
            return [Save(claim.but(rev=stored))]

        return also


def _doing(deployment: Deployment, name: str) -> str:
    which = f"migration {name}: " if name else ""
    match deployment.command:
        case "down":
            return f"{which}the database is taken back to {claims.revision_of(deployment, name)}"
        case "current":
            return f"{which}the database is asked where it stands"
        case _:
            return f"{which}the database is migrated to {deployment.version}"


def _progress(claim: MigrationClaim) -> MigrationProgress:
    return MigrationProgress(task_definition=claim.task_definition, task=claim.task, attempt=claim.attempt)


def _told(step: Step) -> RunMigrationOutput:
    match step.status:
        case StepStatus.RUNNING | StepStatus.SUCCEEDED:
            return RunMigrationOutput(verdict="Started", reason=step.reason)
        case StepStatus.SKIPPED:
            return RunMigrationOutput(verdict="Skipped", reason=step.reason)
        case StepStatus.ABORTED:
            return RunMigrationOutput(verdict="Aborted", reason=step.reason)
    return RunMigrationOutput(verdict="Failed", reason=step.reason)
