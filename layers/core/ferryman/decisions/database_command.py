"""The database command of a deployment: in words, and as what an approval is bound to. Pure.

A person asks for one with `ferryman migrate`, or with `rollback --downgrade`. What a deployment migrates by itself is
part of the deployment, and no command.
"""

import hashlib
import json

from ferryman.decisions.migration_attempts import revision_of
from ferryman.records import Deployment, PlannedMigration, Request


def in_words(wish: Deployment | Request) -> str:
    """Return `migrate orders down to 0042`, or `rollback to 3f9c2ab with a downgrade to 0042`; "" without a command."""
    if wish.kind == "migrate":
        to = f" to {wish.revision}" if wish.revision else ""
        return f"migrate {f'{wish.migration} ' if wish.migration else ''}{wish.command or 'up'}{to}"
    if wish.command is None:
        return ""
    downs = ", ".join(f"{name} to {revision}" for name, revision in wish.revisions.items())
    return f"rollback to {wish.version} with a downgrade {f'of {downs}' if downs else f'to {wish.revision}'}"


def tasks(deployment: Deployment) -> list[PlannedMigration]:
    """Return the planned one-off tasks of a deployment's database command, in the order in which they run."""
    if deployment.plan is None or deployment.command is None:
        return []
    return deployment.plan.every_migration


def hash_of(deployment: Deployment) -> str:
    """Return the SHA-256 (hex) over what runs: cluster, commands, images by digest, task definitions and revisions.

    "" for a deployment without a database command, or without a plan.
    """
    found = tasks(deployment)
    if deployment.plan is None or not found:
        return ""
    runs = [
        [
            task.name,
            task.command,
            sorted(task.images.items()),
            task.base_task_definition,
            revision_of(deployment, task.name),
        ]
        for task in found
    ]
    return hashlib.sha256(json.dumps([deployment.command, deployment.plan.cluster, runs]).encode()).hexdigest()
