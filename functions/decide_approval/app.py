"""The approval pages and Slack's buttons: a public function URL. GET, HEAD and OPTIONS only read."""

import functools
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.approvals.web.context import Context
from ferryman.approvals.web.decide_approval import serve
from ferryman.approvals.web.slack_signing import SigningSecrets
from ferryman.clients.nudge import Nudge
from ferryman.clients.slack import respond_to_action
from ferryman.runtime import client, logger, setting, store


@functools.cache
def secrets() -> SigningSecrets:
    """Return the signing secrets, kept while the sandbox lives."""
    return SigningSecrets(client, ids.now)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    nudge = Nudge(client("sqs"), setting("NUDGES_URL")).environment
    desk = Context(
        store=store(), nudge=nudge, secrets=secrets(), respond=respond_to_action, clock=ids.now, new_id=ids.new_id
    )
    return serve(event, desk, logger())
