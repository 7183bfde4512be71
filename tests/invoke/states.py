"""What each committed event meets. Without an entry here it meets an applied platform in which nothing goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ferryman.records import (
    AbortRequest,
    Active,
    Actor,
    AppliedPlatform,
    Approval,
    ApproverRecord,
    Deployment,
    EnvironmentState,
    Freeze,
    Hold,
    Image,
    MigrationClaim,
    MigrationProgress,
    OutboxMessage,
    Phase,
    Plan,
    PlannedCheck,
    PlannedMigration,
    PlannedService,
    PlannedTag,
    Publication,
    Record,
    Release,
    ReleaseStatus,
    RolloutProgress,
    Running,
    Step,
    StepStatus,
    Target,
    Verified,
    Wait,
    step_keys,
)
from invoke.stage import VERSION, Stage
from pages import asking

BEFORE = "1a2b3c4"
COMPONENTS = ("api", "ai-gateway", "web")
PERSON = "arn:aws:sts::123456789012:assumed-role/Deployer/jo"
LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Meeting:
    """Makes the records that one event meets."""

    def __init__(self, stage: Stage, event: dict[str, Any]) -> None:
        self.stage = stage
        self.event = event
        self.now = datetime.now(UTC)
        self.env = str(event.get("environment", "staging"))
        self.id = str(event.get("deployment", ""))
        self.fence = 7 if self.id.startswith("01JZ") else 3
        self.digests = {name: stage.digest(name) for name in COMPONENTS}
        self.services = {name: stage.service(self.env, name) for name in COMPONENTS}

    # ── the ground ──

    def applied(self) -> AppliedPlatform:
        return AppliedPlatform(
            name="scr", generation=1, document=self.stage.aws.document, applied_by=PERSON, applied_at=LONG_AGO
        )

    def release(self, **changes: Any) -> Release:
        made = Release(
            platform="scr",
            version=VERSION,
            status=ReleaseStatus.READY,
            components={
                name: Image(digest=digest, tag=VERSION, first_seen_at=LONG_AGO) for name, digest in self.digests.items()
            },
            first_seen_at=LONG_AGO,
            ready_at=LONG_AGO,
            ulid="01K5Z3V7Q8M2N4P6R8T0W2Y4RL",
            verified={"staging": Verified(deployment="01K5Z3V7Q8M2N4P6R8T0W2Y4PR", digests=self.digests, at=LONG_AGO)},
        )
        return made.but(**changes)

    def state(self, environment: str, **changes: Any) -> EnvironmentState:
        before = "01K5Z3V7Q8M2N4P6R8T0W2Y4PR"
        made = EnvironmentState(
            platform="scr",
            environment=environment,
            fence=self.fence,
            adopted_at=LONG_AGO,
            current=Running(version=BEFORE, deployment=before, digests=self.digests, at=LONG_AGO),
            last_succeeded=Target(
                version=BEFORE,
                deployment=before,
                digests=self.digests,
                task_definitions={one["serviceName"]: one["taskDefinition"] for one in self.services.values()},
            ),
        )
        return made.but(**changes)

    def idle(self) -> list[Record]:
        """A platform in which nothing goes on."""
        return [self.applied(), self.release(), self.state("staging"), self.state("production")]

    # ── a deployment that holds the environment ──

    def claimed(self, deployment: Deployment, *more: Record, **changes: Any) -> list[Record]:
        """The same, with this deployment under way."""
        active = Active(
            deployment=deployment.id,
            version=deployment.version,
            fence=self.fence,
            execution_name=f"scr-{self.env}-{deployment.id}",
            input="{}",
            claimed_at=self.now,
        )
        other = "production" if self.env == "staging" else "staging"
        states = [self.state(self.env, active=active, **changes), self.state(other)]
        return [self.applied(), self.release(), *states, deployment, *more]

    def deployment(self, phase: Phase = Phase.RUNNING, **changes: Any) -> Deployment:
        made = Deployment(
            platform="scr",
            environment=self.env,
            id=self.id,
            version=VERSION,
            from_version=BEFORE,
            digests=self.digests,
            fence=self.fence,
            phase=phase,
            initiated_by=Actor(who="push", automated=True),
            created_at=self.now,
            started_at=self.now,
            plan=self.plan(),
            steps=self.begun(phase),
        )
        return made.but(**changes)

    def begun(self, phase: Phase = Phase.RUNNING) -> dict[str, Step]:
        """The steps of a deployment that has just come into a phase."""
        planned = {step_keys.BEGIN: self.step("Planned")}
        return planned if phase is Phase.PENDING else {**planned, step_keys.ADMIT: self.step("Admitted")}

    def aborted(self) -> AbortRequest:
        return AbortRequest(reason="wrong branch", who=PERSON, at=self.now)

    def plan(self, **changes: Any) -> Plan:
        services = {one["serviceName"]: self.planned(name, one) for name, one in self.services.items()}
        made = Plan(
            generation=1,
            cluster=self.services["api"]["clusterArn"],
            waves=[[name] for name in services],
            services=services,
            repositories={name: f"scr-{name}" for name in COMPONENTS},
        )
        return made.but(**changes)

    def planned(self, component: str, service: dict[str, Any]) -> PlannedService:
        digest = self.digests[component]
        return PlannedService(
            name=service["serviceName"],
            arn=service["serviceArn"],
            component=component,
            container=component,
            digest=digest,
            platform_digest=digest,
            image=f"{self.stage.aws.emulator.registry}/scr-{component}@{digest}",
            base_task_definition=service["taskDefinition"],
            rollback_task_definition=service["taskDefinition"],
            timeout_seconds=600,
            fail_fast=2,
        )

    def step(self, reason: str = "", status: str = "Succeeded", **more: Any) -> Step:
        ended = None if status == "Running" else self.now
        return Step(status=StepStatus(status), reason=reason, started_at=self.now, ended_at=ended, **more)

    def rolled(
        self, component: str, status: str = "Running", direction: str = "forward", **more: Any
    ) -> dict[str, Step]:
        """The rollout of one service, followed by its PRIMARY deployment."""
        service = self.services[component]
        progress = RolloutProgress(
            service=service["serviceName"],
            direction=direction,  # type: ignore[arg-type]
            previous_task_definition=service["taskDefinition"],
            task_definition=service["taskDefinition"],
            ecs_deployment=more.pop("followed", service["deployments"][0]["id"]),
            followed_at=more.pop("since", self.now),
        )
        key = step_keys.rollout(service["serviceName"], direction)  # type: ignore[arg-type]
        return {key: self.step(status=status, rollout=progress, **more)}

    # ── migrations ──

    def migrating(self) -> Plan:
        family = f"scr-api-migrate-{self.env}"
        described = self.stage.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        session = self.stage.client("ssm")
        prefix = f"/ferryman/scr/{self.env}"

        def values(name: str) -> list[str]:
            return str(session.get_parameter(Name=f"{prefix}/{name}")["Parameter"]["Value"]).split(",")

        return self.plan(
            migration=PlannedMigration(
                component="api",
                container="api",
                digest=self.digests["api"],
                image=f"{self.stage.aws.emulator.registry}/scr-api@{self.digests['api']}",
                base_task_definition=described["taskDefinitionArn"],
                command=["alembic", "upgrade", "head"],
                timeout_seconds=600,
                subnets=values("private-subnet-ids"),
                security_groups=values("task-security-group-ids"),
            )
        )

    def claim(self, status: str, **more: Any) -> MigrationClaim:
        return MigrationClaim(
            platform="scr",
            environment=self.env,
            version=VERSION,
            attempt=1,
            deployment="01K5Z3V7Q8M2N4P6R8T0W2Y4PR",
            status=status,  # type: ignore[arg-type]
            task_definition=f"arn:aws:ecs:eu-west-1:000000000000:task-definition/scr-api-migrate-{self.env}:1",
            client_token="01K5Z3V7Q8M2N4P6R8T0W2Y4PR-1",
            at=LONG_AGO,
            **more,
        )

    def task(self) -> str:
        cluster = self.services["api"]["clusterArn"].replace(":cluster/", ":task/")
        return f"{cluster}/c13b4cb40f1f4fe4a2971f76ae5a47ad"

    # ── checks ──

    def checks(self, *urls: tuple[str, dict[str, Any]], attempts: int = 1) -> Plan:
        made = [
            PlannedCheck(
                name=f"check-{number}", url=url, allow_http=True, status=[200], expect_json=wanted,
                attempts=attempts, delay_seconds=3, timeout_seconds=5,
            )
            for number, (url, wanted) in enumerate(urls, 1)
        ]  # fmt: skip
        return self.plan(checks=made)

    # ── approvals ──

    def approval(self, **changes: Any) -> Approval:
        made = Approval(
            platform="scr",
            environment=self.env,
            deployment=self.id,
            fence=self.fence,
            version=VERSION,
            digests=self.digests,
            requested_by=Actor(who="tag", automated=True),
            approvers=[ApproverRecord(name="Ada Lovelace", email="ada@scr-platform.example")],
            requested_at=self.now,
            expires_at=self.now + timedelta(hours=24),
            token="an earlier token",
        )
        return made.but(**changes)

    def asked(self) -> list[Record]:
        """A production that asks Ada and Grace, as the links in the events say."""
        made = asking.document(self.stage.aws.document)
        applied = self.applied().but(document=made)
        approval = asking.approval(requested_at=self.now, expires_at=self.now + timedelta(hours=24), remind_at=None)
        return [applied, approval, asking.deployment(), asking.state(), asking.before(), asking.release()]

    # ── messages ──

    def messages(self) -> list[Record]:
        """The outbox that the stream's records name."""
        owner = "01K5Z3V7Q8M2N4P6R8T0W2Y4A6"
        return [
            *self.idle(),
            *(
                OutboxMessage(
                    owner=owner, event="outcome", channel=channel, platform="scr", environment="staging",
                    subject=f"[Succeeded] scr/staging: {VERSION} is deployed and verified",
                    text=f"scr/staging now runs {VERSION} (previously {BEFORE}).",
                    detail={"phase": "Succeeded"}, created_at=LONG_AGO,
                )
                for channel in ("team", "ops-mail", "gone")
            ),
        ]  # fmt: skip


