"""Step: point one service at the release's revision, or back at its last good one."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import UpdateServiceInput, UpdateServiceOutput
from ferryman.runtime import client, step, store
from ferryman.steps import update_service


@step(UpdateServiceInput)
def handler(event: UpdateServiceInput, context: LambdaContext) -> UpdateServiceOutput:
    """Start the rollout, or say why not."""
    return update_service.update_service(
        event,
        store=store(),
        ecs=client("ecs"),
        ecr=lambda: client("ecr"),
        client=client,
        clock=ids.now,
        new_id=ids.new_id,
    )
