"""What Ferryman remembers: releases, environments, deployments and their timelines. Pure, frozen pydantic records.

`store.table` writes them; nothing else touches the table. A record that is changed in place carries `rev`: a writer
names the revision that it read, and loses if somebody was faster.
"""

from ferryman.records.adopted_images import AdoptedImages
from ferryman.records.applied_platform import AppliedPlatform, Override
from ferryman.records.approval import (
    VOID,
    Approval,
    ApprovalStatus,
    ApproverRecord,
    ChatMessage,
    Commit,
    Decision,
    How,
    Nonce,
)
from ferryman.records.base import Record
from ferryman.records.deployment import (
    ENDED_WHILE_DRAINING,
    NOT_JUDGED,
    OLD_TASKS_REMAIN,
    AbortRequest,
    CheckResult,
    Deployment,
    MigrationProgress,
    Publication,
    RolloutProgress,
    Step,
)
from ferryman.records.deployment_parts import PlanPart, SplitStep, StepLog
from ferryman.records.environment import (
    Active,
    Actor,
    Condition,
    ConditionType,
    EnvironmentState,
    Freeze,
    Hold,
    Listed,
    LiveHealth,
    Request,
    Running,
    Settled,
    Target,
    WaitingFor,
    Waiver,
)
from ferryman.records.ignored_tags import IgnoredTag, IgnoredTags
from ferryman.records.migration import MigrationClaim
from ferryman.records.outbox import OutboxMessage
from ferryman.records.ownership import Ownership, OwnershipRegister
from ferryman.records.pace import Pace
from ferryman.records.phases import Phase, StepStatus
from ferryman.records.plan import (
    JobPlace,
    Plan,
    PlannedCheck,
    PlannedImage,
    PlannedJob,
    PlannedMigration,
    PlannedService,
    PlannedTag,
)
from ferryman.records.proposal import Proposal, ProposalStatus, ProposedChange
from ferryman.records.release import Image, Release, ReleaseStatus, Verified
from ferryman.records.release_pointer import ReleasePointer
from ferryman.records.scheduled_look import ScheduledLook
from ferryman.records.semver_name import SemverName
from ferryman.records.task_token import Wait
from ferryman.records.timeline import AUDITED, EventType, TimelineEvent
from ferryman.records.unproved_calls import UnprovedCalls
from ferryman.records.used_proof import UsedProof
from ferryman.records.wrong_words import WrongWords

__all__ = [
    "AUDITED",
    "ENDED_WHILE_DRAINING",
    "NOT_JUDGED",
    "OLD_TASKS_REMAIN",
    "VOID",
    "AbortRequest",
    "Active",
    "Actor",
    "AdoptedImages",
    "AppliedPlatform",
    "Approval",
    "ApprovalStatus",
    "ApproverRecord",
    "ChatMessage",
    "CheckResult",
    "Commit",
    "Condition",
    "ConditionType",
    "Decision",
    "Deployment",
    "EnvironmentState",
    "EventType",
    "Freeze",
    "Hold",
    "How",
    "IgnoredTag",
    "IgnoredTags",
    "Image",
    "JobPlace",
    "Listed",
    "LiveHealth",
    "MigrationClaim",
    "MigrationProgress",
    "Nonce",
    "OutboxMessage",
    "Override",
    "Ownership",
    "OwnershipRegister",
    "Pace",
    "Phase",
    "Plan",
    "PlanPart",
    "PlannedCheck",
    "PlannedImage",
    "PlannedJob",
    "PlannedMigration",
    "PlannedService",
    "PlannedTag",
    "Proposal",
    "ProposalStatus",
    "ProposedChange",
    "Publication",
    "Record",
    "Release",
    "ReleasePointer",
    "ReleaseStatus",
    "Request",
    "RolloutProgress",
    "Running",
    "ScheduledLook",
    "SemverName",
    "Settled",
    "SplitStep",
    "Step",
    "StepLog",
    "StepStatus",
    "Target",
    "TimelineEvent",
    "UnprovedCalls",
    "UsedProof",
    "Verified",
    "Wait",
    "WaitingFor",
    "Waiver",
    "WrongWords",
]
