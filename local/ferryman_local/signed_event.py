"""An event of the API, signed as the command signs a request. Used by scripts/sam-invoke and by tests."""

import base64
from typing import Any

from botocore.credentials import Credentials

from ferryman import proofs
from ferryman_cli.prover import Prover


def container_arn(logical: str) -> str:
    """Return the ARN that Lambda's runtime emulator gives a function of this logical id, whatever the region is."""
    return f"arn:aws:lambda:us-east-1:012345678912:function:{logical}"


def signed(event: dict[str, Any], function_arn: str, credentials: Any = None) -> dict[str, Any]:
    """Return an event of a function URL with a fresh proof of identity for that function.

    `credentials` are botocore's; by default the root's of the local AWS. A committed event can't contain a proof: each
    counts for five minutes and, other than for reading, once.
    """
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    query = event.get("rawQueryString") or ""
    url = f"https://api{event['rawPath']}{'?' if query else ''}{query}"
    prover = Prover(function_arn, credentials or Credentials("test", "test"))
    proof = prover.proof(event["requestContext"]["http"]["method"], url, data)
    return {**event, "headers": {**event.get("headers", {}), proofs.PROOF_HEADER: proof}}


def needs_a_signature(event: Any) -> bool:
    """Tell whether an event is a signed request to a function URL, as its `authorizer` says."""
    return isinstance(event, dict) and "iam" in (event.get("requestContext", {}).get("authorizer") or {})
