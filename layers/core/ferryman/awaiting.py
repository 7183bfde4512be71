"""What becomes of a deployment that waits for approval. Pure; part of `ferryman.decide`."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman import candidates
from ferryman.records import Approval
from ferryman.view import View


@dataclass(frozen=True)
class EndApproval:
    """Void a pending approval: nobody can say yes to it any more."""

    status: Literal["Expired", "Superseded", "Aborted"]
    why: str
    who: str
    by: str | None = None
    """The version that goes instead."""


@dataclass(frozen=True)
class RemindApprovers:
    """Tell those who have not decided that the request is about to expire."""


@dataclass(frozen=True)
class TellMachine:
    """Answer the waiting step with a decision that stands in the table."""


def due(view: View, now: datetime) -> EndApproval | RemindApprovers | TellMachine | int | None:
    """Return what to do about the approval of the active deployment; a number is: look again after so many seconds."""
    approval, deployment = view.approval, view.deployment
    if approval is None or deployment is None:
        return None
    if approval.status != "Pending":
        return TellMachine() if approval.answered_at is None and approval.token is not None else None
    if deployment.abort is not None:
        return EndApproval(
            "Aborted", f"{deployment.abort.who} aborted it: {deployment.abort.reason}", deployment.abort.who
        )
    if now >= approval.expires_at:
        return EndApproval("Expired", "nobody decided in time", "ferryman")
    wish = view.state.requested
    if wish is not None and wish.kind in ("deploy", "retry", "rollback") and wish.version != approval.version:
        return EndApproval(
            "Superseded", f"{wish.who} asked for {wish.version} instead: {wish.reason}", wish.who, wish.version
        )
    newer = _newer(view, approval, now)
    if newer is not None:
        return EndApproval("Superseded", f"{newer} is newer and takes its place", "ferryman", newer)
    remind = approval.remind_at if approval.reminded_at is None else None
    if remind is not None and now >= remind:
        return RemindApprovers()
    next_at = min(remind, approval.expires_at) if remind is not None else approval.expires_at
    return math.ceil((next_at - now).total_seconds())


def _newer(view: View, approval: Approval, now: datetime) -> str | None:
    """Return the newer candidate that takes the place of a pending one, where the document says so."""
    pending = view.release(approval.version)
    ready = candidates.outlook(view, now).ready
    if view.environment.on_newer != "replace" or pending is None or ready is None:
        return None
    return ready.release.version if ready.release.order > pending.order else None
