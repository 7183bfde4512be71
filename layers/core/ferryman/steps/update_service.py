"""Pointing a service at a task definition revision, exactly once, forward or back. Called by update_service.

Describe → compare → record the intent → UpdateService → read back from its answer. A second run finds the intent and
adopts what the first one did; so does one whose answer was lost.
"""

from collections.abc import Callable
from datetime import timedelta

from ferryman.clients import ecs as edge
from ferryman.clients import task_definitions
from ferryman.clients.aws_errors import Refusal, code_and_sentence
from ferryman.clients.aws_types import ECRClient, ECSClient, ECSDeployment, ECSService, MakeClient
from ferryman.clients.ecr import moved
from ferryman.contracts import UpdateServiceInput, UpdateServiceOutput
from ferryman.decisions.wave_order import stops, touched
from ferryman.errors import NotVisibleYet, Throttled, VerificationFailed
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, RolloutProgress, Step, StepStatus, step_keys, things
from ferryman.steps import still_owned
from ferryman.steps.paced_actions import after_throttle, take_turn
from ferryman.store.step_writer import amend, check_claim, end, require_turn, start, start_back
from ferryman.store.table import Store
from ferryman.suggestions import suggest

_SETTLED_READ = timedelta(seconds=60)
"""After this long DescribeServices surely shows what UpdateService answered (eventual consistency)."""


def update_service(
    event: UpdateServiceInput,
    *,
    store: Store,
    ecs: ECSClient,
    ecr: Callable[[], ECRClient],
    client: MakeClient,
    clock: Clock,
    new_id: NewId,
) -> UpdateServiceOutput:
    """Bring one service on its way, or say why not. Failures are recorded in the step; only what may pass is raised.

    `ecr` makes the client: only where images were promoted is it needed. `client` makes those that only jobs need.
    """
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    job = deployment.planned_job(event.service)
    if job is None:
        return _Update(event, deployment, store, ecs, ecr, clock, new_id).run()
    # Imported here: most deployments have no job.
    from ferryman.steps import move_job

    return move_job.move(
        event, deployment, job, store=store, ecs=ecs, ecr=ecr, client=client, clock=clock, new_id=new_id
    )  # fmt: skip


