"""What Ferryman remembers: releases, environments, deployments and their timelines. Pure, frozen pydantic records.

`ferryman.store` writes them; nothing else touches the table. A record that is changed in place carries `rev`: a writer
names the revision that it read, and loses if somebody was faster.
"""

from ferryman.records.base import Record
from ferryman.records.deployment import AbortRequest, CheckResult, Deployment, MigrationProgress, RolloutProgress, Step
from ferryman.records.environment import (
    Active,
    Actor,
    Condition,
    ConditionType,
    EnvironmentState,
    Hold,
    Request,
    Running,
    Settled,
    Target,
)
from ferryman.records.ledger import AppliedPlatform, EventType, MigrationClaim, OutboxMessage, TimelineEvent, Wait
from ferryman.records.phases import Phase, StepStatus
from ferryman.records.plan import Plan, PlannedCheck, PlannedMigration, PlannedService
from ferryman.records.release import Image, Release, ReleaseStatus, Verified

__all__ = [
    "AbortRequest",
    "Active",
    "Actor",
    "AppliedPlatform",
    "CheckResult",
    "Condition",
    "ConditionType",
    "Deployment",
    "EnvironmentState",
    "EventType",
    "Hold",
    "Image",
    "MigrationClaim",
    "MigrationProgress",
    "OutboxMessage",
    "Phase",
    "Plan",
    "PlannedCheck",
    "PlannedMigration",
    "PlannedService",
    "Record",
    "Release",
    "ReleaseStatus",
    "Request",
    "RolloutProgress",
    "Running",
    "Settled",
    "Step",
    "StepStatus",
    "Target",
    "TimelineEvent",
    "Verified",
    "Wait",
]
