"""Deployments: one attempt to bring an environment to a release, step by step. Pure."""

from dataclasses import dataclass
from typing import Final, Literal, Self

from pydantic import AwareDatetime, PrivateAttr

from ferryman.errors import InvalidInput
from ferryman.records.base import Record
from ferryman.records.environment import Actor
from ferryman.records.phases import Phase, StepStatus
from ferryman.records.plan import Plan, PlannedJob, PlannedService

OLD_TASKS_REMAIN: Final = "OldTasksRemain"
"""Reason of a rollout that succeeded although ECS still stops old tasks, and the condition that tells so."""

ENDED_WHILE_DRAINING: Final = "EndedWhileDraining"
"""Reason of a rollout that was healthy, and whose deployment was given up while ECS still stopped old tasks."""

NOT_JUDGED: Final = "NotJudged"
"""Reason of a rollout whose deployment was given up before anybody judged it."""


class RolloutProgress(Record):
    """One service on its way to a task definition."""

    service: str
    direction: Literal["forward", "back"]
    previous_task_definition: str | None = None
    task_definition: str | None = None
    ecs_deployment: str | None = None
    previous_ecs_deployment: str | None = None
    """PRIMARY just before UpdateService: tells whether a lost call worked."""
    followed_at: AwareDatetime | None = None
    """Since when we know `ecs_deployment`; ECS may list it some seconds later."""
    desired: int | None = None
    running: int | None = None
    failed: int | None = None
    healthy_at: AwareDatetime | None = None
    """Since when all its tasks are healthy, at the desired count; None: they are not."""
    lost_at: AwareDatetime | None = None
    """Since when they are healthy no more, after they were."""
    drain_seconds: int | None = None
    """How long ECS may take to stop the old tasks, from `healthy_at` on; None: they never were healthy."""
    first_stopped: str = ""
    """`<task id>/<container>`: which essential container of a task was seen to stop while others still ran."""


class MigrationProgress(Record):
    """The one-off task of a migration."""

    task_definition: str | None = None
    task: str | None = None
    exit_code: int | None = None
    attempt: int = 1
    followed_at: AwareDatetime | None = None
    """Since when we know `task`; ECS may list it some seconds later."""
    first_stopped: str = ""
    """The essential container that was seen to stop while others still ran."""


class CheckResult(Record):
    """How one smoke test went, last attempt."""

    name: str
    url: str
    attempt: int
    passed: bool
    detail: str
    at: AwareDatetime | None = None
    """When the attempt ended; the next one waits for the check's delay from here."""


class Step(Record):
    """One step of a deployment. Its key in `Deployment.steps` says which: see `records.step_keys`."""

    status: StepStatus
    reason: str = ""
    """CamelCase, for programs: `BreakerRolledBack`, `NonZeroExit`."""
    message: str = ""
    """For people: what happened, why, what to do next."""
    logs: list[str] = []
    """The last lines of the container that decided it. Steps that ended lately have them in a `StepLog` instead."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    rollout: RolloutProgress | None = None
    migration: MigrationProgress | None = None
    checks: list[CheckResult] = []


class Publication(Record):
    """The release on GitHub that a semver trigger makes."""

    status: Literal["Published", "Failed"]
    url: str = ""
    message: str = ""
    at: AwareDatetime


class AbortRequest(Record):
    """A person's wish to stop a deployment; read between steps and by watchers."""

    reason: str
    who: str
    at: AwareDatetime


@dataclass(frozen=True)
class Apart:
    """What of a deployment is stored in items of its own, as it was read or written last."""

    plan: Plan | None
    steps: dict[str, Step]


class Deployment(Record):
    """One attempt to bring an environment to a release."""

    platform: str
    environment: str
    id: str
    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback", "migrate"] = "deploy"
    tag: str | None = None
    """The semver tag that started it."""
    why: str = ""
    """What whoever asked for it gave as the reason."""
    command: Literal["up", "down", "current"] | None = None
    """Of migrate and of rollback with --downgrade: what is done with the database."""
    revision: str | None = None
    """Where `down` goes to."""
    migration: str = ""
    """Of migrate: which of several migrations is meant, by name."""
    revisions: dict[str, str] = {}
    """Of rollback with --downgrade: where `down` goes to, by name of the migration."""
    override: str = ""
    """Why an admin had it run without the approval that it needs; "": no admin did."""
    schema_mismatch: str = ""
    """Of rollback: why the release may not suit the database, which whoever asked for it accepted."""
    from_version: str | None = None
    digests: dict[str, str]
    fence: int = 0
    phase: Phase = Phase.PENDING
    reason: str = ""
    message: str = ""
    initiated_by: Actor
    requested_by: Actor | None = None
    """Who wants it: of an automatic retry, whoever asked for the first attempt. None when that is not written down."""
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    execution_arn: str | None = None
    plan: Plan | None = None
    steps: dict[str, Step] = {}
    abort: AbortRequest | None = None
    superseded_by: str | None = None
    approved_by: list[str] = []
    """Names of the people who said yes."""
    renews: str | None = None
    """The deployment whose approval was voided by the last gate, where this one asks anew."""
    publication: Publication | None = None
    attempts: int = 1
    """Which attempt at this version in this environment."""
    rev: int = 0
    _apart: Apart | None = PrivateAttr(default=None)

    @property
    def apart(self) -> Apart | None:
        """What is stored in items of its own; None where one item holds all."""
        return self._apart

    @property
    def is_head(self) -> bool:
        """Whether its plan and the steps of its services have items of their own that were not read (lists)."""
        return self.plan is None and self.started_at is not None

    def with_apart(self, apart: Apart) -> Self:
        """Return it as one whose plan and steps of services have items of their own."""
        made = self.but()
        made._apart = apart
        return made

    def with_logs(self, logs: dict[str, list[str]]) -> Self:
        """Return it with log lines in its steps (by key), to be shown; it is not written so."""
        found = {key: step.but(logs=logs[key]) for key, step in self.steps.items() if not step.logs and logs.get(key)}
        return self.but(steps={**self.steps, **found})

    def step(self, key: str) -> Step | None:
        """Return one step, or None when it has not begun."""
        return self.steps.get(key)

    def require_plan(self) -> Plan:
        """Return the frozen plan; raise InvalidInput when begin_deployment has not made it."""
        if self.plan is None:
            raise InvalidInput(f"deployment {self.id} has no plan: begin_deployment comes first")
        return self.plan

    def planned(self, service: str) -> PlannedService:
        """Return one planned service; raise InvalidInput when there is no plan, or none for a service of that name."""
        found = self.require_plan().services.get(service)
        if found is None:
            raise InvalidInput(f"the plan of deployment {self.id} has no service {service!r}")
        return found

    def planned_job(self, service: str) -> PlannedJob | None:
        """Return the planned job that stands in the place of a service (`job/<name>`); None for anything else."""
        return self.plan.jobs.get(service) if self.plan is not None else None
