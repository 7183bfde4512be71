"""Decide what to do about a deployment that waits for approval. Pure; part of `decisions.decide`."""

import math
from datetime import datetime

from ferryman.decisions import candidates
from ferryman.decisions.actions import EndApproval, RemindApprovers, TellMachine
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.outcome import EXPIRED_WHILE_STOPPED
from ferryman.decisions.promotion_gate import wish_kept_back
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Approval, Deployment, ReleaseStatus, Request
from ferryman.text import person


def due(view: Snapshot, now: datetime) -> EndApproval | RemindApprovers | TellMachine | int | None:
    """Return what to do about the approval of the active deployment; an int is the seconds until the next look."""
    approval, deployment = view.approval, view.deployment
    if approval is None or deployment is None:
        return None
    if approval.status != "Pending":
        return TellMachine() if approval.answered_at is None and approval.token is not None else None
    if deployment.abort is not None:
        return EndApproval(
            "Aborted", f"{deployment.abort.who} aborted the deployment: {deployment.abort.reason}", deployment.abort.who
        )
    if approval.expired_at(now):
        return _expired(view, deployment, now)
    wish = _wish(view, approval, deployment, now)
    if wish is not None:
        return EndApproval(
            "Superseded", f"{wish.who} requested {wish.version} instead: {wish.reason}", wish.who, wish.version
        )
    newer = _newer(view, approval, deployment, now)
    if newer is not None:
        return EndApproval("Superseded", f"the newer release {newer} replaces it", "ferryman", newer)
    remind = approval.remind_at if approval.reminded_at is None else None
    if remind is not None and now >= remind:
        return RemindApprovers()
    next_at = min(remind, approval.expires_at) if remind is not None else approval.expires_at
    return math.ceil((next_at - now).total_seconds())


def _expired(view: Snapshot, deployment: Deployment, now: datetime) -> EndApproval:
    """End an expired approval. If a freeze or a hold prevented the approval, the release stays eligible."""
    why, hold, freeze = "not approved in time", view.state.hold, frozen(view.environment, view.state, now)
    if deployment.kind == "rollback" or (hold is None and freeze is None):
        return EndApproval("Expired", why, "ferryman")
    told = (
        f"{view.name} is {freeze.message}" if freeze else f"{person(hold.who)} put {view.name} on hold" if hold else ""
    )
    if deployment.kind == "migrate":
        return EndApproval("Expired", f"{why}: {told}. Run the command again when that ends", "ferryman")
    again = "; approval will be requested again when that ends" if _by_itself(deployment) else ""
    return EndApproval(
        "Expired", f"{why}: {told}. The release stays eligible{again}", "ferryman", reason=EXPIRED_WHILE_STOPPED
    )


def _by_itself(deployment: Deployment) -> bool:
    return (deployment.requested_by or deployment.initiated_by).automated


def _wish(view: Snapshot, approval: Approval, deployment: Deployment, now: datetime) -> Request | None:
    """Return a person's request that replaces the pending one, if it could start now (`decisions.decide`).

    A rollback to the same version replaces it, too: it may need no approval, and holds and freezes do not stop it. A
    redeploy or a database command waits instead, unless an admin overrides the approval.
    """
    wish = view.state.requested
    if wish is None or not (wish.kind in ("deploy", "retry", "rollback") or wish.override):
        return None
    if wish.version == approval.version and not _differs(wish, deployment):
        return None
    release, hold = view.release(wish.version), view.state.hold
    if release is None or release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        return None
    if wish.kind == "rollback":
        return wish
    if hold is not None and wish.at < hold.at:
        return None
    if frozen(view.environment, view.state, now) is not None or wish_kept_back(view, now) is not None:
        return None
    return wish


def _differs(wish: Request, deployment: Deployment) -> bool:
    """Tell whether a request for the pending deployment's version is for something else, or without an approval."""
    if wish.override:
        return True
    if wish.kind != "rollback":
        return deployment.kind == "migrate" and wish.kind in ("deploy", "retry")
    return deployment.kind != "rollback" or (wish.command, wish.revision, wish.revisions) != (
        deployment.command,
        deployment.revision,
        deployment.revisions,
    )


def _newer(view: Snapshot, approval: Approval, deployment: Deployment, now: datetime) -> str | None:
    """Return the newer candidate that replaces the pending one, if the document says so (`onNewer: replace`).

    The candidate must be able to start now. A person's request is replaced only by a release that came after it, a
    rollback never.
    """
    pending = view.release(approval.version)
    ready = candidates.outlook(view, now).ready
    if view.environment.on_newer != "replace" or deployment.kind == "rollback" or pending is None or ready is None:
        return None
    if view.state.hold is not None or frozen(view.environment, view.state, now) is not None:
        return None
    settled = view.settled(ready.release)
    if settled is not None and settled.retry_at is not None and settled.retry_at > now:
        return None
    by_a_person = not deployment.initiated_by.automated
    if by_a_person and (ready.since is None or ready.since <= deployment.created_at):
        return None
    return ready.release.version if ready.release.order > pending.order else None
