"""Whether what runs in an environment is well, from what ECS said when reconcile last looked. Pure.

Health says nothing about releases: why the newest one does not run is `decisions.sync`. The table of all reasons is in
docs/reference/vocabulary.md.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from ferryman.decisions.snapshot import LiveService, Snapshot
from ferryman.platform import Environment
from ferryman.records import Deployment, EnvironmentState, LiveHealth, Phase, Record, limits
from ferryman.text import listed, shortened

STALE = timedelta(minutes=10)
"""Two sweeps: what is older says nothing about now."""
REFRESHED_EVERY = timedelta(minutes=1)
"""How often the time of an unchanged observation is written at most."""
_MOST_NAMED = 3

Judged = Literal["Healthy", "Progressing", "Degraded"]
_ORDER: tuple[Judged, ...] = ("Degraded", "Progressing", "Healthy")
_IDLE = "ScaledToZero"


class Health(Record):
    """How an environment's services are now."""

    status: Literal["Healthy", "Progressing", "Degraded", "Unknown"]
    reason: str
    message: str
    observed_at: AwareDatetime | None = None
    """When ECS was asked; None where the answer comes from the deployment under way, or nobody has asked."""


def observed(view: Snapshot, now: datetime) -> LiveHealth | None:
    """Return what to record: the judgement of this look, or what is recorded already."""
    known = view.state.health
    if not view.services:
        return known
    found = judge_services(view.services, now)
    if known is not None and known.but(at=now) == found and now - known.at < REFRESHED_EVERY:
        return known
    return found


def judge_services(services: dict[str, LiveService | None], at: datetime) -> LiveHealth:
    """Judge what ECS says of services. The worst one decides; the message names each that is like it."""
    judged = {name: _judge(service) for name, service in sorted(services.items())}
    status = next(item for item in _ORDER if any(found[0] == item for found in judged.values()))
    like_it = {name: found for name, found in judged.items() if found[0] == status}
    reasons = [found[1] for found in like_it.values()]
    if status == "Healthy":
        idle = all(reason == _IDLE for reason in reasons)
        message = "All services are scaled to zero." if idle else "All services run as many tasks as they should."
        return LiveHealth(status=status, reason=_IDLE if idle else "AsDesired", message=message, at=at)
    message = shortened(f"{_named(f'{name} {found[2]}' for name, found in like_it.items())}.",
                        limits.TEXTS["LiveHealth.message"])  # fmt: skip
    return LiveHealth(status=status, reason=reasons[0], message=message, at=at)


def _named(sentences: Iterable[str]) -> str:
    found = list(sentences)
    more = len(found) - _MOST_NAMED
    return listed([*found[:_MOST_NAMED], f"{more} more"] if more > 0 else found)


def _judge(service: LiveService | None) -> tuple[Judged, str, str]:
    """Return status, reason, and what follows the service's name in a sentence."""
    if service is None:
        return "Degraded", "ServiceMissing", "does not exist in its cluster"
    counts = f"({service.running} of {service.desired} tasks running)"
    if service.desired == 0:
        return "Healthy", _IDLE, "is scaled to zero"
    if service.rollout == "FAILED":
        return "Degraded", "RolloutFailed", f"could not finish its last rollout {counts}"
    if service.running == 0 and (service.failed or service.rollout != "IN_PROGRESS"):
        return "Degraded", "NothingRunning", f"runs no task {counts}"
    if service.rollout == "IN_PROGRESS":
        return "Progressing", "RolloutInProgress", f"is being rolled out in ECS {counts}"
    if service.running < service.desired:
        if service.pending:
            return "Progressing", "TasksStarting", f"is starting tasks {counts}"
        return "Degraded", "TasksMissing", f"runs fewer tasks than it should {counts}"
    return "Healthy", "AsDesired", f"runs as many tasks as it should {counts}"


def health(environment: Environment, state: EnvironmentState, active: Deployment | None, now: datetime) -> Health:
    """Return how an environment's services are now; `active` is the deployment under way."""
    if active is not None and active.kind != "migrate":
        if active.phase is Phase.RUNNING:
            message = f"Deployment {active.id} of {active.version} is changing services."
            return Health(status="Progressing", reason="Deploying", message=message)
        if active.phase is Phase.ROLLING_BACK:
            message = f"Services are going back: deployment {active.id} of {active.version} did not pass."
            return Health(status="Progressing", reason="RollingBack", message=message)
    if not environment.services:
        return Health(status="Unknown", reason="NoServices", message="The environment has no services, only jobs.")
    if state.current is None:
        return Health(status="Unknown", reason="NothingDeployed", message="No release has been deployed here yet.")
    seen = state.health
    if seen is None:
        return Health(status="Unknown", reason="NotSeen", message="Nobody has looked at its services yet.")
    if now - seen.at > STALE:
        message = f"It was {seen.status} when ECS was last asked: {seen.message}"
        return Health(status="Unknown", reason="SeenTooLongAgo", message=message, observed_at=seen.at)
    return Health(status=seen.status, reason=seen.reason, message=seen.message, observed_at=seen.at)
