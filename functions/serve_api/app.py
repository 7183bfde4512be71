"""The API behind the `ferryman` command: a function URL with AWS_IAM, so AWS has checked who calls."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.api.aws import Aws
from ferryman.api.context import Context
from ferryman.api.serve_api import serve
from ferryman.runtime import client, logger, setting, store


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    arn = context.invoked_function_arn.split(":")
    aws = Aws(
        store=store(),
        client=client,
        clock=ids.now,
        new_id=ids.new_id,
        account=arn[4],
        region=arn[3],
        nudges_url=setting("NUDGES_URL"),
        relay_function=setting("RELAY_FUNCTION"),
    )
    return serve(event, Context(store=store(), outside=aws, clock=ids.now, new_id=ids.new_id), logger())
