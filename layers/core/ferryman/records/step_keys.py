"""The keys of `Deployment.steps`, in the order in which they happen. Pure."""

from typing import Literal

Direction = Literal["forward", "back"]

BEGIN = "begin_deployment"
APPROVAL = "approval"
ADMIT = "admit_deployment"
PROMOTION = "promotion"
MIGRATION = "migration"
SMOKE_TEST = "smoke_test"


def rollout(service: str, direction: Direction) -> str:
    """The step that brings one service forward, or back: `rollout/scr-api`, `rollback/scr-api`."""
    return f"{'rollout' if direction == 'forward' else 'rollback'}/{service}"
