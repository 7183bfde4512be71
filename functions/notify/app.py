"""Send what the outbox holds, woken by the table's stream and by a schedule that sweeps up what failed."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.notify import notify
from ferryman.notify.dispatch import Hands, deliverer
from ferryman.runtime import client, count, logger, setting, step, store


@step(NotifyInput)
def handler(event: NotifyInput, context: LambdaContext) -> NotifyOutput:
    """Deliver each message once per deployment, event and channel."""
    hands = Hands(client, store(), ids.now, setting("APPROVALS_URL"))
    return notify.run(
        event,
        store=store(),
        deliver=deliverer(hands),
        clock=ids.now,
        new_id=ids.new_id,
        log=logger(),
        count=count,
    )
