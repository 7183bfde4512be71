"""What wakes reconcile, as it arrives, and what SQS hears."""

from pydantic import AwareDatetime, ConfigDict, Field

from ferryman.lazy_model import LazyModel


class _Incoming(LazyModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Key(_Incoming):
    """What a nudge carries, and a look that a sweep queued."""

    platform: str
    environment: str
    queued_at: AwareDatetime | None = Field(default=None, alias="queuedAt")
    """When a sweep queued it: then the environment may be empty, or both names (`decisions.sweep_order.Place`)."""


class Nudged(_Incoming):
    """One message of the queues of nudges and looks."""

    message_id: str = Field(alias="messageId")
    body: str


class ExecutionChange(_Incoming):
    """Detail of `Step Functions Execution Status Change`."""

    name: str
    input: str | None = None


class ScanEnded(_Incoming):
    """Detail of `ECR Image Scan` (basic scanning) and `Inspector2 Scan` (enhanced)."""

    repository: str = Field(alias="repository-name")
    """Name of the repository, or (enhanced) its ARN."""


class Wakeup(_Incoming):
    """A batch of nudges or looks, a changed execution, an ended image scan, or the schedule's `{"sweep": true}`."""

    records: list[Nudged] = Field(default=[], alias="Records")
    detail: ExecutionChange | ScanEnded | None = None
    sweep: bool = False


class ItemFailure(LazyModel):
    """A message that has to come again."""

    model_config = ConfigDict(populate_by_name=True)

    item: str = Field(alias="itemIdentifier")


class Report(LazyModel):
    """What SQS wants to hear; empty for the others."""

    model_config = ConfigDict(populate_by_name=True)

    failures: list[ItemFailure] = Field(default=[], alias="batchItemFailures")
