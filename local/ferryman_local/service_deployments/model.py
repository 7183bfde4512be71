"""A service, its deployments, its tasks, and what has to be done. Frozen; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ferryman_local.service_deployments.configuration import Configuration, Hook, Stage


class Status(StrEnum):
    """How a service deployment stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    SUCCESSFUL = "SUCCESSFUL"


FINAL = frozenset({Status.STOPPED, Status.ROLLBACK_SUCCESSFUL, Status.ROLLBACK_FAILED, Status.SUCCESSFUL})
BACK = frozenset({Status.ROLLBACK_REQUESTED, Status.ROLLBACK_IN_PROGRESS})


class Condition(StrEnum):
    """How a task is."""

    STARTING = "STARTING"
    """Not healthy yet; with a load balancer, until its health checks pass."""
    HEALTHY = "HEALTHY"
    STOPPING = "STOPPING"
    """It drains, or its containers end."""


@dataclass(frozen=True)
class Task:
    """A task that has not stopped."""

    id: str
    revision: str
    condition: Condition
    protected: bool = False
    """From scale-in: ECS stops it for no deployment."""


@dataclass(frozen=True)
class HookRun:
    """A hook at a stage: `hookId` and how it stands."""

    id: str
    hook: Hook
    stage: Stage
    status: str
    """AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED or TIMED_OUT."""
    expires_at: datetime
    ask_at: datetime | None = None
    """When a function is asked; None while it is, and for a pause."""


@dataclass(frozen=True)
class ServiceDeployment:
    """One deployment of a service, from one revision to another."""

    id: str
    target: str
    source: str | None
    """The revision that ran before; None for a new service."""
    configuration: Configuration
    created_at: datetime
    status: Status = Status.PENDING
    reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stage: Stage | None = None
    """None for ROLLING."""
    stage_since: datetime | None = None
    shift: int = 0
    """Which of the configuration's shifts comes next, or has just been made."""
    hooks: tuple[HookRun, ...] = ()
    failed_tasks: int = 0
    tripped: bool = False
    """The circuit breaker gave it up."""
    watches_alarms: bool = False
    rang: tuple[str, ...] = ()
    rollback_reason: str = ""
    rollback_since: datetime | None = None

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL

    @property
    def wanted(self) -> str | None:
        """The revision whose tasks are to run at its end."""
        return self.source if self.status in BACK else self.target

    def but(self, **changed: Any) -> "ServiceDeployment":
        """Return it with other values."""
        return replace(self, **changed)


@dataclass(frozen=True)
class Service:
    """A service as ECS keeps it."""

    name: str
    desired: int
    runs: str | None
    """The revision of the last deployment that succeeded."""
    deployments: tuple[ServiceDeployment, ...] = ()
    """The newest first."""
    production: Mapping[str, float] = field(default_factory=dict)
    """Revision → per cent of production's traffic; empty without traffic that is shifted."""
    test: Mapping[str, float] = field(default_factory=dict)

    @property
    def current(self) -> ServiceDeployment | None:
        """The deployment in flight, if there is one."""
        newest = self.deployments[0] if self.deployments else None
        return newest if newest is not None and not newest.final else None

    def but(self, **changed: Any) -> "Service":
        """Return it with other values."""
        return replace(self, **changed)

    def with_current(self, deployment: ServiceDeployment) -> "Service":
        """Return it with its newest deployment replaced."""
        return self.but(deployments=(deployment, *self.deployments[1:]))


@dataclass(frozen=True)
class Start:
    """Start tasks of a revision."""

    revision: str
    count: int


@dataclass(frozen=True)
class Stop:
    """Stop tasks; a load balancer drains them first."""

    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """Set the weights of the production rule or of the test rule."""

    rule: str
    """`production` or `test`."""
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Ask:
    """Invoke the function of a hook; its answer goes to `machine.hook_answered`."""

    run: HookRun
    deployment: ServiceDeployment


@dataclass(frozen=True)
class Tell:
    """Publish an event about the deployment."""

    kind: str
    """`SERVICE_DEPLOYMENT_…` of an `ECS Deployment State Change`, or `HOOK_…` of an `ECS Hook State Change`."""
    deployment: ServiceDeployment
    run: HookRun | None = None


Act = Start | Stop | Route | Ask | Tell
LONGEST_STAGE = timedelta(hours=24)
