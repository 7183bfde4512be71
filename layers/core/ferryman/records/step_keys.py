"""The keys of `Deployment.steps`. Pure. What they mean, and their order: `decisions.deployment_steps`."""

from typing import Literal

Direction = Literal["forward", "back"]

BEGIN = "begin_deployment"
APPROVAL = "approval"
ADMIT = "admit_deployment"
PROMOTION = "promotion"
MIGRATION = "migration"
ROLLOUT = "rollout"
SMOKE_TEST = "smoke_test"
ROLLBACK = "rollback"


def rollout(service: str, direction: Direction) -> str:
    """The step that brings one service forward, or back: `rollout/scr-api`, `rollback/scr-api`."""
    return f"{ROLLOUT if direction == 'forward' else ROLLBACK}/{service}"
