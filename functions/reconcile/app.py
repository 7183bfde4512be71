"""Make environments right: woken by nudges, by executions that ended, and by the schedule."""

from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.clients.nudge import Looks, Nudge, Outbox
from ferryman.clients.ssm import References
from ferryman.controller import reconcile
from ferryman.controller.events import Report, Wakeup
from ferryman.controller.shared_reads import SharedReads
from ferryman.runtime import client, count, gauge, setting, step, store


@cache
def _shared() -> SharedReads:
    return SharedReads(client("ecr"), client("ecs"), client("ssm"))


@step(Wakeup)
def handler(event: Wakeup, context: LambdaContext) -> Report:
    """Take a batch of nudges or looks, an execution's status change, or `{"sweep": true}`."""
    return reconcile.reconcile(
        event,
        store=store(),
        states=client("stepfunctions"),
        ecr=client("ecr"),
        ecs=client("ecs"),
        references=References(client("ssm")),
        client=client,
        nudge=Nudge(client("sqs"), setting("NUDGES_URL")),
        looks=Looks(client("sqs"), lambda: setting("LOOKS_URL")),
        shared=_shared(),
        outbox=Outbox(client("lambda"), setting("NOTIFY_FUNCTION")),
        machine=setting("MACHINE_ARN"),
        migrate_machine=setting("MIGRATE_MACHINE_ARN"),
        mutation_timeout_seconds=int(setting("MUTATION_TIMEOUT_SECONDS")),
        clock=ids.now,
        new_id=ids.new_id,
        count=count,
        gauge=gauge,
    )
