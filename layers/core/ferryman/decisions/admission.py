"""Whether a deployment may start to change things: the last check, after the approval. Pure."""

from collections.abc import Sequence
from datetime import datetime

from ferryman.decisions import database_command
from ferryman.decisions.approval_needed import needs_approval
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.promotion_gate import gate
from ferryman.decisions.snapshot import ImageScan
from ferryman.platform import Environment
from ferryman.records import VOID, Approval, Deployment, EnvironmentState, Release
from ferryman.suggestions import suggest
from ferryman.text import person


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
    gone: Sequence[str] = (),
) -> tuple[str, str] | None:
    """Return reason and message of a refusal, or None. Pure.

    The release's images must still be those that the claim froze, that people approved and that `promoteFrom` proved,
    and what let it begin must still hold: soaked, scanned or waived. `source` is the state of `promoteFrom`. `gone`:
    approved images and frozen revisions that can't be used any more, in words.
    """
    if deployment.abort is not None:
        return "Aborted", f"{deployment.abort.who} requested an abort: {deployment.abort.reason}"
    return (
        stopped_by(deployment, state, environment, now)
        or _changed(deployment, release)
        or _unapproved(deployment, approval, environment)
        or _void(deployment, approval, environment, gone)
        or _unproven(deployment, state, environment, release, now, source, scans)
    )


def stopped_by(
    deployment: Deployment, state: EnvironmentState, environment: Environment, now: datetime
) -> tuple[str, str] | None:
    """Return why nothing may start now (`Held`, `Frozen`) and what ends that, or None. Pure.

    A hold stops what automation started. It stops a person's request only if it was set after the request. A rollback
    is stopped by neither: it sets the hold itself, and a freeze is no reason to keep a bad release running.
    """
    if deployment.kind == "rollback":
        return None
    env, hold = deployment.environment, state.hold
    if hold is not None and (deployment.initiated_by.automated or hold.at > deployment.created_at):
        return (
            "Held",
            (
                f"{person(hold.who)} put {env} on hold: {hold.reason}; to lift it, run "
                f"{suggest('resume', env, p=state.platform)}"
            ),
        )
    # `migrate current` only reads the database.
    freeze = frozen(environment, state, now) if deployment.command != "current" else None
    return ("Frozen", f"{env} is {freeze.message}") if freeze is not None else None


def _changed(deployment: Deployment, release: Release | None) -> tuple[str, str] | None:
    found = release.digests if release is not None else {}
    if {name: found.get(name) for name in deployment.digests} == deployment.digests:
        return None
    return (
        "DigestsChanged",
        f"the images of release {deployment.version} have changed since this deployment was created",
    )


def _unapproved(deployment: Deployment, approval: Approval | None, environment: Environment) -> tuple[str, str] | None:
    """Return why the deployment is not approved as it would run now, or None.

    A database command is looked at again: an operator of an earlier version, or a document without approvers, may have
    planned it without an approval.
    """
    if deployment.plan is None:
        return "NotPlanned", "this deployment has no plan"
    command = database_command.in_words(deployment)
    if not deployment.plan.approval and not (command and needs_approval(environment, deployment)):
        return None
    what = f"`{command}`" if command else deployment.version
    if approval is None or approval.status != "Approved" or len(approval.approved_by) < approval.required:
        return "NotApproved", f"{what} needs approval, and has not been approved"
    if (approval.version, approval.digests) != (deployment.version, deployment.digests):
        return "NotApproved", f"the approved images are not the images of {deployment.version}"
    # An approval of an earlier version has no hash.
    if approval.command_hash and approval.command_hash != database_command.hash_of(deployment):
        return "NotApproved", f"the command, image or revision that was approved is not what {what} would run"
    return None


def _void(
    deployment: Deployment, approval: Approval | None, environment: Environment, gone: Sequence[str]
) -> tuple[str, str] | None:
    # Imported here: others take only `stopped_by` of this module.
    from ferryman.decisions.approved_plan import void

    why = void(deployment, approval, environment, gone)
    return (VOID, f"the approval of {deployment.version} no longer holds: {why}") if why is not None else None


def _unproven(
    deployment: Deployment,
    state: EnvironmentState,
    environment: Environment,
    release: Release | None,
    now: datetime,
    source: EnvironmentState | None,
    scans: Sequence[ImageScan] | None,
) -> tuple[str, str] | None:
    """Return why the promotion gate refuses the release now, or None."""
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
    """Tell whether a deployment needs proof of verification; a release that already runs here does not."""
    runs = state.current is not None and state.current.version == deployment.version
    return deployment.kind in ("deploy", "retry") and not runs
