"""The approval pages: a public function URL. GET, HEAD and OPTIONS only read."""

import functools
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.approvals.web.context import Pages
from ferryman.approvals.web.decide_approval import serve
from ferryman.approvals.web.origin import Origin
from ferryman.clients.nudge import Nudge
from ferryman.clients.pass_on import PassOn
from ferryman.clients.ssm import References
from ferryman.runtime import client, logger, setting, store


@functools.cache
def origin() -> Origin:
    """Return what knows the secret of the pages' domain, kept while the sandbox lives."""
    return Origin(client, ids.now, setting("ORIGIN_SECRET_ARN"))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    desk = Pages(
        store=store(),
        nudge=Nudge(client("sqs"), setting("NUDGES_URL")).environment,
        text=lambda value: References(client("ssm")).text(value),
        clock=ids.now,
        new_id=ids.new_id,
        pass_on=PassOn(lambda: client("lambda"), setting("SLACK_FUNCTION")),
    )
    return serve(event, desk, logger(), origin=origin(), domain=setting("APPROVALS_URL"))
