"""What each step takes and gives. Small: ids and verdicts; everything else is in the table.

Unknown keys are ignored and new keys have defaults for a minor version, because running executions keep the old state
machine while Lambdas change under them. `tests/contract` holds these models and `statemachines/` together.
"""

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ferryman.lazy_model import LazyModel
from ferryman.records.step_keys import Direction


# `BaseModel` again: it tells ruff that mutable defaults are copied.
class Contract(LazyModel, BaseModel):
    """Frozen and camelCase, like everything that the state machine passes."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class DeploymentRef(Contract):
    """Names one deployment and the claim under which its steps may write."""

    platform: str
    environment: str
    deployment: str
    fence: int


class ExecutionInput(DeploymentRef):
    """Input of the `deploy` machine."""


LOOPS_OVER_MIGRATIONS = "migrations"
"""Capability of a state machine that runs one migration after the other."""
ASKS_FOR_APPROVAL = "approval"
"""Capability of a state machine that asks for an approval, if the plan needs one. Only the one for database commands
once did not: the one for deployments has always asked."""


class BeginDeploymentInput(DeploymentRef):
    """Input of begin_deployment."""

    capabilities: list[str] = []
    """What this execution's state machine can do that an earlier version's cannot."""


class PlannedWave(Contract):
    """Names of the services that go side by side."""

    services: list[str]


class BeginDeploymentOutput(Contract):
    """The shape of the flow; the plan itself is stored."""

    verdict: Literal["Planned", "Aborted"]
    waves: list[PlannedWave] = []
    approval: bool = False
    """Whether people have to say yes first."""
    migrations: list[str] = Field(default=[""], min_length=1)
    """Names of the migrations to run, in this order; "" is the one without a name, which records if there is none."""


class RequestApprovalInput(DeploymentRef):
    """Input of request_approval, whose token is answered once people have decided."""

    task_token: str


class ApprovalVerdict(Contract):
    """What became of an approval; the deployment goes on with Approved only."""

    verdict: Literal["Approved", "Rejected", "Expired", "Superseded", "Aborted"]
    reason: str = ""


class AdmitDeploymentInput(DeploymentRef):
    """Input of admit_deployment."""


class AdmitDeploymentOutput(Contract):
    """Whether the deployment may change anything."""

    verdict: Literal["Admitted", "Refused"]
    reason: str = ""


class PromoteImagesInput(DeploymentRef):
    """Input of promote_images."""


class PromoteImagesOutput(Contract):
    """Promoted: every tag points at its digest. Skipped: there is nothing to promote. Failed: nothing is deployed."""

    verdict: Literal["Promoted", "Skipped", "Failed", "Aborted"]
    reason: str = ""


class RunMigrationInput(DeploymentRef):
    """Input of run_migration."""

    migration: str = ""
    """Name of the migration to run; "": the one without a name."""


class RunMigrationOutput(Contract):
    """Started: watch it. Skipped: there is none, or it already succeeded. Failed: it could not start."""

    verdict: Literal["Started", "Skipped", "Failed", "Aborted"]
    reason: str = ""


class WatchMigrationInput(DeploymentRef):
    """Input of watch_migration, which answers through its token."""

    task_token: str
    migration: str = ""
    """Name of the migration to watch; "": the one without a name."""


class MigrationVerdict(Contract):
    """The answer of watch_migration."""

    verdict: Literal["Succeeded", "Failed", "Aborted"]
    reason: str = ""


class UpdateServiceInput(DeploymentRef):
    """Input of update_service."""

    service: str
    direction: Direction
    slot: str | None = None
    """When its turn is, in seconds since 1970; empty: it has none yet; None: the machine is older and can't wait."""


class UpdateServiceOutput(Contract):
    """Started: watch it. Skipped: nothing to do here. Stopped: an earlier wave failed or a person aborted."""

    verdict: Literal["Started", "Skipped", "Stopped", "Failed"]
    reason: str = ""


class WatchRolloutInput(DeploymentRef):
    """Input of watch_rollout, which answers through its token."""

    service: str
    direction: Direction
    task_token: str
    may_proceed: bool = False
    """Whether the answer may be Healthy: an execution's earlier state machine takes that for a failure."""


class RolloutVerdict(Contract):
    """The answer of watch_rollout for one service. Healthy: the next wave may begin, and it is asked again later."""

    service: str
    verdict: Literal["Succeeded", "Skipped", "Healthy", "Stopped", "Failed", "Aborted", "Errored"]
    reason: str = ""


class Wake(Contract):
    """Judge again what one deployment waits for: a person asked to abort it."""

    platform: str
    environment: str
    deployment: str


class RelayChangeInput(Contract):
    """Input of relay_change: an event of ECS from EventBridge, or our own wake."""

    source: str = ""
    detail_type: str = Field(default="", alias="detail-type")
    resources: list[str] = []
    detail: dict[str, Any] = {}
    wake: Wake | None = None


class SmokeTestInput(DeploymentRef):
    """Input of smoke_test: one round of all checks that have not passed yet."""


class SmokeTestOutput(Contract):
    """Waiting: another round after `retry_after_seconds`."""

    verdict: Literal["Succeeded", "Failed", "Waiting", "Aborted", "Skipped"]
    reason: str = ""
    retry_after_seconds: int = 0


class StepFailure(Contract):
    """What the state machine caught."""

    error: str
    cause: str = ""
    step: str = ""


class FinishDeploymentInput(DeploymentRef):
    """Input of finish_deployment."""

    failure: StepFailure | None = None


class FinishDeploymentOutput(Contract):
    """The recorded outcome."""

    phase: str
    publish: bool = False
    """Whether the release belongs on GitHub."""


class PublishReleaseInput(DeploymentRef):
    """Input of publish_release."""


class PublishReleaseOutput(Contract):
    """Whether GitHub has the release; the deployment succeeded all the same."""

    verdict: Literal["Published", "Skipped", "Failed"]
    url: str = ""


class Probe(Contract):
    """A question of `ferryman doctor`: do the channels of a platform work?"""

    platform: str
    send: bool = False
    """Whether each channel gets a test message; otherwise nobody hears of it."""


class NotifyInput(Contract):
    """Input of notify, from the table's stream (`Records`), the sweep (`sweep: true`) or serve_api (`probe`)."""

    records: list[dict[str, Any]] = Field(default=[], validation_alias=AliasChoices("Records", "records"))
    sweep: bool = False
    probe: Probe | None = None


class Probed(Contract):
    """What came of probing one channel, or GitHub."""

    name: str
    kind: str
    works: bool | None
    """None: only a test message could tell."""
    message: str


class FailedRecord(Contract):
    """A stream record that has to come again: its sequence number."""

    item_identifier: str


class NotifyOutput(Contract):
    """What was done; `batchItemFailures` is what Lambda reads of it."""

    sent: int = 0
    failed: int = 0
    gave_up: int = 0
    waiting: int = 0
    """Left to a later run, because their destination takes no more for now."""
    batch_item_failures: list[FailedRecord] = []
    probed: list[Probed] = []
