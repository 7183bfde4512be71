"""Step: follow the database migration; the verdict goes to the task token."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import WatchMigrationInput
from ferryman.runtime import client, step, store
from ferryman.steps import watch_migration


@step(WatchMigrationInput)
def handler(event: WatchMigrationInput, context: LambdaContext) -> None:
    """Remember the token, then judge."""
    watch_migration.watch(
        event,
        store=store(),
        ecs=client("ecs"),
        logs=client("logs"),
        states=client("stepfunctions"),
        clock=ids.now,
        new_id=ids.new_id,
    )
