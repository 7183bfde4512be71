"""Find the operator's API and the credentials that sign requests. Environment variables are read at call time."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from ferryman_cli.exits import Exit, Stop
from ferryman_cli.transport import Api

_REGION = re.compile(r"\.lambda-url\.([a-z0-9-]+)\.")
_NO_CREDENTIALS = (
    "no AWS credentials found. Run `aws sso login` (and set AWS_PROFILE) or `aws configure`, or set AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY, then try again"
)


def connect(api_url: str | None) -> Api:
    """Return the API at this URL, or at the URL in the outputs of the operator's CloudFormation stack."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session()
    try:
        credentials = session.get_credentials()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if credentials is None:
            raise Stop(Exit.UNREACHABLE, _NO_CREDENTIALS)
        url, function = (api_url, None) if api_url else _from_stack(session, region)
        function = function or (os.environ.get("FERRYMAN_API_FUNCTION") if api_url else None)
        # Read them now, so that an expired SSO login gets a clear message here rather than in the first request.
        credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise Stop(
            Exit.UNREACHABLE, f"cannot load AWS credentials: {error}. Log in again, for example with `aws sso login`"
        ) from None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Stop(Exit.BAD_INPUT, f"{url!r} is not the URL of an API; it looks like https://….lambda-url.….on.aws/")
    match = _REGION.search(parts.hostname)
    region = match.group(1) if match else region
    if not region:
        raise Stop(Exit.UNREACHABLE, "no AWS region is set; set AWS_REGION to the operator's region")
    connect = os.environ.get("FERRYMAN_API_CONNECT") or None
    try:
        return Api(url, credentials=credentials, region=region, function=function, connect=connect)
    except ValueError as error:
        raise Stop(Exit.BAD_INPUT, f"FERRYMAN_API_FUNCTION: {error}; copy the stack's output ApiFunctionArn") from None


def _from_stack(session: Any, region: str | None) -> tuple[str, str | None]:
    """Return the API's URL, and its function's ARN; None where the stack is of an older operator."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    stack = os.environ.get("FERRYMAN_STACK") or "ferryman"
    if not region:
        raise Stop(Exit.UNREACHABLE, "no AWS region is set; set AWS_REGION to the operator's region, or use --api-url")
    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    try:
        cloudformation = session.create_client("cloudformation", region_name=region, config=config)
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        raise Stop(Exit.UNREACHABLE, _no_stack(stack, region, error)) from None
    except BotoCoreError as error:
        raise Stop(Exit.UNREACHABLE, f"cannot read the CloudFormation stack {stack} in {region}: {error}") from None
    outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in found.get("Outputs", [])}
    if "ApiUrl" in outputs:
        return outputs["ApiUrl"], outputs.get("ApiFunctionArn")
    raise Stop(
        Exit.UNREACHABLE,
        f"stack {stack} in {region} has no output ApiUrl. Set FERRYMAN_STACK to the name of the operator's stack",
    )


def _no_stack(stack: str, region: str, error: Any) -> str:
    code, told = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ValidationError":
        return (
            f"CloudFormation stack {stack} does not exist in {region}. Install the operator with `sam deploy` (see the "
            "README), set FERRYMAN_STACK to the stack's name and AWS_REGION to its region, or use --api-url"
        )
    return (
        f"cannot read the CloudFormation stack {stack} in {region}: {code}: {told}. Log in, or attach the stack's "
        "managed policy CallerPolicyArn to your identity, or set FERRYMAN_API_URL and FERRYMAN_API_FUNCTION to the "
        "stack's outputs ApiUrl and ApiFunctionArn"
    )
