"""Record a pushed image, complete its release, and have reconcile look."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids, releases
from ferryman.nudge import Nudge
from ferryman.runtime import client, count, setting, step, store


@step(releases.PushEvent)
def handler(event: releases.PushEvent, context: LambdaContext) -> releases.Receipt:
    """Take an `ECR Image Action` event."""
    return releases.receive(
        event,
        store=store(),
        ecr=client("ecr"),
        nudge=Nudge(client("sqs"), setting("NUDGES_URL")),
        clock=ids.now,
        new_id=ids.new_id,
        count=count,
    )
