"""Record a pushed image, complete its release, and have reconcile look."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.clients.nudge import Nudge
from ferryman.releases.receive_push import PushEvent, Receipt, receive
from ferryman.runtime import client, count, setting, step, store


@step(PushEvent)
def handler(event: PushEvent, context: LambdaContext) -> Receipt:
    """Take an `ECR Image Action` event."""
    return receive(
        event,
        store=store(),
        ecr=client("ecr"),
        nudge=Nudge(client("sqs"), setting("NUDGES_URL")),
        clock=ids.now,
        new_id=ids.new_id,
        count=count,
    )
