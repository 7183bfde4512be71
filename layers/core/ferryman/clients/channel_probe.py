"""Have notify probe the channels of a platform, and wait for what it found. Called by serve_api."""

import json

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LambdaClient
from ferryman.errors import Unavailable


def ask(client: LambdaClient, function: str, platform: str, *, send: bool) -> list[dict[str, object]]:
    """Return what notify answers for each channel; raise Unavailable when it fails.

    `client` waits for the answer (notify gives up on Slack after 8 seconds and on GitHub after 16) and never repeats a
    call: a test message would be sent again.
    """
    payload = json.dumps({"probe": {"platform": platform, "send": send}}).encode()
    with translated():
        answer = client.invoke(FunctionName=function, Payload=payload)
        told = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Unavailable(f"notify failed with {told.get('errorType')}: {told.get('errorMessage')}; see its log")
    found: list[dict[str, object]] = told["probed"]
    return found
