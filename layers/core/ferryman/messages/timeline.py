"""Making timeline events and the outbox messages that go with them. Pure."""

from datetime import datetime, timedelta
from typing import Any

from ferryman.ids import NewId
from ferryman.records import Approval, Deployment, EventType, OutboxMessage, TimelineEvent
from ferryman.records.writes import Add
from ferryman.text import redacted, redacted_data

_RETENTION = timedelta(days=400)


def event(
    deployment: Deployment,
    type: EventType,
    message: str,
    *,
    at: datetime,
    new_id: NewId,
    who: str = "ferryman",
    step: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Add:
    """Make one line of a deployment's timeline, ready to be written in the transaction it belongs to."""
    return Add(
        TimelineEvent(
            id=new_id(),
            platform=deployment.platform,
            environment=deployment.environment,
            deployment=deployment.id,
            type=type,
            at=at,
            who=who,
            message=redacted(message),
            step=step,
            detail=redacted_data(detail or {}),
        ),
        expires_at=int((at + _RETENTION).timestamp()),
    )


def environment_event(
    platform: str,
    environment: str | None,
    type: EventType,
    message: str,
    *,
    at: datetime,
    new_id: NewId,
    who: str,
    detail: dict[str, Any] | None = None,
) -> Add:
    """Make one line of the timeline of an environment, for an event that belongs to no deployment."""
    record = TimelineEvent(
        id=new_id(),
        platform=platform,
        environment=environment,
        deployment=None,
        type=type,
        at=at,
        who=who,
        message=redacted(message),
        detail=redacted_data(detail or {}),
    )
    return Add(record, expires_at=int((at + _RETENTION).timestamp()))


def approval_event(
    approval: Approval,
    type: EventType,
    message: str,
    *,
    at: datetime,
    new_id: NewId,
    who: str,
    detail: dict[str, Any],
    step: str | None = None,
) -> Add:
    """Make one line about an approval: of its deployment's timeline, or of the environment's for a proposal."""
    record = TimelineEvent(
        id=new_id(),
        platform=approval.platform,
        environment=approval.environment,
        deployment=None if approval.proposal is not None else approval.deployment,
        type=type,
        at=at,
        who=who,
        message=redacted(message),
        step=step if approval.proposal is None else None,
        detail=redacted_data(detail if approval.proposal is None else {**detail, "proposal": approval.proposal}),
    )
    return Add(record, expires_at=int((at + _RETENTION).timestamp()))


def message_event(message: OutboxMessage, text: str, *, at: datetime, new_id: NewId) -> Add:
    """Make the line that says that delivery of a message was given up, in the timeline of the message's subject."""
    of_deployment = message.environment is not None and "#" not in message.owner
    record = TimelineEvent(
        id=new_id(),
        platform=message.platform,
        environment=message.environment,
        deployment=message.owner if of_deployment else None,
        type=EventType.NOTIFICATION_FAILED,
        at=at,
        who="ferryman",
        message=redacted(text),
        detail={"channel": message.channel, "event": message.event},
    )
    return Add(record, expires_at=int((at + _RETENTION).timestamp()))
