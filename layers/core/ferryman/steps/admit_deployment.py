"""Step admit_deployment: the last gate before anything changes.

An approval may have taken days: whatever was true when the deployment was planned is looked at again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ferryman.clients import image_scans as scans_edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient, ECSClient
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.decisions import step_turn
from ferryman.decisions.admission import is_promotion, refusal_of
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import Conflict, NotFound, Unavailable
from ferryman.ids import Clock
from ferryman.messages import github
from ferryman.platform import Environment, Platform, parse
from ferryman.records import (
    AppliedPlatform,
    Approval,
    Deployment,
    EnvironmentState,
    Phase,
    Release,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.records.writes import Save, Unchanged
from ferryman.store.table import Store
from ferryman.store.transactions import require_claim

if TYPE_CHECKING:
    from ferryman.steps.frozen_parts import FrozenParts


def admit(
    event: AdmitDeploymentInput, *, store: Store, ecs: Callable[[], ECSClient], ecr: ECRClient, clock: Clock
) -> AdmitDeploymentOutput:
    """Set the phase to Running if nothing prevents it; the first answer is final.

    Everything that the answer rests on is read again for each try, and the write fails if any of it has changed since.
    So a hold, a freeze or a newer document that was stored before the deployment is Running always stops it.

    `ecs` makes the client: only what was approved is looked at there. Of the document only the gates are read, as they
    are now; what runs is the plan.

    Raise NotItsTurn while people decide, ClaimLost when the claim is gone, NotFound or InvalidDocument when the
    document does not tell the rules, Throttled or Unavailable when AWS can't be asked about its images, Conflict when
    what it rests on kept changing.
    """
    scans: tuple[ImageScan, ...] | None = None
    parts: FrozenParts | None = None
    looked = False
    for _ in store.attempts():
        before = store.deployment(event.platform, event.environment, event.deployment)
        answered = before.step(step_keys.ADMIT)
        if answered is not None:
            return _told(answered)
        step_turn.require(before, step_keys.ADMIT)
        applied = store.platform(event.platform)
        document = parse(applied.document)
        environment = _environment(document, event.environment)
        if environment.scan is not None and scans is None:
            # Takes seconds, so the rest is read after it.
            scans = _scans(before, store, document, ecr)
        if not looked:
            parts, looked = _parts(before, store, ecs, ecr), True
        seen = _read(event, before, environment, applied, store)
        at = clock()
        refusal = refusal_of(
            before, seen.state, environment, seen.release, seen.approval, at,
            source=seen.source, scans=scans, gone=parts.gone if parts is not None else (),
        )  # fmt: skip
        step = Step(
            status=StepStatus.SUCCEEDED, reason="Admitted", message=_later(before, applied, parts),
            started_at=at, ended_at=clock(),
        )  # fmt: skip
        if refusal:
            step = step.but(status=StepStatus.ABORTED, reason=refusal[0], message=refusal[1])
        after = before.but(
            phase=before.phase if refusal else Phase.RUNNING, steps={**before.steps, step_keys.ADMIT: step}
        )  # fmt: skip
        told = github.for_change(after, document, at, "admitted") if after.phase is Phase.RUNNING else []
        try:
            store.write(Save(after), *map(Unchanged, seen.records), *told)
        except Conflict:
            continue
        return _told(step)
    raise Conflict(f"what deployment {event.deployment} rests on kept changing; the next attempt reads it again")


@dataclass(frozen=True)
class _Seen:
    """What the answer rests on, beside the deployment itself."""

    applied: AppliedPlatform
    state: EnvironmentState
    source: EnvironmentState | None
    release: Release | None
    approval: Approval | None

    @property
    def records(self) -> list[AppliedPlatform | EnvironmentState | Release | Approval]:
        """What may not change before the answer is written."""
        found = (self.applied, self.state, self.source, self.release, self.approval)
        return [record for record in found if record is not None]


def _read(
    event: AdmitDeploymentInput,
    deployment: Deployment,
    environment: Environment,
    applied: AppliedPlatform,
    store: Store,
) -> _Seen:
    """Read it all; raise ClaimLost when the claim is gone. The state's revision then stands for the fence."""
    state = store.state(event.platform, event.environment)
    require_claim(state, event)
    name = environment.promote_from
    return _Seen(
        applied,
        state,
        store.state(event.platform, name) if name is not None else None,
        store.release(event.platform, deployment.version),
        store.approval(event.deployment),
    )


def _parts(deployment: Deployment, store: Store, ecs: Callable[[], ECSClient], ecr: ECRClient) -> "FrozenParts | None":
    """Look at what was approved. Of what nobody approved, and of old requests without a hash, nothing is looked at."""
    plan = deployment.plan
    approval = store.approval(deployment.id) if plan is not None and plan.approval else None
    if approval is None or not approval.plan_hash:
        return None
    # Imported here: most deployments need no approval.
    from ferryman.steps import frozen_parts

    return frozen_parts.look(deployment, ecs=ecs(), ecr=ecr)


def _later(deployment: Deployment, applied: AppliedPlatform, parts: "FrozenParts | None") -> str:
    """Say what changed since the plan was made and is not part of it; empty when nothing did."""
    plan = deployment.plan
    if plan is None or parts is None:
        return ""
    # Imported here: most deployments need no approval.
    from ferryman.decisions.what_changes import some

    changed = ["the platform document"] if applied.generation != plan.generation else []
    changed += parts.later
    if not changed:
        return ""
    return f"changed since this was planned, and counts for the next deployment: {some(changed)}"


def _told(step: Step) -> AdmitDeploymentOutput:
    if not step.status.passed:
        return AdmitDeploymentOutput(verdict="Refused", reason=step.reason)
    return AdmitDeploymentOutput(verdict="Admitted")


def _scans(deployment: Deployment, store: Store, document: Platform, ecr: ECRClient) -> tuple[ImageScan, ...] | None:
    """Read the scans of a promotion. A failed read is retried and is no verdict."""
    if not is_promotion(deployment, store.state(deployment.platform, deployment.environment)):
        return None
    release = store.release(deployment.platform, deployment.version)
    planned: dict[str, set[str]] = {}
    for service in deployment.plan.services.values() if deployment.plan is not None else ():
        for component, digest, digests in service.planned_digests:
            if digests and digest == deployment.digests.get(component):
                planned.setdefault(component, set()).update(digests)
    try:
        return scans_edge.of_release(document, release, ecr, planned=planned) if release is not None else None
    except Refusal as error:
        raise Unavailable(f"the image scans of {deployment.version} could not be read: {error}") from error


def _environment(document: Platform, name: str) -> Environment:
    try:
        return document.environment(name)
    except KeyError:
        raise NotFound(f"platform {document.name} no longer has an environment {name!r}") from None
