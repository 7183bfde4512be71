"""Slack's buttons: a public function URL, and the only function that can read Slack's signing secrets."""

import functools
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.approvals.web.context import SlackApp
from ferryman.approvals.web.origin import Origin
from ferryman.approvals.web.slack_actions import serve
from ferryman.approvals.web.slack_signing import SigningSecrets
from ferryman.clients.nudge import Nudge
from ferryman.clients.slack import respond_to_action
from ferryman.clients.ssm import References
from ferryman.runtime import client, logger, setting, store


@functools.cache
def secrets() -> SigningSecrets:
    """Return the signing secrets, kept while the sandbox lives."""
    return SigningSecrets(client, ids.now)


@functools.cache
def origin() -> Origin:
    """Return what knows the secret of the pages' domain, kept while the sandbox lives."""
    return Origin(client, ids.now, setting("ORIGIN_SECRET_ARN"))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    desk = SlackApp(
        store=store(),
        nudge=Nudge(client("sqs"), setting("NUDGES_URL")).environment,
        text=lambda value: References(client("ssm")).text(value),
        clock=ids.now,
        new_id=ids.new_id,
        secrets=secrets(),
        respond=respond_to_action,
    )
    return serve(event, desk, logger(), origin=origin())
