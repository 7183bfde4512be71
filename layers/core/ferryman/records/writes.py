"""What a transaction consists of: made by pure code, carried out by `store.table`. Pure."""

from dataclasses import dataclass

from ferryman.records import (
    AdoptedImages,
    AppliedPlatform,
    Approval,
    Deployment,
    EnvironmentState,
    IgnoredTags,
    MigrationClaim,
    OutboxMessage,
    Ownership,
    OwnershipRegister,
    Pace,
    PlanPart,
    Proposal,
    Release,
    ReleasePointer,
    ScheduledLook,
    SemverName,
    SplitStep,
    StepLog,
    TimelineEvent,
    UnprovedCalls,
    UsedProof,
    Wait,
    WrongWords,
)


@dataclass(frozen=True)
class Save:
    """Write a record that carries `rev`, if nobody changed it since it was read (rev 0: if it does not exist)."""

    record: (
        AppliedPlatform
        | Release
        | EnvironmentState
        | Deployment
        | MigrationClaim
        | Approval
        | SemverName
        | IgnoredTags
        | Ownership
        | OwnershipRegister
        | Pace
        | Proposal
        | ScheduledLook
        | UnprovedCalls
        | WrongWords
    )
    expires_at: int | None = None
    """Epoch seconds after which DynamoDB may delete it."""


@dataclass(frozen=True)
class Add:
    """Write a record that never changes, that may be written twice, or whose deployment's `rev` is checked with it."""

    record: TimelineEvent | OutboxMessage | Wait | StepLog | PlanPart | SplitStep | AdoptedImages | ReleasePointer
    expires_at: int | None = None
    """Epoch seconds after which DynamoDB may delete it."""


@dataclass(frozen=True)
class Once:
    """Write a record that nobody has written before; AlreadyThere otherwise."""

    record: UsedProof
    expires_at: int
    """Epoch seconds after which DynamoDB may delete it."""


@dataclass(frozen=True)
class Fenced:
    """Succeed only while this fence holds the environment's claim."""

    platform: str
    environment: str
    deployment: str
    fence: int


@dataclass(frozen=True)
class Unchanged:
    """Succeed only while a record is as it was read (rev 0: while it does not exist)."""

    record: AppliedPlatform | Release | EnvironmentState | Approval | Ownership | OwnershipRegister | Proposal


@dataclass(frozen=True)
class Remove:
    """Delete a record, if nobody changed it since it was read."""

    record: AppliedPlatform | Ownership


Write = Save | Add | Once | Fenced | Unchanged | Remove