def _begin(m: Meeting) -> list[Record]:
    return m.claimed(m.deployment(Phase.PENDING, plan=None, steps={}, started_at=None))


def _admit(m: Meeting) -> list[Record]:
    return m.claimed(m.deployment(Phase.PENDING))


def _promote(m: Meeting) -> list[Record]:
    tags = [PlannedTag(component="api", repository="scr-api", digest=m.digests["api"], tag="production-latest")]
    return m.claimed(m.deployment(plan=m.plan(promotions=tags)))


def _ended_well(m: Meeting) -> dict[str, Step]:
    done = {step_keys.BEGIN: m.step(), step_keys.ADMIT: m.step(), step_keys.MIGRATION: m.step("NoMigration", "Skipped")}
    for component in COMPONENTS:
        done |= m.rolled(component, "Succeeded")
    return done | {step_keys.SMOKE_TEST: m.step("ChecksPassed")}


def _went_back(m: Meeting) -> dict[str, Step]:
    failed = m.step("BreakerRolledBack", "Failed")
    rolled = m.rolled("api")
    (key,) = rolled
    return {
        step_keys.BEGIN: m.step(),
        step_keys.ADMIT: m.step(),
        key: rolled[key].but(status=failed.status, reason=failed.reason, message="ECS gave it up", ended_at=m.now),
        **m.rolled("api", "Succeeded", "back"),
    }


