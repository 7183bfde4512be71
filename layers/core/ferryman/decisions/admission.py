"""Whether a deployment may begin to change things: the last look, after the approval. Pure."""

from collections.abc import Sequence
from datetime import datetime

from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.promotion_gate import gate
from ferryman.decisions.snapshot import ImageScan
from ferryman.platform import Environment
from ferryman.records import Approval, Deployment, EnvironmentState, Release


def refusal_of(
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
        stopped_by(deployment, state, environment, now)
        or _changed(deployment, release)
        or _unapproved(deployment, approval)
        or _unproven(deployment, state, environment, release, now, source, scans)
    )


def stopped_by(
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
    if release is None or not is_promotion(deployment, state):
        return None
    waits = gate(
        deployment.environment, environment, release, now, source=source, scans=scans,
        waiver=state.waivers.get(deployment.version), digests=deployment.digests,
    )  # fmt: skip
    if waits is None:
        return None
    reason = "NotVerified" if waits.reason == "WaitsForSource" else waits.reason
    return reason, waits.message


def is_promotion(deployment: Deployment, state: EnvironmentState) -> bool:
    """Promotion asks for proof; what runs here already, and what once did, is no promotion."""
    runs = state.current is not None and state.current.version == deployment.version
    return deployment.kind in ("deploy", "retry") and not runs
