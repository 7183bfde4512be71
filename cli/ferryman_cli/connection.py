"""Finding the operator's API and the credentials to sign with. The environment is read here, at call time."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from ferryman_cli.exits import Exit, Stop
from ferryman_cli.transport import Api

_REGION = re.compile(r"\.lambda-url\.([a-z0-9-]+)\.")
_NO_CREDENTIALS = (
    "there are no AWS credentials to sign with. Get some with `aws sso login` (and AWS_PROFILE), `aws configure`, or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then try again"
)


def connect(api_url: str | None) -> Api:
    """Return the API at this address, or the one that the operator's CloudFormation stack names."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session()
    try:
        credentials = session.get_credentials()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if credentials is None:
            raise Stop(Exit.UNREACHABLE, _NO_CREDENTIALS)
        url = api_url or _from_stack(session, region)
        # Reading them now tells of an expired SSO login in words instead of in the first request.
        credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise Stop(
            Exit.UNREACHABLE, f"no AWS credentials can be had: {error}. Log in again, for example `aws sso login`"
        ) from None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Stop(
            Exit.BAD_INPUT, f"{url!r} is not the address of an API; it looks like https://….lambda-url.….on.aws/"
        )
    match = _REGION.search(parts.hostname)
    region = match.group(1) if match else region
    if not region:
        raise Stop(Exit.UNREACHABLE, "no AWS region is set; set AWS_REGION to the operator's")
    return Api(url, credentials=credentials, region=region, connect=os.environ.get("FERRYMAN_API_CONNECT") or None)


def _from_stack(session: Any, region: str | None) -> str:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    stack = os.environ.get("FERRYMAN_STACK") or "ferryman"
    if not region:
        raise Stop(Exit.UNREACHABLE, "no AWS region is set; set AWS_REGION to the operator's, or give --api-url")
    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    try:
        cloudformation = session.create_client("cloudformation", region_name=region, config=config)
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        raise Stop(Exit.UNREACHABLE, _no_stack(stack, region, error)) from None
    except BotoCoreError as error:
        raise Stop(
            Exit.UNREACHABLE, f"CloudFormation in {region} can't be asked for the stack {stack}: {error}"
        ) from None
    for output in found.get("Outputs", []):
        if output["OutputKey"] == "ApiUrl":
            return str(output["OutputValue"])
    raise Stop(
        Exit.UNREACHABLE, f"stack {stack} in {region} has no output ApiUrl: is it Ferryman's? FERRYMAN_STACK names it"
    )


def _no_stack(stack: str, region: str, error: Any) -> str:
    code, told = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ValidationError":
        return (
            f"there is no CloudFormation stack {stack} in {region}. Install the operator with `sam deploy` (README), "
            "name the stack with FERRYMAN_STACK, set AWS_REGION to its region, or give the API's address with --api-url"
        )
    return f"CloudFormation in {region} did not tell about the stack {stack}: {code}: {told}. Log in, or give --api-url"
