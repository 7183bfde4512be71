"""Step admit_deployment: the last gate before anything changes.

An approval may have taken days: whatever was true when the deployment was planned is looked at again.
"""

from ferryman.clients import image_scans as scans_edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.decisions.admission import is_promotion, refusal_of
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import NotFound, Unavailable
from ferryman.ids import Clock
from ferryman.messages import github
from ferryman.platform import Environment, Platform, parse
from ferryman.records import Deployment, EnvironmentState, Phase, Step, StepStatus, step_keys
from ferryman.records.writes import Add
from ferryman.store.documents import document_of
from ferryman.store.table import Store


def admit(event: AdmitDeploymentInput, *, store: Store, ecr: ECRClient, clock: Clock) -> AdmitDeploymentOutput:
    """Set the phase to Running if nothing prevents it; the first answer is final.

    Raise ClaimLost when the claim is gone, NotFound or InvalidDocument when the document does not tell the rules,
    Throttled or Unavailable when the scans of its images can't be read.
    """
    at = clock()
    state = store.state(event.platform, event.environment)
    document = parse(store.platform(event.platform).document)
    environment = _environment(document, event.environment)
    approval = store.approval(event.deployment)
    name = environment.promote_from
    source = store.state(event.platform, name) if name is not None else None
    found = _scans(store.deployment(event.platform, event.environment, event.deployment), state, document, store, ecr)

    def change(before: Deployment) -> Deployment | None:
        if before.phase is Phase.RUNNING or _refused(before) is not None:
            return None
        # What was aborted since the last look counts: this is the record that the abort is written into.
        release = store.release(event.platform, before.version)
        refusal = refusal_of(before, state, environment, release, approval, at, source=source, scans=found)
        step = Step(status=StepStatus.SUCCEEDED, reason="Admitted", started_at=at, ended_at=clock())
        if refusal:
            step = step.but(status=StepStatus.ABORTED, reason=refusal[0], message=refusal[1])
        phase = before.phase if refusal else Phase.RUNNING
        return before.but(phase=phase, steps={**before.steps, step_keys.ADMIT: step})

    def told(after: Deployment) -> list[Add]:
        document = document_of(store, after.platform) if after.phase is Phase.RUNNING else None
        return github.for_change(after, document, at, "admitted") if document else []

    refused = _refused(store.update_deployment(event, change, told))
    if refused is not None:
        return AdmitDeploymentOutput(verdict="Refused", reason=refused.reason)
    return AdmitDeploymentOutput(verdict="Admitted")


def _scans(
    deployment: Deployment, state: EnvironmentState, document: Platform, store: Store, ecr: ECRClient
) -> tuple[ImageScan, ...] | None:
    """Read the scans, if the document requires them. A failed read is retried and is no verdict."""
    answered = deployment.phase is Phase.RUNNING or _refused(deployment) is not None
    if document.environment(deployment.environment).scan is None or answered or not is_promotion(deployment, state):
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


def _refused(deployment: Deployment) -> Step | None:
    step = deployment.step(step_keys.ADMIT)
    return step if step is not None and not step.status.passed else None


def _environment(document: Platform, name: str) -> Environment:
    try:
        return document.environment(name)
    except KeyError:
        raise NotFound(f"platform {document.name} no longer has an environment {name!r}") from None
