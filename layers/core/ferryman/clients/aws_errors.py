"""AWS's errors in our words: which call is worth another try.

Wrap an AWS call in `translated()`; what the caller has to decide on itself still arrives as ClientError.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as Unreachable

from ferryman.errors import Throttled, Unavailable

Refusal = ClientError
"""An answer of AWS that says no. Named here, so that only the clients know botocore."""

_THROTTLING = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        # DynamoDB: a transaction on the same item, or the same transaction whose answer was lost, is still under way.
        "TransactionConflictException",
        "TransactionInProgressException",
        # Step Functions: as many executions run as the account may have.
        "ExecutionLimitExceeded",
    }
)
_THROTTLED = re.compile(r"(?i)throttl|TooManyRequests|TooManyUpdates")
"""Codes that every service spells its own way: RequestThrottled, KMSThrottling, KmsThrottlingException, …"""
_FAILING = frozenset(
    {
        "ServerException",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceErrorException",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
        # ECR: the upstream registry of a pull-through cache did not answer.
        "UnableToGetUpstreamImageException",
        "UnableToGetUpstreamLayerException",
    }
)
_VAGUE = frozenset({"ClientException", "InvalidParameterException", "KmsException"})
"""Codes that stand for many refusals: only the message, or another field, tells those that pass by themselves."""
_PASSING = re.compile(
    r"(?i)too many concurrent|concurrent (modification|update|request)|try (your request )?again|please retry"
    r"|rate (limit )?exceeded|throttl|too many requests|provisioning capacity limit|capacity is unavailable"
    r"|unable to assume (the|role)|temporarily|deployment is (already )?in progress|being (created|updated|modified)"
)
"""What ECS and ECR say of such a refusal; roles and what else was just made are not known everywhere at once."""


def code_of(error: Refusal) -> str:
    """Return AWS's code for a refusal, as `AccessDeniedException`; empty when the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def code_and_sentence(error: Refusal) -> tuple[str, str]:
    """Return a refusal's code, and a sentence for people."""
    code, said = code_of(error), error.response.get("Error", {}).get("Message", "")
    return code, f"{error.operation_name} was refused ({code}): {said}"


def passes_by_itself(error: Refusal) -> bool:
    """Tell whether a refusal whose code says nothing is one that passes by itself."""
    # ECR tells KMS's own code beside the error (`kmsError`); fields of one operation's errors have no type.
    fields: Mapping[str, object] = error.response
    said = f"{error.response.get('Error', {}).get('Message', '')} {fields.get('kmsError', '')}"
    return code_of(error) in _VAGUE and _PASSING.search(said) is not None


@contextmanager
def translated() -> Iterator[None]:
    """Raise Throttled or Unavailable for what may pass; let every other error through as it is."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _THROTTLING or _THROTTLED.search(code) or status == 429:
            throttled = Throttled(f"{error.operation_name}: {code}")
            throttled.operation = error.operation_name
            raise throttled from error
        if code in _FAILING or status >= 500:
            raise Unavailable(f"{error.operation_name}: {code or status}") from error
        if passes_by_itself(error):
            raise Throttled(code_and_sentence(error)[1]) from error
        raise
    except (Unreachable, HTTPClientError) as error:
        raise Unavailable(f"AWS could not be reached or did not answer in time: {error}") from error
