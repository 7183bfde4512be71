"""The timeline: one line for each notable moment, and which of them the audit shows. Pure."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from ferryman.records.base import Record


class EventType(StrEnum):
    """The notable moments of a deployment's life; people's channels hear of those in `messages.deployment`."""

    CLAIMED = "Claimed"
    STARTED = "Started"
    STEP_STARTED = "StepStarted"
    STEP_ENDED = "StepEnded"
    ABORT_REQUESTED = "AbortRequested"
    ROLLING_BACK = "RollingBack"
    ENDED = "Ended"
    RE_DRIVEN = "ReDriven"
    APPROVAL_REQUESTED = "ApprovalRequested"
    APPROVAL_REMINDED = "ApprovalReminded"
    APPROVAL_LINK_SENT = "ApprovalLinkSent"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    APPROVAL_ENDED = "ApprovalEnded"
    DECISION_REFUSED = "DecisionRefused"
    PROMOTED = "Promoted"
    PUBLISHED = "Published"
    PUBLISH_FAILED = "PublishFailed"
    NOTIFICATION_FAILED = "NotificationFailed"
    # Of an environment or release rather than of a deployment:
    FROZEN = "Frozen"
    THAWED = "Thawed"
    WAIVED = "Waived"
    NAMED = "Named"
    TAG_REFUSED = "TagRefused"
    WAITING = "Waiting"
    DEPLOY_REQUESTED = "DeployRequested"
    ROLLBACK_REQUESTED = "RollbackRequested"
    MIGRATE_REQUESTED = "MigrateRequested"
    REQUEST_REFUSED = "RequestRefused"
    HELD = "Held"
    RESUMED = "Resumed"
    INCOMPLETE = "Incomplete"
    IMAGE_REFUSED = "ImageRefused"
    RETRY_REQUESTED = "RetryRequested"
    ADOPTED = "Adopted"
    REDEPLOY_REQUESTED = "RedeployRequested"
    REQUEST_DROPPED = "RequestDropped"
    APPLIED = "Applied"
    RETIRED = "Retired"


AUDITED = frozenset(
    {
        EventType.CLAIMED,
        EventType.ABORT_REQUESTED,
        EventType.ENDED,
        EventType.APPROVAL_REQUESTED,
        EventType.APPROVAL_LINK_SENT,
        EventType.APPROVED,
        EventType.REJECTED,
        EventType.APPROVAL_ENDED,
        EventType.DECISION_REFUSED,
        EventType.PROMOTED,
        EventType.PUBLISHED,
        EventType.FROZEN,
        EventType.THAWED,
        EventType.WAIVED,
        EventType.NAMED,
        EventType.TAG_REFUSED,
        EventType.DEPLOY_REQUESTED,
        EventType.ROLLBACK_REQUESTED,
        EventType.MIGRATE_REQUESTED,
        EventType.REQUEST_REFUSED,
        EventType.HELD,
        EventType.RESUMED,
        EventType.IMAGE_REFUSED,
        EventType.RETRY_REQUESTED,
        EventType.ADOPTED,
        EventType.REDEPLOY_REQUESTED,
        EventType.REQUEST_DROPPED,
        EventType.APPLIED,
        EventType.RETIRED,
    }
)
"""Acts of people, and decisions of the operator: what `ferryman audit` shows. The rest is how it went."""


class TimelineEvent(Record):
    """One line of the append-only timeline."""

    id: str
    """ULID: sorts by time."""
    platform: str
    environment: str | None
    deployment: str | None
    type: EventType
    at: AwareDatetime
    who: str
    message: str
    step: str | None = None
    detail: dict[str, Any] = {}
