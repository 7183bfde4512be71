"""An approval as tests of its messages need it."""

from datetime import timedelta
from typing import Any

from ferryman.records import Actor, Approval, ApproverRecord, Decision, Deployment, Phase
from unit import builders as make

ID = "01K00000000000000000000DEP"
EXPIRES = make.AT + timedelta(hours=24)


def approval(**changes: Any) -> Approval:
    made = Approval(
        platform="scr",
        environment="production",
        deployment=ID,
        fence=make.FENCE,
        version="abc1234def",
        tag="v1.0.0",
        digests={"api": make.digest("a"), "web": make.digest("b")},
        requested_by=Actor(who="arn:aws:iam::123456789012:user/jo"),
        approvers=[
            ApproverRecord(name="Ada Lovelace", email="ada@example.com", slack="U1"),
            ApproverRecord(name="Grace <Hopper>", email="grace@example.com"),
            ApproverRecord(name="Alan", arn="arn:aws:iam::123456789012:user/alan"),
        ],
        requested_at=make.AT,
        expires_at=EXPIRES,
    )
    return made.but(**changes)


def deployment(**changes: Any) -> Deployment:
    about = {
        "environment": "production",
        "version": "abc1234def",
        "tag": "v1.0.0",
        "phase": Phase.AWAITING_APPROVAL,
        "steps": {},
    }
    return make.deployment(**{**about, **changes})


def decision(verdict: Any = "approve", name: str = "Ada Lovelace", **changes: Any) -> Decision:
    made = Decision(name=name, verdict=verdict, how="mail", identity="ada@example.com", at=make.AT)
    return made.but(**changes)
