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


def migration(name: str) -> str:
    """The step of one migration: `migration`, or `migration/orders` for one that has a name."""
    return f"{MIGRATION}/{name}" if name else MIGRATION


def migration_of(key: str) -> str | None:
    """The name of the migration that a step is about: "" for the one without a name, None for any other step."""
    step, _, name = key.partition("/")
    return name if step == MIGRATION else None


def rollout(service: str, direction: Direction) -> str:
    """The step that brings one service forward, or back: `rollout/scr-api`, `rollback/scr-api`."""
    return f"{ROLLOUT if direction == 'forward' else ROLLBACK}/{service}"
