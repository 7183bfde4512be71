"""Making a scheduled task run a task definition revision, exactly once, forward or back. Called by update_service.

Read → compare → record the intent → read again → write all fields → read back. A second run finds the intent and adopts
what the first one did; so does one whose answer was lost. Nothing has to be watched afterwards: tasks that the schedule
or rule has started already go on with what they run.
"""

from collections.abc import Callable

from ferryman.clients import ecs as edge
from ferryman.clients import job_targets, task_definitions
from ferryman.clients.aws_errors import Refusal, code_and_sentence
from ferryman.clients.aws_types import ECRClient, ECSClient, MakeClient
from ferryman.clients.ecr import moved
from ferryman.clients.job_targets import JobTarget
from ferryman.contracts import UpdateServiceInput, UpdateServiceOutput
from ferryman.decisions.pinned_images import pinned
from ferryman.decisions.wave_order import stops, touched
from ferryman.errors import NotVisibleYet, Throttled, VerificationFailed
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, PlannedJob, RolloutProgress, Step, StepStatus, step_keys, things
from ferryman.steps import still_owned, verify_jobs
from ferryman.steps.paced_actions import after_throttle, take_turn
from ferryman.store.step_writer import check_claim, end, require_turn, start, start_back
from ferryman.store.table import Store


def move(
    event: UpdateServiceInput,
    deployment: Deployment,
    planned: PlannedJob,
    *,
    store: Store,
    ecs: ECSClient,
    ecr: Callable[[], ECRClient],
    client: MakeClient,
    clock: Clock,
    new_id: NewId,
) -> UpdateServiceOutput:
    """Move one job, or say why not. Failures are recorded in the step; only what may pass is raised."""
    return _Move(event, deployment, planned, store, ecs, ecr, client, clock, new_id).run()


