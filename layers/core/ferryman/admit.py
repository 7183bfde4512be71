"""Step admit_deployment: the last gate before anything changes."""

from ferryman import steps
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.ids import Clock
from ferryman.records import Deployment, EnvironmentState, Phase, Release, Step, StepStatus
from ferryman.store import Store


def admit(event: AdmitDeploymentInput, *, store: Store, clock: Clock) -> AdmitDeploymentOutput:
    """Flip the phase to Running if nothing speaks against it; raise ClaimLost when the claim is gone."""
    at = clock()
    state = store.state(event.platform, event.environment)
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    refusal = judge(deployment, state, store.release(event.platform, deployment.version))

    def change(before: Deployment) -> Deployment | None:
        if before.phase is Phase.RUNNING:
            return None
        step = Step(status=StepStatus.SUCCEEDED, reason="Admitted", started_at=at, ended_at=clock())
        if refusal:
            step = step.but(status=StepStatus.ABORTED, reason=refusal[0], message=refusal[1])
        phase = before.phase if refusal else Phase.RUNNING
        return before.but(phase=phase, steps={**before.steps, steps.ADMIT: step})

    store.update_deployment(event, change)
    if refusal:
        return AdmitDeploymentOutput(verdict="Refused", reason=refusal[0])
    return AdmitDeploymentOutput(verdict="Admitted")


def judge(deployment: Deployment, state: EnvironmentState, release: Release | None) -> tuple[str, str] | None:
    """Return reason and message of a refusal, or None. Pure.

    A hold stops what automation started; what a person asked for goes through. The release's images must still be the
    ones that the claim froze.
    """
    if deployment.phase is Phase.RUNNING:
        return None
    if deployment.abort is not None:
        return "Aborted", f"{deployment.abort.who} asked to abort: {deployment.abort.reason}"
    if state.hold is not None and deployment.initiated_by.automated:
        return "Held", f"{state.hold.who} put the environment on hold: {state.hold.reason}"
    if release is not None and {name: release.digests.get(name) for name in deployment.digests} != deployment.digests:
        return "DigestsChanged", f"release {release.version} no longer has the images that this deployment froze"
    return None
