"""Step admit_deployment: the last gate before anything changes.

An approval may have taken days: whatever was true when the deployment was planned is looked at again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ferryman.approvals import notifications
from ferryman.clients import ecr as ecr_edge
from ferryman.clients import image_scans as scans_edge
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.decisions import candidates
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import NotFound, Unavailable
from ferryman.ids import Clock
from ferryman.messages import github
from ferryman.platform import Environment, Platform, parse
from ferryman.records import Approval, Deployment, EnvironmentState, Phase, Release, Step, StepStatus, step_keys
from ferryman.records.writes import Add
from ferryman.store.table import Store


def admit(event: AdmitDeploymentInput, *, store: Store, ecr: Any, clock: Clock) -> AdmitDeploymentOutput:
    """Flip the phase to Running if nothing speaks against it; the first answer stands.

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
        refusal = judge(before, state, environment, release, approval, at, source=source, scans=found)
        step = Step(status=StepStatus.SUCCEEDED, reason="Admitted", started_at=at, ended_at=clock())
        if refusal:
            step = step.but(status=StepStatus.ABORTED, reason=refusal[0], message=refusal[1])
        phase = before.phase if refusal else Phase.RUNNING
        return before.but(phase=phase, steps={**before.steps, step_keys.ADMIT: step})

    def told(after: Deployment) -> list[Add]:
        document = notifications.document_of(store, after.platform) if after.phase is Phase.RUNNING else None
        return github.for_change(after, document, at, "admitted") if document else []

    refused = _refused(store.update_deployment(event, change, told))
    if refused is not None:
        return AdmitDeploymentOutput(verdict="Refused", reason=refused.reason)
    return AdmitDeploymentOutput(verdict="Admitted")


def judge(
    deployment: Deployment,
    state: EnvironmentState,
    environment: Environment,
    release: Release | None,
    approval: Approval | None,
    now: datetime,
    *,
    source: EnvironmentState | None = None,
    scans: Sequence[ImageScan] | None = None,
) -> tuple[str, str] | None:
    """Return reason and message of a refusal, or None. Pure.

    The release's images must still be those that the claim froze, that people approved and that `promoteFrom` proved,
    and what let it begin must still hold: soaked, scanned or waived. `source` is the state of `promoteFrom`.
    """
    if deployment.abort is not None:
        return "Aborted", f"{deployment.abort.who} asked to abort: {deployment.abort.reason}"
    return (
        stopped(deployment, state, environment, now)
        or _changed(deployment, release)
        or _unapproved(deployment, approval)
        or _unproven(deployment, state, environment, release, now, source, scans)
    )


def stopped(
    deployment: Deployment, state: EnvironmentState, environment: Environment, now: datetime
) -> tuple[str, str] | None:
    """Return why nothing may start now (`Held`, `Frozen`) and what ends that, or None. Pure.

    A hold stops what automation started; what a person asked for only if they could not know of it. The way back passes
    both: it sets the hold itself, and a freeze is no reason to stay on a bad release.
    """
    if deployment.kind == "rollback":
        return None
    env, hold = deployment.environment, state.hold
    if hold is not None and (deployment.initiated_by.automated or hold.at > deployment.created_at):
        lift = f"`ferryman resume {env}` lifts it"
        return "Held", f"{hold.who} put {env} on hold: {hold.reason}; {lift}"
    # Asking a database where it stands changes nothing.
    freeze = frozen(environment, state, now) if deployment.command != "current" else None
    return ("Frozen", f"{env} is {freeze.message}") if freeze is not None else None


def _changed(deployment: Deployment, release: Release | None) -> tuple[str, str] | None:
    found = release.digests if release is not None else {}
    if {name: found.get(name) for name in deployment.digests} == deployment.digests:
        return None
    return "DigestsChanged", f"release {deployment.version} no longer has the images that this deployment froze"


def _unapproved(deployment: Deployment, approval: Approval | None) -> tuple[str, str] | None:
    if deployment.plan is None:
        return "NotPlanned", "nobody has planned this deployment"
    if not deployment.plan.approval:
        return None
    if approval is None or approval.status != "Approved" or len(approval.approved_by) < approval.required:
        return "NotApproved", f"{deployment.version} needs an approval that nobody has given"
    if (approval.version, approval.digests) != (deployment.version, deployment.digests):
        return "NotApproved", f"what was approved are other images than those of {deployment.version}"
    return None


def _unproven(
    deployment: Deployment,
    state: EnvironmentState,
    environment: Environment,
    release: Release | None,
    now: datetime,
    source: EnvironmentState | None,
    scans: Sequence[ImageScan] | None,
) -> tuple[str, str] | None:
    """Return what a promotion's gate says now."""
    if release is None or not _promotes(deployment, state):
        return None
    waits = candidates.gate(
        environment, release, now, source=source, scans=scans,
        waiver=state.waivers.get(deployment.version), digests=deployment.digests,
    )  # fmt: skip
    if waits is None:
        return None
    reason = "NotVerified" if waits.reason == "WaitsForSource" else waits.reason
    return reason, waits.message.replace("ENV", deployment.environment)


def _promotes(deployment: Deployment, state: EnvironmentState) -> bool:
    """Promotion asks for proof; what runs here already, and what once did, is no promotion."""
    runs = state.current is not None and state.current.version == deployment.version
    return deployment.kind in ("deploy", "retry") and not runs


def _scans(
    deployment: Deployment, state: EnvironmentState, document: Platform, store: Store, ecr: Any
) -> tuple[ImageScan, ...] | None:
    """Look at the scans, where they are asked for; a refused look is worth another try, and no verdict."""
    answered = deployment.phase is Phase.RUNNING or _refused(deployment) is not None
    if document.environment(deployment.environment).scan is None or answered or not _promotes(deployment, state):
        return None
    release = store.release(deployment.platform, deployment.version)
    try:
        return scans_edge.of_release(document, release, ecr) if release is not None else None
    except ecr_edge.Refusal as error:
        raise Unavailable(f"the image scans of {deployment.version} could not be read: {error}") from error


def _refused(deployment: Deployment) -> Step | None:
    step = deployment.step(step_keys.ADMIT)
    return step if step is not None and not step.status.passed else None


def _environment(document: Platform, name: str) -> Environment:
    try:
        return document.environment(name)
    except KeyError:
        raise NotFound(f"platform {document.name} no longer has an environment {name!r}") from None
