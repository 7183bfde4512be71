"""Send what the outbox holds, woken by the table's stream and by a schedule that sweeps up what failed."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.notify import send
from ferryman.notify.channels import deliverer
from ferryman.runtime import client, count, logger, step, store


@step(NotifyInput)
def handler(event: NotifyInput, context: LambdaContext) -> NotifyOutput:
    """Deliver each message once per deployment, event and channel."""
    return send.run(event, store=store(), deliver=deliverer(client), clock=ids.now, log=logger(), count=count)
