"""Have notify probe the channels of a platform, and wait for what it found. Called by serve_api."""

import json

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import LambdaClient
from ferryman.errors import Unavailable

_SECONDS = 25
"""How long the answer may take: notify gives up on Slack after 8 seconds and on GitHub after 16."""


def patient() -> LambdaClient:
    """Return a client that waits for the answer and never asks twice, since a test message would be sent again."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=_SECONDS, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("lambda", config=config)


def ask(client: LambdaClient, function: str, platform: str, *, send: bool) -> list[dict[str, object]]:
    """Return what notify answers for each channel; raise Unavailable when it fails."""
    payload = json.dumps({"probe": {"platform": platform, "send": send}}).encode()
    with translated():
        answer = client.invoke(FunctionName=function, Payload=payload)
        told = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Unavailable(f"notify failed with {told.get('errorType')}: {told.get('errorMessage')}; see its log")
    found: list[dict[str, object]] = told["probed"]
    return found
