"""What Ferryman remembers: releases, environments, deployments and their timelines. Pure, frozen pydantic records.

`ferryman.store` writes them; nothing else touches the table. A record that is changed in place carries `rev`: a writer
names the revision that it read, and loses if somebody was faster.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Record(BaseModel):
    """Frozen; camelCase outside; reads records that a newer minor version wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    def dump(self) -> dict[str, Any]:
        """Return plain data as it is stored and sent."""
        return self.model_dump(mode="json", by_alias=True)

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced."""
        return self.model_copy(update=changes)


class Phase(StrEnum):
    """Where a deployment stands. Failed: the release is bad. Errored: we or AWS were."""

    PENDING = "Pending"
    AWAITING_APPROVAL = "AwaitingApproval"
    RUNNING = "Running"
    ROLLING_BACK = "RollingBack"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ROLLED_BACK = "RolledBack"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"
    ABORTED = "Aborted"
    ERRORED = "Errored"

    @property
    def terminal(self) -> bool:
        """True once nothing will change any more."""
        return self not in (Phase.PENDING, Phase.AWAITING_APPROVAL, Phase.RUNNING, Phase.ROLLING_BACK)


class ReleaseStatus(StrEnum):
    """Assembling: images are missing. Incomplete: the same, past assemblyTimeout and reported. Baseline: older than us."""

    ASSEMBLING = "Assembling"
    READY = "Ready"
    INCOMPLETE = "Incomplete"
    BASELINE = "Baseline"


class Image(Record):
    """One component's image in a release."""

    digest: str
    tag: str
    first_seen_at: AwareDatetime


class Verified(Record):
    """Proof that a release ran and passed its checks in an environment."""

    deployment: str
    digests: dict[str, str]
    at: AwareDatetime


class Release(Record):
    """An immutable map component → digest for one version."""

    platform: str
    version: str
    status: ReleaseStatus
    components: dict[str, Image] = {}
    names: list[str] = []
    seq: int | None = None
    first_seen_at: AwareDatetime
    ready_at: AwareDatetime | None = None
    reported_incomplete: bool = False
    refused: dict[str, str] = {}
    """Component → digest that was pushed under a tag whose digest was already frozen: refused and reported once."""
    verified: dict[str, Verified] = {}
    ulid: str
    """Made when the release was first seen; breaks ties of order."""
    rev: int = 0

    @property
    def digests(self) -> dict[str, str]:
        """Component → digest."""
        return {name: image.digest for name, image in self.components.items()}

    @property
    def order(self) -> tuple[int, datetime, str]:
        """Sort key: later is newer (DESIGN.md, reconcile rule 5)."""
        return (self.seq if self.seq is not None else -1, self.first_seen_at, self.ulid)


class Actor(Record):
    """Who did something: `automated` actors are `push`, `reconcile` and the like; people carry their IAM ARN."""

    who: str
    automated: bool = False


class Hold(Record):
    """Automation stays off until a person lifts it."""

    reason: str
    who: str
    at: AwareDatetime


class Settled(Record):
    """A version that automation won't start again, or (Errored) not before `retry_at`."""

    phase: Phase
    reason: str
    at: AwareDatetime
    attempts: int = 1
    retry_at: AwareDatetime | None = None


class Request(Record):
    """A person's wish for a version, stronger than `settled`; cleared when a deployment claims it."""

    version: str
    kind: Literal["deploy", "retry", "redeploy"]
    reason: str
    who: str
    at: AwareDatetime


class Running(Record):
    """What an environment runs, as the last finished deployment left it."""

    version: str | None
    deployment: str | None
    digests: dict[str, str]
    at: AwareDatetime


class Target(Record):
    """The last good state: where a rollback goes."""

    version: str | None
    deployment: str | None
    digests: dict[str, str] = {}
    task_definitions: dict[str, str] = {}
    """Service → task definition ARN."""
    bases: dict[str, str] = {}
    """Service → ARN of the base task definition it was made from."""


class Active(Record):
    """The claim on an environment. It is released by its own fence or, after its execution ended, by reconcile."""

    deployment: str
    version: str
    fence: int
    execution_name: str
    execution_arn: str | None = None
    input: str
    """The execution's input, stored so that a claim can be driven again with exactly the same."""
    claimed_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    """When reconcile first saw the execution closed without a recorded outcome."""


ConditionType = Literal[
    "Ready", "Progressing", "Migrated", "Available", "Verified", "Approved", "Held", "Frozen", "Drifted"
]


