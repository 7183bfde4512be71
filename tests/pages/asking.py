"""A production that asks Ada and Grace for their yes, as the records say it."""

import copy
import hashlib
from datetime import timedelta
from typing import Any

from ferryman.records import (
    Active,
    Actor,
    AppliedPlatform,
    Approval,
    ApproverRecord,
    Deployment,
    EnvironmentState,
    Nonce,
    Phase,
    PlannedCheck,
    PlannedMigration,
    PlannedTag,
    Running,
    Step,
    StepStatus,
    Target,
    Verified,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock

ID = "01K3ASKING0000000000000ADA"
BEFORE = "01K3BEFORE00000000000000PR"
VERSION = "3f9c2ab77c1d5e0f4a6b8c9d0e1f2a3b4c5d6e7f"
RUNS = "91d0e4c5aa0b1c2d3e4f5061728394a5b6c7d8e9"
SHORT = VERSION[:7]
ADA_NONCE = "Ada-" + "a" * 39
GRACE_NONCE = "Grace_" + "b" * 37
FENCE = 12
OLD = {"ai-gateway": make.digest("1"), "api": make.digest("2"), "web": make.digest("3")}
NEW = {"ai-gateway": make.digest("1"), "api": make.digest("4"), "web": make.digest("5")}
SERVICES = ("scr-api-production", "scr-ai-gateway-production", "scr-web-production")
TEAM, SIGNING = "T024BE7LD", "8f742231b10e8888abcd99yyyzzz85a5"
SIGNING_SECRET = "ferryman/scr/slack-signing-secret-XyZ123"


def document(scr: dict[str, Any], **approval: Any) -> dict[str, Any]:
    """The example platform, with GitHub and a Slack bot."""
    made = copy.deepcopy(scr)
    made["spec"]["github"] = {"repository": "scr-platform/scr"}
    made["spec"]["channels"]["chat"] = {
        "type": "slack",
        "botTokenSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-bot-token-AbCdEf",
        "signingSecretArn": f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{SIGNING_SECRET}",
        "channel": "C024BE91L",
        "team": TEAM,
    }
    policy = made["spec"]["environments"]["production"]["approval"]
    for approver, slack in zip(policy["approvers"], ("U0ADA", "U0GRACE"), strict=True):
        approver["slack"] = slack
    policy |= approval
    return made


def hashed(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()


def approval(**changes: Any) -> Approval:
    made = Approval(
        platform="scr",
        environment="production",
        deployment=ID,
        fence=FENCE,
        version=VERSION,
        tag="v1.0.0",
        digests=NEW,
        requested_by=Actor(who="tag", automated=True),
        approvers=[
            ApproverRecord(name="Ada Lovelace", email="ada@scr-platform.example", slack="U0ADA"),
            ApproverRecord(name="Grace Hopper", email="grace@scr-platform.example", slack="U0GRACE"),
        ],
        requested_at=make.AT,
        expires_at=make.AT + timedelta(hours=24),
        remind_at=make.AT + timedelta(hours=20),
        nonces=[
            Nonce(approver="Ada Lovelace", hash=hashed(ADA_NONCE), at=make.AT),
            Nonce(approver="Grace Hopper", hash=hashed(GRACE_NONCE), at=make.AT),
        ],
        token="AAAAtoken/of+the=step",
    )
    return made.but(**changes)


def plan(**changes: Any) -> Any:
    services = {
        name: make.planned(name).but(component=name.removeprefix("scr-").removesuffix("-production"))
        for name in SERVICES
    }
    return make.plan(
        waves=[[name] for name in SERVICES],
        services=services,
        approval=True,
        migration=PlannedMigration(
            component="api",
            container="api",
            digest=NEW["api"],
            image="registry.example/scr-api@" + NEW["api"],
            base_task_definition=make.definition("scr-api-migrate-production", 1),
            command=["alembic", "upgrade", "head"],
            timeout_seconds=600,
            subnets=["subnet-1"],
            security_groups=["sg-1"],
        ),
        promotions=[PlannedTag(component="api", repository="scr-api", digest=NEW["api"], tag="production-latest")],
        checks=[
            PlannedCheck(
                name="api", url="https://api.example/health", status=[200],
                attempts=10, delay_seconds=15, timeout_seconds=5,
            )
        ],
        migrations=["0001_users", "0002_invoices", "0003_drop_legacy_totals"],
        unsafe_migrations=["0003_drop_legacy_totals"],
    ).but(**changes)  # fmt: skip


def deployment(**changes: Any) -> Deployment:
    made = make.deployment(
        environment="production",
        id=ID,
        version=VERSION,
        tag="v1.0.0",
        from_version=RUNS,
        digests=NEW,
        fence=FENCE,
        phase=Phase.AWAITING_APPROVAL,
        initiated_by=Actor(who="tag", automated=True),
        plan=plan(),
        steps={
            step_keys.BEGIN: make.step(),
            step_keys.APPROVAL: Step(status=StepStatus.RUNNING, started_at=make.AT),
        },
    )
    return made.but(**changes)


def state(**changes: Any) -> EnvironmentState:
    made = EnvironmentState(
        platform="scr",
        environment="production",
        fence=FENCE,
        active=Active(
            deployment=ID,
            version=VERSION,
            fence=FENCE,
            execution_name=f"scr-production-{ID}",
            input="{}",
            claimed_at=make.AT,
        ),
        current=Running(version=RUNS, deployment=BEFORE, digests=OLD, at=make.AT - timedelta(days=6)),
        last_succeeded=Target(version=RUNS, deployment=BEFORE, digests=OLD),
    )
    return made.but(**changes)


def before() -> Deployment:
    """The deployment that made what runs."""
    return deployment(
        id=BEFORE,
        version=RUNS,
        tag="v0.9.3",
        digests=OLD,
        phase=Phase.SUCCEEDED,
        plan=plan(migrations=["0001_users"], unsafe_migrations=[]),
    )


def release() -> Any:
    proof = Verified(deployment="01K3STAGING0000000000STAGE", digests=NEW, at=make.AT - timedelta(hours=3))
    return make.release(VERSION, verified={"staging": proof})


def ask(store: Store, scr: dict[str, Any], **changes: Any) -> None:
    """Write everything down as it stands while people are asked; keywords change the approval."""
    write(store, document(scr), **changes)


def write(store: Store, document: dict[str, Any], **changes: Any) -> None:
    """Write everything down, with a document as applied."""
    applied = AppliedPlatform(name="scr", generation=1, document=document, applied_by="jo", applied_at=make.AT)
    records = [applied, approval(**changes), deployment(), state(), before(), release()]
    store.write(*(Save(record) for record in records))


def forward(clock: FakeClock) -> None:
    """Some minutes after it was asked for."""
    clock.at = make.AT + timedelta(minutes=7)