def _published(m: Meeting, **changes: Any) -> list[Record]:
    ended = m.deployment(Phase.SUCCEEDED, tag="v1.0.0", steps=_ended_well(m), ended_at=m.now).but(**changes)
    return [*m.idle(), ended]


def _following(m: Meeting, **more: Any) -> list[Record]:
    return m.claimed(m.deployment(steps={step_keys.BEGIN: m.step(), **m.rolled("api", **more)}))


def _second_migration(m: Meeting, before: dict[str, Step]) -> list[Record]:
    """Two databases; `before` is what became of the first one."""
    plan = m.migrating()
    assert plan.migration is not None
    named = [plan.migration.but(name=name) for name in ("orders", "stock")]
    steps = {**m.begun(), **before}
    return m.claimed(m.deployment(plan=plan.but(migration=None, named_migrations=named), steps=steps))


def _rolling(m: Meeting, **changes: Any) -> list[Record]:
    """A deployment that has come to its services."""
    steps = {**m.begun(), step_keys.MIGRATION: m.step("NoMigration", "Skipped")}
    return m.claimed(m.deployment(steps=steps, **changes))


def _rolled_out(m: Meeting, *checks: Any, **changes: Any) -> list[Record]:
    """A deployment that has come to its smoke tests."""
    steps = {key: step for key, step in _ended_well(m).items() if key != step_keys.SMOKE_TEST}
    return m.claimed(m.deployment(steps=steps, plan=m.checks(*checks, **changes.pop("plan", {})), **changes))


