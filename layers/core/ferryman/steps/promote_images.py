"""Step promote_images: point the moving tags at the release's digests. Called by promote_images.

Nothing is deployed before every tag points at its digest. Tags that were set when a later one can't be are put back by
reconcile, like everything that moves (docs/reference/reconcile-rules.md#rule-9-moving-tags).
"""

from collections.abc import Iterator

from ferryman.clients import ecr as edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient
from ferryman.clients.ecr import moved
from ferryman.contracts import PromoteImagesInput, PromoteImagesOutput
from ferryman.errors import DigestMismatch, NotFound, TagImmutable
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import Deployment, EventType, Plan, PlannedTag, Step, StepStatus, step_keys
from ferryman.records.writes import Write
from ferryman.store.step_writer import check_claim, end, start
from ferryman.store.table import Store


def promote(
    event: PromoteImagesInput, *, store: Store, ecr: ECRClient, clock: Clock, new_id: NewId
) -> PromoteImagesOutput:
    """Set the tags of the plan, or say why not. Failures are recorded in the step; only what may pass is raised.

    Safe to run again after a crash between two tags: one that points where it should is left alone.
    """
    return _Promotion(event, store, ecr, clock, new_id).run()


class _Promotion:
    def __init__(self, event: PromoteImagesInput, store: Store, ecr: ECRClient, clock: Clock, new_id: NewId) -> None:
        self._event, self._store, self._ecr, self._clock, self._new_id = event, store, ecr, clock, new_id
        self._deployment = store.deployment(event.platform, event.environment, event.deployment)
        self._plan = self._deployment.require_plan()

    def run(self) -> PromoteImagesOutput:
        step = self._deployment.step(step_keys.PROMOTION)
        if step is not None and step.status is not StepStatus.RUNNING:
            return _told(step)
        if self._deployment.abort is not None:
            return PromoteImagesOutput(verdict="Aborted", reason="AbortRequested")
        if not self._plan.promotions and self._plan.semver is None:
            return PromoteImagesOutput(verdict="Skipped", reason="NothingToPromote")
        running = Step(status=StepStatus.RUNNING, started_at=self._clock())
        tags = ", ".join(dict.fromkeys(item.tag for item in self._plan.promotions)) or "no tag"
        said = f"tagging the images of {self._deployment.version} as {tags}"
        start(self._store, self._event, step_keys.PROMOTION, running, said, new_id=self._new_id)
        try:
            wrong = self._wrong_from_the_start()
            if wrong is None:
                self._set()
                wrong = self._wrong_after()
        except TagImmutable as error:
            return self._end(StepStatus.FAILED, "TagImmutable", str(error))
        except (DigestMismatch, NotFound) as error:
            return self._end(StepStatus.FAILED, "DigestMismatch", str(error))
        except Refusal as error:
            code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            return self._end(StepStatus.ERRORED, code, f"{error.operation_name} was refused ({code}): {said}")
        if wrong is not None:
            return self._end(StepStatus.FAILED, "DigestMismatch", wrong)
        return self._end(StepStatus.SUCCEEDED, "Promoted", _success(self._deployment, self._plan))

    def _wrong_from_the_start(self) -> str | None:
        """Check everything before the first tag moves: a partial promotion is worse than none."""
        for component, digest in sorted(self._deployment.digests.items()):
            repository = self._plan.repositories.get(component)
            if repository is None:
                continue
            if self._plan.semver is not None:
                wrong = moved(
                    self._ecr,
                    PlannedTag(component=component, repository=repository, digest=digest, tag=self._plan.semver),
                )
                if wrong is not None:
                    return f"{wrong}; restore {self._plan.semver}, or tag what it points at now with a new name"
            elif not edge.exists(self._ecr, repository, digest):
                return f"{repository} no longer has image {digest}; a lifecycle rule or a person removed it"
        return None

    def _set(self) -> None:
        for planned in self._plan.promotions:
            check_claim(self._store, self._event)
            edge.ensure_tag(self._ecr, planned.repository, planned.digest, planned.tag)

    def _wrong_after(self) -> str | None:
        return next((wrong for planned in self._plan.promotions if (wrong := moved(self._ecr, planned))), None)

    def _end(self, status: StepStatus, reason: str, message: str) -> PromoteImagesOutput:
        at = self._clock()

        def promoted(after: Deployment) -> Iterator[Write]:
            if status is StepStatus.SUCCEEDED:
                tags = [item.tag for item in self._plan.promotions]
                detail = {"digests": after.digests, "tags": list(dict.fromkeys(tags)), "semver": self._plan.semver}
                kind = EventType.PROMOTED
                yield timeline.event(
                    after, kind, message, at=at, new_id=self._new_id, step=step_keys.PROMOTION, detail=detail
                )

        ended = end(
            self._store,
            self._event,
            step_keys.PROMOTION,
            lambda step: step.but(status=status, reason=reason, message=message),
            clock=self._clock,
            new_id=self._new_id,
            also=promoted,
        )
        return _told(ended)


def _success(deployment: Deployment, plan: Plan) -> str:
    tags = ", ".join(dict.fromkeys(item.tag for item in plan.promotions))
    named = f"; {plan.semver} names the same images" if plan.semver else ""
    if not tags:
        return f"{plan.semver} names the images of {deployment.version}"
    return f"{tags} names the images of {deployment.version}, digest by digest{named}"


def _told(step: Step) -> PromoteImagesOutput:
    if step.status is StepStatus.SUCCEEDED:
        return PromoteImagesOutput(verdict="Promoted", reason=step.reason)
    return PromoteImagesOutput(verdict="Failed", reason=step.reason)
