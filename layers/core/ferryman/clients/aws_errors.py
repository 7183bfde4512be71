"""AWS's errors in our words: which call is worth another try.

Wrap an AWS call in `translated()`; what the caller has to decide on itself still arrives as ClientError.
"""

from collections.abc import Iterator
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
        "RequestThrottled",
        "SlowDown",
        # DynamoDB: a transaction on the same item, or the same transaction whose answer was lost, is still under way.
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_FAILING = frozenset(
    {
        "ServerException",
        "InternalServerError",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)


def code_of(error: Refusal) -> str:
    """Return AWS's code for a refusal, as `AccessDeniedException`; empty when the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def code_and_sentence(error: Refusal) -> tuple[str, str]:
    """Return a refusal's code, and a sentence for people."""
    code, said = code_of(error), error.response.get("Error", {}).get("Message", "")
    return code, f"{error.operation_name} was refused ({code}): {said}"


@contextmanager
def translated() -> Iterator[None]:
    """Raise Throttled or Unavailable for what may pass; let every other error through as it is."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _THROTTLING or status == 429:
            raise Throttled(f"{error.operation_name}: {code}") from error
        if code in _FAILING or status >= 500:
            raise Unavailable(f"{error.operation_name}: {code or status}") from error
        raise
    except (Unreachable, HTTPClientError) as error:
        raise Unavailable(f"AWS could not be reached or did not answer in time: {error}") from error
