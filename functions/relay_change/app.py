"""Bring a change in ECS, or a person's abort, to the steps that wait for it."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import RelayChangeInput
from ferryman.runtime import client, step, store
from ferryman.steps import relay_change
from ferryman.steps.watch_rollout import Edges


@step(RelayChangeInput)
def handler(event: RelayChangeInput, context: LambdaContext) -> None:
    """Judge again whatever waits for what changed."""
    relay_change.relay(
        event,
        store=store(),
        edges=Edges(client("ecs"), client("logs"), client),
        states=client("stepfunctions"),
        clock=ids.now,
        new_id=ids.new_id,
    )