class Condition(Record):
    """An observation, as in Kubernetes; not a state machine."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: AwareDatetime


class EnvironmentState(Record):
    """Everything that decides what happens next in one environment."""

    platform: str
    environment: str
    fence: int = 0
    active: Active | None = None
    requested: Request | None = None
    hold: Hold | None = None
    settled: dict[str, Settled] = {}
    current: Running | None = None
    last_succeeded: Target | None = None
    previous: Target | None = None
    """The good state before the last one: what a manual rollback goes to, kept tagged `<env>-previous`."""
    adopted_at: AwareDatetime | None = None
    """Since when we operate it: what was complete before is not deployed by itself."""
    tagged: str | None = None
    """Deployment whose outcome the moving tags already show."""
    conditions: list[Condition] = []
    observed_generation: int = 0
    reconciled_at: AwareDatetime | None = None
    waiting_since: AwareDatetime | None = None
    """Since when a release waits that this environment should run; None when there is none."""
    rev: int = 0

    def condition(self, type: str) -> Condition | None:
        """Return one condition."""
        return next((item for item in self.conditions if item.type == type), None)


class PlannedService(Record):
    """One service of a frozen plan."""

    name: str
    arn: str
    """ARN of the ECS service: what ECS events are correlated by."""
    component: str
    container: str
    digest: str
    platform_digest: str
    """The child that the service's platform pulls; equals `digest` for a single image."""
    image: str
    """`registry/repository@digest`, as written into the task definition."""
    base_task_definition: str
    rollback_task_definition: str | None
    timeout_seconds: int
    fail_fast: int
    skip: Literal["ScaledToZero", "NotInRelease"] | None = None


class PlannedMigration(Record):
    """The migration of a frozen plan."""

    component: str
    container: str
    digest: str
    image: str
    base_task_definition: str
    command: list[str]
    timeout_seconds: int
    subnets: list[str]
    security_groups: list[str]
    assign_public_ip: bool = False
    launch_type: Literal["FARGATE", "EC2"] = "FARGATE"


class PlannedCheck(Record):
    """One smoke test of a frozen plan: addresses resolved, `{release}` filled in."""

    name: str
    url: str
    headers: dict[str, str] = {}
    allow_http: bool = False
    status: list[int]
    expect_headers: dict[str, str] = {}
    expect_json: dict[str, Any] = {}
    expect_body: str | None = None
    attempts: int
    delay_seconds: int
    timeout_seconds: int


class Plan(Record):
    """What a deployment will do, frozen by begin_deployment from document, release and ECS."""

    generation: int
    cluster: str
    """ARN of the cluster."""
    waves: list[list[str]]
    services: dict[str, PlannedService]
    migration: PlannedMigration | None = None
    checks: list[PlannedCheck] = []
    on_failure: Literal["rollback", "hold"] = "rollback"


class StepStatus(StrEnum):
    """How a step of a deployment stands."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    ABORTED = "Aborted"
    ERRORED = "Errored"

    @property
    def passed(self) -> bool:
        """True when the next step may start."""
        return self in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


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


class MigrationProgress(Record):
    """The one-off task of a migration."""

    task_definition: str | None = None
    task: str | None = None
    exit_code: int | None = None
    attempt: int = 1
    followed_at: AwareDatetime | None = None
    """Since when we know `task`; ECS may list it some seconds later."""


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
    """One step of a deployment. Its key in `Deployment.steps` says which: see `ferryman.steps`."""

    status: StepStatus
    reason: str = ""
    """CamelCase, for programs: `BreakerRolledBack`, `NonZeroExit`."""
    message: str = ""
    """For people: what happened, why, what to do next."""
    logs: list[str] = []
    """The last lines of the container that decided it."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    rollout: RolloutProgress | None = None
    migration: MigrationProgress | None = None
    checks: list[CheckResult] = []


class AbortRequest(Record):
    """A person's wish to stop a deployment; read between steps and by watchers."""

    reason: str
    who: str
    at: AwareDatetime


class Deployment(Record):
    """One attempt to bring an environment to a release."""

    platform: str
    environment: str
    id: str
    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback"] = "deploy"
    from_version: str | None = None
    digests: dict[str, str]
    fence: int = 0
    phase: Phase = Phase.PENDING
    reason: str = ""
    message: str = ""
    initiated_by: Actor
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    execution_arn: str | None = None
    plan: Plan | None = None
    steps: dict[str, Step] = {}
    abort: AbortRequest | None = None
    superseded_by: str | None = None
    attempts: int = 1
    """Which attempt at this version in this environment."""
    rev: int = 0

    def step(self, key: str) -> Step | None:
        """Return one step, or None when it has not begun."""
        return self.steps.get(key)


class EventType(StrEnum):
    """The notable moments of a deployment's life; people's channels hear of those in `ferryman.messages`."""

    CLAIMED = "Claimed"
    STARTED = "Started"
    STEP_STARTED = "StepStarted"
    STEP_ENDED = "StepEnded"
    ABORT_REQUESTED = "AbortRequested"
    ROLLING_BACK = "RollingBack"
    ENDED = "Ended"
    RE_DRIVEN = "ReDriven"
    # Of an environment or release rather than of a deployment:
    HELD = "Held"
    RESUMED = "Resumed"
    INCOMPLETE = "Incomplete"
    IMAGE_REFUSED = "ImageRefused"
    RETRY_REQUESTED = "RetryRequested"
    ADOPTED = "Adopted"
    REDEPLOY_REQUESTED = "RedeployRequested"
    APPLIED = "Applied"


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
    """When the last attempt began; the next one waits (`ferryman.notify.send.due_at`)."""
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
    attempt: int
    deployment: str
    status: Literal["Claimed", "Running", "Succeeded", "Failed", "Unknown", "NotStarted"]
    """NotStarted: its task certainly never ran, so that automation may try again. Unknown: nobody may."""
    task_definition: str
    client_token: str
    task: str | None = None
    exit_code: int | None = None
    at: AwareDatetime
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


NonEmpty = Annotated[str, Field(min_length=1)]
