"""Step: start the database migration, at most once per environment and release."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import RunMigrationInput, RunMigrationOutput
from ferryman.runtime import client, step, store
from ferryman.steps import run_migration


@step(RunMigrationInput)
def handler(event: RunMigrationInput, context: LambdaContext) -> RunMigrationOutput:
    """Start the one-off task, or say why not."""
    return run_migration.run(event, store=store(), ecs=client("ecs"), clock=ids.now, new_id=ids.new_id)
