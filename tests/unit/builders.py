"""Records as tests need them: whole, valid, and with one thing changed."""

from datetime import UTC, datetime
from typing import Any

from ferryman.records import (
    Active,
    Actor,
    Deployment,
    EnvironmentState,
    Image,
    JobPlace,
    MigrationProgress,
    Phase,
    Plan,
    PlannedJob,
    PlannedMigration,
    PlannedService,
    Release,
    ReleaseStatus,
    RolloutProgress,
    Step,
    StepStatus,
    Target,
    step_keys,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVICES = ("scr-api", "scr-web")
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/scr-staging"
FENCE = 7


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def definition(name: str, revision: int) -> str:
    return f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{name}:{revision}"


def planned(name: str, **changes: Any) -> PlannedService:
    component = name.removeprefix("scr-")
    service = PlannedService(
        name=name,
        arn=f"arn:aws:ecs:eu-west-1:123456789012:service/scr-staging/{name}",
        component=component,
        container=component,
        digest=digest("a"),
        platform_digest=digest("a"),
        image=f"registry.example/{name}@{digest('a')}",
        base_task_definition=definition(name, 1),
        rollback_task_definition=definition(name, 1),
        timeout_seconds=600,
        fail_fast=3,
    )
    return service.but(**changes)


def planned_job(name: str, **changes: Any) -> PlannedJob:
    job = PlannedJob(
        name=name,
        place=JobPlace(kind="schedule", name=name, group="default"),
        arn=f"arn:aws:scheduler:eu-west-1:123456789012:schedule/default/{name}",
        component="api",
        container="api",
        digest=digest("a"),
        image=f"registry.example/scr-api@{digest('a')}",
        base_task_definition=definition(name, 1),
        task_definition=definition(name, 1),
    )
    return job.but(**changes)


def migration(**changes: Any) -> PlannedMigration:
    task = PlannedMigration(
        component="api",
        container="api",
        digest=digest("a"),
        image=f"registry.example/scr-api@{digest('a')}",
        base_task_definition=definition("scr-migrate", 1),
        command=["alembic", "upgrade", "head"],
        timeout_seconds=600,
        subnets=["subnet-1"],
        security_groups=["sg-1"],
    )
    return task.but(**changes)


def plan(**changes: Any) -> Plan:
    made = Plan(
        generation=1,
        cluster=CLUSTER,
        waves=[[name] for name in SERVICES],
        services={name: planned(name) for name in SERVICES},
    )
    return made.but(**changes)


def step(status: str = "Succeeded", reason: str = "", message: str = "", **more: Any) -> Step:
    return Step(
        status=StepStatus(status),
        reason=reason,
        message=message,
        started_at=AT,
        ended_at=None if status == "Running" else AT,
        **more,
    )


def rollout(name: str, status: str = "Succeeded", direction: str = "forward", revision: int = 2, **more: Any) -> Step:
    target = None if status == "Skipped" else definition(name, revision)
    progress = RolloutProgress(service=name, direction=direction, task_definition=target)  # type: ignore[arg-type]
    return step(status, rollout=progress, **more)


def passed(*, upto: str = step_keys.SMOKE_TEST) -> dict[str, Step]:
    """All steps of a deployment that went well, up to and including one."""
    everything = {
        step_keys.BEGIN: step(),
        step_keys.ADMIT: step(),
        step_keys.MIGRATION: step(migration=MigrationProgress(exit_code=0)),
        **{step_keys.rollout(name, "forward"): rollout(name) for name in SERVICES},
        step_keys.SMOKE_TEST: step(),
    }
    keys = list(everything)
    return {key: everything[key] for key in keys[: keys.index(upto) + 1]}


def deployment(**changes: Any) -> Deployment:
    made = Deployment(
        platform="scr",
        environment="staging",
        id="01K00000000000000000000DEP",
        version="abc1234",
        from_version="0001234",
        digests={"api": digest("a"), "web": digest("a")},
        fence=FENCE,
        phase=Phase.RUNNING,
        initiated_by=Actor(who="push", automated=True),
        created_at=AT,
        started_at=AT,
        plan=plan(),
        steps=passed(),
    )
    return made.but(**changes)


def state(**changes: Any) -> EnvironmentState:
    made = EnvironmentState(
        platform="scr",
        environment="staging",
        fence=FENCE,
        active=Active(
            deployment="01K00000000000000000000DEP",
            version="abc1234",
            fence=FENCE,
            execution_name="scr-staging-01K00000000000000000000DEP",
            input="{}",
            claimed_at=AT,
        ),
        last_succeeded=Target(
            version="0001234",
            deployment="01K0000000000000000000PREV",
            digests={"api": digest("0"), "web": digest("0")},
            task_definitions={name: definition(name, 1) for name in SERVICES},
        ),
    )
    return made.but(**changes)


def images(version: str, letter: str = "a") -> dict[str, Image]:
    return {name: Image(digest=digest(letter), tag=version, first_seen_at=AT) for name in ("api", "web")}


def release(version: str = "abc1234", **changes: Any) -> Release:
    made = Release(
        platform="scr",
        version=version,
        status=ReleaseStatus.READY,
        components=images(version),
        first_seen_at=AT,
        ready_at=AT,
        ulid="01K00000000000000000000REL",
    )
    return made.but(**changes)