def _migration_step(m: Meeting, status: str = "Running", reason: str = "", **more: Any) -> list[Record]:
    progress = MigrationProgress(task=m.task(), followed_at=more.get("since", m.now))
    step = m.step(reason, status, migration=progress)
    return m.claimed(m.deployment(plan=m.migrating(), steps={step_keys.BEGIN: m.step(), step_keys.MIGRATION: step}))


def _asking(m: Meeting, *more: Record, **changes: Any) -> list[Record]:
    phase = Phase.AWAITING_APPROVAL if more else Phase.PENDING
    asked = {step_keys.APPROVAL: m.step("AwaitingApproval", "Running")} if more else {}
    plan = m.plan(approval=True)
    return m.claimed(m.deployment(phase, plan=plan, steps={step_keys.BEGIN: m.step(), **asked}).but(**changes), *more)


def _waiting(m: Meeting) -> list[Record]:
    """A rollout and a migration that wait for what the event tells; ECS really has them, and long since done."""
    m.id, detail = "01K5Z3V7Q8M2N4P6R8T0W2Y4A6", m.event.get("detail", {})
    resource = next(iter(m.event.get("resources", [])), "")
    group = str(detail.get("group", ""))
    if group.startswith("service:"):
        resource = f"{detail['clusterArn'].replace(':cluster/', ':service/')}/{group.removeprefix('service:')}"
    rolled = m.rolled("api")
    (rollout,) = rolled
    services = {name: one.but(arn=resource or one.arn) for name, one in m.plan().services.items()}
    progress = MigrationProgress(task=m.task(), followed_at=LONG_AGO)
    found = {**rolled, step_keys.MIGRATION: m.step(status="Running", migration=progress)}
    plan = m.migrating().but(services=services)
    waits = [
        Wait(
            resource=resource, platform="scr", environment="staging", deployment=m.id, fence=m.fence, token="a token",
            step=step, service=service, direction="forward" if service else None, at=m.now,
        )
        for step, service in ((rollout, "scr-api-staging"), (step_keys.MIGRATION, None))
        if resource and (service is None) == group.startswith("family:")
    ]  # fmt: skip
    return m.claimed(m.deployment(plan=plan, steps=found), *waits)


