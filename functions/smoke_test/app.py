"""Step: run one round of the HTTP checks that have not passed yet."""

from functools import partial

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.clients.http_client import fetch
from ferryman.contracts import SmokeTestInput, SmokeTestOutput
from ferryman.runtime import services_on_loopback, step, store, threads
from ferryman.steps import smoke_test


@step(SmokeTestInput)
def handler(event: SmokeTestInput, context: LambdaContext) -> SmokeTestOutput:
    """Ask, judge, record; the state machine waits and calls again while the verdict is Waiting."""
    ask = partial(fetch, allow_loopback=services_on_loopback())
    return smoke_test.run(event, store=store(), fetch=ask, clock=ids.now, new_id=ids.new_id, threads=threads)
