"""Where deployments and their steps stand. Pure."""

from enum import StrEnum


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