class _Update:
    def __init__(
        self,
        event: UpdateServiceInput,
        deployment: Deployment,
        store: Store,
        ecs: ECSClient,
        ecr: Callable[[], ECRClient],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._event, self._store, self._ecs, self._ecr = event, store, ecs, ecr
        self._clock, self._new_id = clock, new_id
        self._deployment = deployment
        self._planned = deployment.planned(event.service)
        self._cluster = self._deployment.require_plan().cluster
        self._key = step_keys.rollout(event.service, event.direction)
        self._forward = event.direction == "forward"

    def run(self) -> UpdateServiceOutput:
        step = self._deployment.step(self._key)
        if step is not None and step.status is not StepStatus.RUNNING:
            return _told(step)
        if step is not None and step.rollout is not None and step.rollout.ecs_deployment is not None:
            return UpdateServiceOutput(verdict="Started")
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
        except Refusal as error:
            code, said = code_and_sentence(error)
            # A first run that was refused changed nothing: its intent must not look as if it had.
            progress = self._untouched() if step is None else None
            return self._end(StepStatus.ERRORED, code, said, progress)
        except VerificationFailed as error:
            return self._end(StepStatus.ERRORED, "VerificationFailed", str(error))

    # ── whether ──

    def _refusal(self, step: Step | None) -> UpdateServiceOutput | None:
        if self._forward:
            reason = stops(self._deployment, self._planned.name)
            if reason is not None:
                return UpdateServiceOutput(verdict="Stopped", reason=reason)
            if step is None and self._planned.skip == "NotInRelease":
                return self._skip("NotInRelease", f"the release has no image of {self._planned.component}")
            return None
        if not touched(self._deployment, self._planned.name):
            return UpdateServiceOutput(verdict="Skipped", reason="Untouched")
        if self._deployment.require_plan().on_failure == "hold":
            return self._skip("HoldPolicy", "onFailure is hold: it stays as it is until a person decides")
        if self._planned.rollback_task_definition is None:
            return self._skip("NoTarget", "there is nothing to go back to: no deployment has succeeded here before")
        return None

    # ── what ──

    def _act(self, step: Step | None) -> UpdateServiceOutput:
        service = edge.services(self._ecs, self._cluster, [self._planned.name]).get(self._planned.name)
        if service is None or service.get("status") != "ACTIVE":
            message = (
                f"service {self._planned.name} is no longer there; create it again, or take it out of the document"
            )
            return self._end(StepStatus.ERRORED, "ServiceMissing", message)
        if self._forward and step is None and service.get("desiredCount") == 0:
            # Judged again: the plan's answer is older. A service scaled up since then takes part.
            return self._skip("ScaledToZero", _no_tasks(service, self._event.platform, self._event.environment))
        moved = self._moved() if self._forward else None
        if moved is not None:
            return self._end(StepStatus.FAILED, "DigestMismatch", moved)
        intended = step.rollout.task_definition if step is not None and step.rollout is not None else None
        target = intended or self._target(service)
        if target is None:
            message = (
                f"its last good task definition {self._planned.rollback_task_definition} was deleted; "
                f"`deploy` a release to {self._event.environment} by hand"
            )
            return self._end(StepStatus.FAILED, "TargetMissing", message)
        return self._point(service, target)

    def _moved(self) -> str | None:
        """Say which tag of a promoted image no longer points at it: what was approved is not what is out there."""
        ours = {self._planned.component, *(item.component for item in self._planned.additional)}
        tags = [tag for tag in self._deployment.require_plan().promotions if tag.component in ours]
        return next((wrong for tag in tags if (wrong := moved(self._ecr(), tag)) is not None), None)

    def _target(self, service: ECSService) -> str | None:
        """Return the ARN of the revision to go to, registered if need be; None when the way back is gone."""
        if self._forward:
            base = edge.task_definition(self._ecs, self._planned.base_task_definition)
            wanted = task_definitions.with_images(base, self._planned.images)
            self._check_owner(wanted, service)
            candidates = (base["taskDefinitionArn"], service["taskDefinition"])
            return task_definitions.ensure(self._ecs, wanted, candidates)
        arn = str(self._planned.rollback_task_definition)
        described = edge.find_task_definition(self._ecs, arn)
        if described is None:
            return None
        self._check_owner(described, service)
        # Imported here: few deployments go back.
        from ferryman.decisions.pinned_images import pinned

        images = pinned(task_definitions.images_of(described), self._planned.rollback_digests)
        if images:
            # Its tags may name other images by now than those that ran.
            wanted = task_definitions.with_images(described, images)
            return task_definitions.ensure(self._ecs, wanted, (service["taskDefinition"],))
        current = edge.primary(service)
        back_already = current is not None and current["taskDefinition"] == arn and self._is_fresh(service)
        if described["status"] == "ACTIVE" or back_already:
            return arn
        # Deregistered: a service can't be updated to it, but its description can be registered anew.
        wanted = task_definitions.registrable(described)
        return task_definitions.ensure(self._ecs, wanted, (service["taskDefinition"],))

    def _check_owner(self, definition: task_definitions.Definition, service: ECSService) -> None:
        here = things.service(service["clusterArn"], service["serviceName"])
        still_owned.check(self._store, self._event, definition, [here])

    def _point(self, service: ECSService, target: str) -> UpdateServiceOutput:
        current = edge.primary(service)
        there = current is not None and current["taskDefinition"] == target
        deployment = self._intend(service, current, target)
        check_claim(self._store, self._event)
        step = deployment.steps[self._key]
        if step.status is not StepStatus.RUNNING or step.rollout is None:
            return _told(step)
        if there and current is not None and self._may_adopt(current, step.rollout, service):
            return self._follow(current)
        # `there`, and yet not to be followed: ECS gave this very deployment up before. Only force starts another one.
        force = there and current is not None and current.get("rolloutState") == "FAILED"
        answered = edge.update_task_definition(self._ecs, self._cluster, self._planned.name, target, force=force)
        made = edge.primary(answered)
        if made is None or made["taskDefinition"] != target:
            raise NotVisibleYet(f"UpdateService of {self._planned.name} answered without the new deployment")
        return self._follow(made)

    def _may_adopt(self, current: ECSDeployment, progress: RolloutProgress, service: ECSService) -> bool:
        """Whether the PRIMARY deployment, which has the right task definition already, is the one to follow."""
        if current["id"] != progress.previous_ecs_deployment:
            return True  # It appeared after the intent was recorded: an earlier run of this step made it.
        if current.get("rolloutState") == "FAILED":
            return False
        return self._forward or self._is_fresh(service)

    def _is_fresh(self, service: ECSService) -> bool:
        """Whether this read is later than the update that is to be undone.

        A stale read shows the old deployment still PRIMARY, as if ECS were back already. In doubt UpdateService is
        called: when the service is there, it changes nothing and its answer is no stale read.
        """
        step = self._deployment.step(step_keys.rollout(self._planned.name, "forward"))
        forward = step.rollout if step is not None else None
        if forward is None or forward.ecs_deployment is None or forward.followed_at is None:
            return False
        listed = any(found["id"] == forward.ecs_deployment for found in service.get("deployments", []))
        return listed or self._clock() >= forward.followed_at + _SETTLED_READ

    # ── recording ──

    def _intend(self, service: ECSService, current: ECSDeployment | None, target: str) -> Deployment:
        progress = RolloutProgress(
            service=self._planned.name,
            direction=self._event.direction,
            previous_task_definition=service["taskDefinition"],
            task_definition=target,
            previous_ecs_deployment=current["id"] if current else None,
            desired=service.get("desiredCount"),
        )
        step = Step(status=StepStatus.RUNNING, started_at=self._clock(), rollout=progress)
        revision = target.rsplit("/", 1)[-1]
        if self._forward:
            said = f"{self._planned.name} goes to {self._deployment.version} ({revision})"
            return start(self._store, self._event, self._key, step, said, new_id=self._new_id)
        said = f"{self._planned.name} goes back to {revision}"
        return start_back(self._store, self._event, self._key, step, said, new_id=self._new_id)

    def _follow(self, made: ECSDeployment) -> UpdateServiceOutput:
        now = self._clock()

        def edit(step: Step) -> Step:
            progress = step.rollout or RolloutProgress(service=self._planned.name, direction=self._event.direction)
            return step.but(rollout=progress.but(ecs_deployment=made["id"], followed_at=now))

        amend(self._store, self._event, self._key, edit)
        return UpdateServiceOutput(verdict="Started")

    def _skip(self, reason: str, message: str) -> UpdateServiceOutput:
        return self._end(StepStatus.SKIPPED, reason, message)

    def _end(
        self, status: StepStatus, reason: str, message: str, progress: RolloutProgress | None = None
    ) -> UpdateServiceOutput:
        said = f"{self._planned.name}: {message}"
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
        return RolloutProgress(service=self._planned.name, direction=self._event.direction)


def _no_tasks(service: ECSService, platform: str, environment: str) -> str:
    """Say why a service without desired tasks was left alone, and what would change that."""
    again = f"run {suggest('redeploy', environment, p=platform)}"
    if service.get("schedulingStrategy") == "DAEMON":
        return (
            "it is a daemon, and no container instance of the cluster runs it, so it was left alone; register a "
            f"container instance that meets its placement constraints and {again}"
        )
    return f"it is scaled to zero and was left alone; scale it up and {again}"


def _told(step: Step) -> UpdateServiceOutput:
    """Say how a recorded step stands; watch_rollout repeats its verdict."""
    match step.status:
        case StepStatus.RUNNING | StepStatus.SUCCEEDED:
            return UpdateServiceOutput(verdict="Started", reason=step.reason)
        case StepStatus.SKIPPED:
            return UpdateServiceOutput(verdict="Skipped", reason=step.reason)
        case StepStatus.ABORTED:
            return UpdateServiceOutput(verdict="Stopped", reason=step.reason)
    return UpdateServiceOutput(verdict="Failed", reason=step.reason)