class _Move:
    def __init__(
        self,
        event: UpdateServiceInput,
        deployment: Deployment,
        planned: PlannedJob,
        store: Store,
        ecs: ECSClient,
        ecr: Callable[[], ECRClient],
        client: MakeClient,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._event, self._deployment, self._planned = event, deployment, planned
        self._store, self._ecs, self._ecr, self._client = store, ecs, ecr, client
        self._clock, self._new_id = clock, new_id
        self._plan = deployment.require_plan()
        self._key = step_keys.rollout(event.service, event.direction)
        self._forward = event.direction == "forward"
        self._wrote = False

    def run(self) -> UpdateServiceOutput:
        step = self._deployment.step(self._key)
        if step is not None and step.status is not StepStatus.RUNNING:
            return _told(step)
        refusal = self._refusal(step)
        if refusal is not None:
            return refusal
        require_turn(self._deployment, self._key)  # before a revision is registered
        if step is None:
            take_turn(self._event, self._deployment, self._store, self._clock)
        try:
            return self._act(step)
        except Throttled as error:
            after_throttle(error, self._event, self._store, self._clock)
            raise
        except (Refusal, VerificationFailed) as error:
            # A first run that was refused changed nothing: its intent must not look as if it had.
            progress = self._untouched() if step is None and not self._wrote else None
            if isinstance(error, VerificationFailed):
                return self._end(StepStatus.ERRORED, "VerificationFailed", str(error), progress)
            return self._end(StepStatus.ERRORED, *code_and_sentence(error), progress)

    # ── whether ──

    def _refusal(self, step: Step | None) -> UpdateServiceOutput | None:
        if self._forward:
            reason = stops(self._deployment, self._event.service)
            if reason is not None:
                return UpdateServiceOutput(verdict="Stopped", reason=reason)
            if step is None and self._planned.skip == "NotInRelease":
                return self._skip("NotInRelease", f"the release has no image of {self._planned.component}")
            return None
        if not touched(self._deployment, self._event.service):
            return UpdateServiceOutput(verdict="Skipped", reason="Untouched")
        if self._plan.on_failure == "hold":
            return self._skip("HoldPolicy", "onFailure is hold: it stays as it is until a person decides")
        return None

    # ── what ──

    def _act(self, step: Step | None) -> UpdateServiceOutput:
        found = job_targets.find(self._client, self._planned.place)
        problem = self._problem(found)
        if found is None or problem is not None:
            reason = "JobMissing" if found is None else "JobChanged"
            if self._forward:
                return self._end(StepStatus.ERRORED, reason, problem or "")
            return self._skip(reason, f"{problem}. It was left alone: it no longer starts what this deployment set")
        if step is None and found.ended(self._clock()):
            return self._skip("JobEnded", f"{self._where} has ended and starts no more tasks, so it was left alone")
        wrong = self._moved() if self._forward else None
        if wrong is not None:
            return self._end(StepStatus.FAILED, "DigestMismatch", wrong)
        intended = step.rollout.task_definition if step is not None and step.rollout is not None else None
        target = intended or self._target(found)
        if target is None:
            message = (
                f"the task definition {self._planned.goes_back_to} that it ran before was deleted; "
                f"`deploy` a release to {self._event.environment} by hand"
            )
            return self._end(StepStatus.FAILED, "TargetMissing", message)
        return self._point(found, target)

    def _moved(self) -> str | None:
        """Say which tag of a promoted image no longer points at it: what was approved is not what is out there."""
        tags = [tag for tag in self._plan.promotions if tag.component == self._planned.component]
        return next((wrong for tag in tags if (wrong := moved(self._ecr(), tag)) is not None), None)

    def _target(self, found: JobTarget) -> str | None:
        """Return the revision to go to, registered if need be; None when the way back is gone."""
        if self._forward:
            base = edge.task_definition(self._ecs, self._planned.base_task_definition)
            wanted = task_definitions.with_images(base, self._planned.images)
            still_owned.check(self._store, self._event, wanted, [self._thing])
            return task_definitions.ensure(self._ecs, wanted, (base["taskDefinitionArn"], found.task_definition))
        described = edge.find_task_definition(self._ecs, self._planned.goes_back_to)
        if described is None:
            return None
        still_owned.check(self._store, self._event, described, [self._thing])
        images = pinned(task_definitions.images_of(described), self._planned.rollback_digests)
        if images:
            # Its tags may name other images by now than those that it ran.
            return task_definitions.ensure(self._ecs, task_definitions.with_images(described, images))
        if described["status"] == "ACTIVE":
            return self._planned.goes_back_to
        # Deregistered: RunTask refuses it, but its description can be registered anew.
        return task_definitions.ensure(self._ecs, task_definitions.registrable(described))

    def _point(self, seen: JobTarget, target: str) -> UpdateServiceOutput:
        deployment = self._intend(seen, target)
        check_claim(self._store, self._event)
        step = deployment.steps[self._key]
        if step.status is not StepStatus.RUNNING:
            return _told(step)
        # Read again, as late as can be: what somebody else changed meanwhile has to stay.
        found = self._read()
        # On the way back it is written in any case: a stale read shows what ran before as if it were back already.
        if not self._forward or found.task_definition != target:
            job_targets.point(self._client, found, target, self._clock())
            self._wrote = True
            if self._read().task_definition != target:
                raise NotVisibleYet(f"{self._where} does not show its new task definition yet")
        return self._end(StepStatus.SUCCEEDED, "Moved" if self._forward else "MovedBack", self._done(found, target))

    def _read(self) -> JobTarget:
        found = job_targets.find(self._client, self._planned.place)
        problem = self._problem(found)
        if found is None or problem is not None:
            raise VerificationFailed(problem or "")
        return found

    def _problem(self, found: JobTarget | None) -> str | None:
        """Say why this target is not, or no longer, the one that was planned."""
        problem = verify_jobs.step_problem(self._planned.place, found, self._plan.cluster)
        if found is None or problem is not None:
            return problem
        planned = self._planned
        ours = (planned.task_definition, planned.base_task_definition, planned.goes_back_to)
        if _family(found.task_definition) in map(_family, ours):
            return None
        return f"{self._where} now runs {found.task_definition.rsplit('/', 1)[-1]}: somebody changed it meanwhile"

    def _done(self, found: JobTarget, target: str) -> str:
        revision = target.rsplit("/", 1)[-1]
        said = f"runs {revision} from now on" if self._forward else f"is back on {revision}"
        if not found.enabled:
            said += f"; {self._where} is disabled, and stays so"
        if found.kept_with(self._planned.task_definition) != self._planned.target:
            said += "; somebody else changed its target since the plan was made, so only the task definition was set"
        return said

    @property
    def _thing(self) -> str:
        place = self._planned.place
        return (
            things.schedule(place.group, place.name)
            if place.kind == "schedule"
            else things.rule(place.group, place.name)
        )

    # ── recording ──

    @property
    def _where(self) -> str:
        return verify_jobs.described(self._planned.place)

    def _intend(self, found: JobTarget, target: str) -> Deployment:
        progress = self._untouched().but(previous_task_definition=found.task_definition, task_definition=target)
        step = Step(status=StepStatus.RUNNING, started_at=self._clock(), rollout=progress)
        revision = target.rsplit("/", 1)[-1]
        if self._forward:
            said = f"job {self._planned.name} goes to {self._deployment.version} ({revision})"
            return start(self._store, self._event, self._key, step, said, new_id=self._new_id)
        said = f"job {self._planned.name} goes back to {revision}"
        return start_back(self._store, self._event, self._key, step, said, new_id=self._new_id)

    def _skip(self, reason: str, message: str) -> UpdateServiceOutput:
        return self._end(StepStatus.SKIPPED, reason, message)

    def _end(
        self, status: StepStatus, reason: str, message: str, progress: RolloutProgress | None = None
    ) -> UpdateServiceOutput:
        said = f"job {self._planned.name}: {message}"
        ended = end(
            self._store,
            self._event,
            self._key,
            lambda step: step.but(
                status=status, reason=reason, message=said, rollout=progress or step.rollout or self._untouched()
            ),
            clock=self._clock,
            new_id=self._new_id,
        )
        return _told(ended)

    def _untouched(self) -> RolloutProgress:
        return RolloutProgress(service=self._event.service, direction=self._event.direction)


def _family(task_definition: str) -> str:
    return task_definition.rsplit("/", 1)[-1].partition(":")[0]


def _told(step: Step) -> UpdateServiceOutput:
    """Say how a recorded step stands; watch_rollout, which comes next, repeats its verdict."""
    match step.status:
        case StepStatus.RUNNING | StepStatus.SUCCEEDED:
            return UpdateServiceOutput(verdict="Started", reason=step.reason)
        case StepStatus.SKIPPED:
            return UpdateServiceOutput(verdict="Skipped", reason=step.reason)
        case StepStatus.ABORTED:
            return UpdateServiceOutput(verdict="Stopped", reason=step.reason)
    return UpdateServiceOutput(verdict="Failed", reason=step.reason)
