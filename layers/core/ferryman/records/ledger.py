"""What is kept beside deployments: timeline, outbox, documents, migration claims, waits. Pure."""

from enum import StrEnum
from typing import Any, Literal

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


class OutboxMessage(Record):
    """A message that has to reach a channel; keyed by deployment (or subject), event and channel, so sent once."""

    owner: str
    """Deployment id, or `<platform>#<subject>` for messages that belong to no deployment."""
    event: str
    channel: str
    platform: str
    environment: str | None
    subject: str
    text: str
    detail: dict[str, Any] = {}
    created_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    tried_at: AwareDatetime | None = None
    """When the last attempt began; the next one waits (`notify.notify.due_at`)."""
    attempts: int = 0
    last_error: str | None = None
    gave_up: bool = False


class AppliedPlatform(Record):
    """The document as applied."""

    name: str
    generation: int
    document: dict[str, Any]
    applied_by: str
    applied_at: AwareDatetime
    rev: int = 0


class MigrationClaim(Record):
    """The right to run one migration, written before RunTask."""

    platform: str
    environment: str
    version: str
    """Release, or `<release>@<deployment>` for a command that a person asked for (`decisions.migration_attempts`)."""
    attempt: int
    deployment: str
    status: Literal["Claimed", "Running", "Succeeded", "Failed", "Unknown", "NotStarted", "Reverted"]
    """NotStarted: its task certainly never ran, so that automation may try again. Unknown: nobody may. Reverted: it
    succeeded, and a downgrade took it back since."""
    task_definition: str
    client_token: str
    task: str | None = None
    exit_code: int | None = None
    migrations: list[str] | None = None
    """Ids of all migrations in the image that migrated, oldest first; None when it does not tell."""
    at: AwareDatetime
    rev: int = 0


class SemverName(Record):
    """What a semver tag means: the one record that says which release it names, so that no two can."""

    platform: str
    name: str
    status: Literal["Waiting", "Bound", "Refused"]
    version: str | None = None
    message: str = ""
    """What it waits for, or why it was refused; of a bound one, why its move to other images was."""
    first_seen_at: AwareDatetime
    rev: int = 0


class Wait(Record):
    """The task token of a waiting step."""

    resource: str
    """ARN of the ECS service or task whose change wakes it."""
    platform: str
    environment: str
    deployment: str
    fence: int
    step: str
    token: str
    service: str | None = None
    direction: Literal["forward", "back"] | None = None
    at: AwareDatetime
