"""Step: follow one service's rollout; the verdict goes to the task token."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import WatchRolloutInput
from ferryman.runtime import client, step, store
from ferryman.steps import watch_rollout


@step(WatchRolloutInput)
def handler(event: WatchRolloutInput, context: LambdaContext) -> None:
    """Remember the token, then judge."""
    watch_rollout.watch(
        event,
        store=store(),
        edges=watch_rollout.Edges(client("ecs"), client("logs"), client),
        states=client("stepfunctions"),
        clock=ids.now,
        new_id=ids.new_id,
    )
