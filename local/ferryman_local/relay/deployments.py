"""ECS services: the `ECS Deployment State Change` events for a change of a service's deployments. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ferryman_local.relay.events import Change, without_epochs

_IN_PROGRESS, _COMPLETED, _FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"


@dataclass(frozen=True)
class Deployment:
    """The part of a deployment that the watcher remembers."""

    id: str
    status: str  # PRIMARY or ACTIVE
    state: str  # rolloutState
    reason: str = ""
    updated_at: str = ""


type Deployments = Mapping[str, Deployment]


def deployments_of(service: Mapping[str, Any]) -> dict[str, Deployment]:
    """The `deployments` of DescribeServices, oldest first, so that events are in chronological order."""
    return {
        raw["id"]: Deployment(
            id=raw["id"],
            status=raw.get("status", ""),
            state=raw.get("rolloutState", ""),
            reason=raw.get("rolloutStateReason") or "",
            updated_at=str(without_epochs(raw.get("updatedAt", ""), "updatedAt")),
        )
        for raw in reversed(service.get("deployments") or [])
    }


def changes(service_arn: str, before: Deployments, after: Deployments) -> list[Change]:
    """The events between two polls of a service, including intermediate states that were not seen.

    The breaker's rollback makes the last completed deployment PRIMARY again, so its id starts and completes a second
    time: IN_PROGRESS with the rollback's reason, then COMPLETED. Those come after the failure that caused them.
    """
    fresh: list[Change] = []
    rollbacks: list[Change] = []
    for new in after.values():
        old = before.get(new.id)
        if old is not None and old.state == _COMPLETED and _started_again(old, new):
            reason = f"ECS deployment circuit breaker: rolling back to deploymentId {new.id}."
            rollbacks.append(_event(service_arn, new, _IN_PROGRESS, reason))
            rollbacks += _end(service_arn, new)
            continue
        if old is None:
            fresh.append(_event(service_arn, new, _IN_PROGRESS, f"ECS deployment {new.id} in progress."))
        if old is None or old.state != new.state:
            fresh += _end(service_arn, new)
    return fresh + rollbacks


def in_motion(deployments: Iterable[Deployment]) -> bool:
    """Whether a rollout is in progress, so that its tasks are described."""
    return any(deployment.state == _IN_PROGRESS for deployment in deployments)


def _started_again(old: Deployment, new: Deployment) -> bool:
    """Whether a deployment is IN_PROGRESS again, or PRIMARY again if the whole rollback happened between two polls."""
    return new.state == _IN_PROGRESS or (old.status == "ACTIVE" and new.status == "PRIMARY")


def _end(service_arn: str, deployment: Deployment) -> list[Change]:
    if deployment.state == _COMPLETED:
        return [_event(service_arn, deployment, _COMPLETED, f"ECS deployment {deployment.id} completed.")]
    if deployment.state == _FAILED:
        reason = deployment.reason or "ECS deployment circuit breaker: task failed to start."
        return [_event(service_arn, deployment, _FAILED, reason)]
    return []


def _event(service_arn: str, deployment: Deployment, state: str, reason: str) -> Change:
    detail = {
        "eventType": "ERROR" if state == _FAILED else "INFO",
        "eventName": f"SERVICE_DEPLOYMENT_{state}",
        "deploymentId": deployment.id,
        "updatedAt": deployment.updated_at,
        "reason": reason,
    }
    return Change("aws.ecs", "ECS Deployment State Change", detail, (service_arn,))
