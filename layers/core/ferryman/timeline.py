"""Making timeline events and the outbox messages that go with them. Pure."""

from datetime import datetime, timedelta
from typing import Any

from ferryman.ids import NewId
from ferryman.records import Deployment, EventType, TimelineEvent
from ferryman.writes import Add

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
            message=message,
            step=step,
            detail=detail or {},
        ),
        expires_at=int((at + _RETENTION).timestamp()),
    )


def environment_event(
    platform: str, environment: str | None, type: EventType, message: str, *, at: datetime, new_id: NewId, who: str
) -> Add:
    """Make one line of the timeline of an environment, for what belongs to no deployment."""
    record = TimelineEvent(
        id=new_id(),
        platform=platform,
        environment=environment,
        deployment=None,
        type=type,
        at=at,
        who=who,
        message=message,
    )
    return Add(record, expires_at=int((at + _RETENTION).timestamp()))
