"""Send what the outbox holds, woken by the table's stream and once a minute by a schedule."""

import time
from functools import partial

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.notify import notify
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver, probe
from ferryman.platform.hosts import Hosts
from ferryman.runtime import client, count, logger, services_on_loopback, setting, step, store, threads


@step(NotifyInput)
def handler(event: NotifyInput, context: LambdaContext) -> NotifyOutput:
    """Deliver each message once per deployment, event and channel."""
    hosts = Hosts(setting("ALLOWED_SLACK_HOSTS"), setting("ALLOWED_GITHUB_HOSTS"), services_on_loopback())
    channels = Context(client, store(), ids.now, setting("APPROVALS_URL"), new_id=ids.new_id, hosts=hosts)
    return notify.run(
        event,
        store=store(),
        deliver=partial(deliver, context=channels),
        clock=ids.now,
        new_id=ids.new_id,
        log=logger(),
        count=count,
        sleep=time.sleep,
        threads=threads,
        probe=partial(probe, context=channels, threads=threads),
    )