def _released(m: Meeting) -> list[Record]:
    """A release that was completed just now: reconcile starts it in staging."""
    release = m.release(first_seen_at=m.now, ready_at=m.now, verified={})
    return [m.applied(), release, m.state("staging"), m.state("production")]


def _running_now(m: Meeting) -> list[Record]:
    m.env, m.id = "staging", "01K5Z3V7Q8M2N4P6R8T0W2Y4A6"
    return m.claimed(m.deployment())


def _emulator(m: Meeting) -> str:
    """An address that answers both here and in the container."""
    return f"{m.event['_address']}/_ministack/health"


MEETS: dict[str, Callable[[Meeting], list[Record]]] = {
    "begin_deployment/claimed": _begin,
    "begin_deployment/planned_before": lambda m: m.claimed(m.deployment(Phase.PENDING)),
    "begin_deployment/aborted": lambda m: m.claimed(m.deployment(Phase.PENDING, abort=m.aborted())),
    "begin_deployment/needs_approval": _begin,
    "begin_deployment/claim_lost": _begin,
    "request_approval/production": _asking,
    "request_approval/asked_before": lambda m: _asking(m, m.approval()),
    "request_approval/decided_before": lambda m: _asking(m, m.approval(status="Approved", decided_at=m.now)),
    "request_approval/aborted": lambda m: _asking(m, abort=m.aborted()),
    "admit_deployment/planned": _admit,
    "admit_deployment/held": lambda m: m.claimed(
        m.deployment(Phase.PENDING), hold=Hold(reason="demo at 3", who=PERSON, at=m.now)
    ),
    "admit_deployment/frozen": lambda m: m.claimed(
        m.deployment(Phase.PENDING), freeze=Freeze(reason="audit", who=PERSON, at=m.now)
    ),
    "admit_deployment/not_approved": lambda m: m.claimed(
        m.deployment(
            Phase.AWAITING_APPROVAL,
            plan=m.plan(approval=True),
            steps={**m.begun(Phase.PENDING), step_keys.APPROVAL: m.step("Approved")},
        )
    ),
    "admit_deployment/aborted": lambda m: m.claimed(m.deployment(Phase.PENDING, abort=m.aborted())),
    "admit_deployment/claim_lost": _admit,
    "promote_images/approved": _promote,
    "promote_images/nothing_to_promote": lambda m: m.claimed(m.deployment()),
    "promote_images/tag_moved": lambda m: m.claimed(m.deployment(plan=m.plan(semver="v1.0.0"))),
    "promote_images/aborted": lambda m: m.claimed(m.deployment(abort=m.aborted())),
    "run_migration/upgrade": lambda m: m.claimed(m.deployment(plan=m.migrating())),
    "run_migration/migrated_before": lambda m: m.claimed(m.deployment(plan=m.migrating()), m.claim("Succeeded")),
    "run_migration/failed_before": lambda m: m.claimed(
        m.deployment(plan=m.migrating()), m.claim("Failed", exit_code=1)
    ),
    "run_migration/out_of_turn": lambda m: _second_migration(m, {}),
    "run_migration/second_of_two": lambda m: _second_migration(m, {step_keys.migration("orders"): m.step("Completed")}),
    "run_migration/no_migration": lambda m: m.claimed(m.deployment()),
    "run_migration/aborted": lambda m: m.claimed(m.deployment(plan=m.migrating(), abort=m.aborted())),
    "run_migration/database_command": lambda m: m.claimed(
        m.deployment(plan=m.migrating().but(waves=[], services={}), kind="migrate", command="current")
    ),
    "watch_migration/upgrade": _migration_step,
    "watch_migration/failed": lambda m: _migration_step(m, "Failed", "NonZeroExit"),
    "watch_migration/outcome_unknown": lambda m: _migration_step(m, since=LONG_AGO),
    "watch_migration/not_started": lambda m: m.claimed(m.deployment(plan=m.migrating())),
    "update_service/forward": _rolling,
    "update_service/back": lambda m: m.claimed(m.deployment(Phase.ROLLING_BACK, steps=m.rolled("api", "Failed"))),
    "update_service/not_in_release": lambda m: _rolling(
        m,
        plan=m.plan(
            services={
                name: one.but(skip="NotInRelease", digest="", image="") for name, one in m.plan().services.items()
            }
        ),
    ),
    "update_service/earlier_wave_failed": lambda m: m.claimed(m.deployment(steps=m.rolled("api", "Failed"))),
    "update_service/back_untouched": lambda m: m.claimed(m.deployment(Phase.ROLLING_BACK)),
    "update_service/unknown_service": lambda m: m.claimed(m.deployment()),
    "watch_rollout/forward": _following,
    "watch_rollout/back": lambda m: _following(m, direction="back"),
    "watch_rollout/rolled_back_by_breaker": lambda m: _following(m, followed="ecs-svc/gone", since=LONG_AGO),
    "watch_rollout/goes_on": lambda m: _following(m, followed="ecs-svc/soon"),
    "watch_rollout/aborted": lambda m: m.claimed(
        m.deployment(steps={step_keys.BEGIN: m.step(), **m.rolled("api")}, abort=m.aborted())
    ),
    "smoke_test/round": lambda m: _rolled_out(m, (_emulator(m), {}), ("http://127.0.0.1:9/", {}), plan={"attempts": 5}),
    "smoke_test/passed": lambda m: _rolled_out(m, (_emulator(m), {})),
    "smoke_test/no_answer": lambda m: _rolled_out(m, ("http://127.0.0.1:9/", {})),
    "smoke_test/wrong_answer": lambda m: _rolled_out(m, (_emulator(m), {"version": VERSION})),
    "smoke_test/passed_before": lambda m: m.claimed(m.deployment(steps=_ended_well(m))),
    "smoke_test/aborted": lambda m: _rolled_out(m, (_emulator(m), {}), abort=m.aborted()),
    "finish_deployment/all_passed": lambda m: m.claimed(m.deployment(steps=_ended_well(m))),
    "finish_deployment/caught_failure": lambda m: m.claimed(m.deployment()),
    "finish_deployment/rolled_back": lambda m: m.claimed(m.deployment(Phase.ROLLING_BACK, steps=_went_back(m))),
    "finish_deployment/aborted": lambda m: m.claimed(m.deployment(Phase.PENDING, abort=m.aborted())),
    "finish_deployment/claim_lost": lambda m: m.claimed(m.deployment(steps=_ended_well(m))),
    "publish_release/tagged": _published,
    "publish_release/not_tagged": lambda m: _published(m, tag=None),
    "publish_release/published_before": lambda m: _published(
        m, publication=Publication(status="Published", url="https://github.example/v1.0.0", at=m.now)
    ),
    "receive_push/version_pushed": lambda m: [m.applied(), m.state("staging"), m.state("production")],
    **dict.fromkeys(
        (
            "relay_change/deployment_completed",
            "relay_change/deployment_failed",
            "relay_change/breaker_rolls_back",
            "relay_change/service_steady_state",
            "relay_change/service_task_stopped",
            "relay_change/migration_task_stopped",
            "relay_change/wake_after_abort",
        ),
        _waiting,
    ),
    **dict.fromkeys(("reconcile/sweep", "reconcile/look", "reconcile/nudged", "reconcile/nudged_twice"), _released),
    **dict.fromkeys(("serve_api/abort", "serve_api/watch"), _running_now),
    **dict.fromkeys(("notify/written", "notify/sweep", "notify/tried_before"), Meeting.messages),
}


def met(stage: Stage, function: str, scenario: str, event: dict[str, Any], address: str) -> list[Record]:
    """What one event meets."""
    meeting = Meeting(stage, {**event, "_address": address})
    if function in ("decide_approval", "slack_actions"):
        return meeting.asked()
    return MEETS.get(f"{function}/{scenario}", Meeting.idle)(meeting)
