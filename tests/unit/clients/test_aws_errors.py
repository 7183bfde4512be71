"""Which of AWS's errors are worth another try, as a table."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from ferryman.clients.aws_errors import translated
from ferryman.errors import Throttled, Unavailable


def answer(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "?"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "UpdateService",
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(answer("ThrottlingException"), Throttled, id="throttling"),
        pytest.param(answer("LimitExceededException"), Throttled, id="limit"),
        pytest.param(answer("TransactionInProgressException"), Throttled, id="same-transaction-under-way"),
        pytest.param(answer("TransactionConflictException"), Throttled, id="another-transaction-under-way"),
        pytest.param(answer("Whatever", 429), Throttled, id="429"),
        pytest.param(answer("ServerException", 500), Unavailable, id="server"),
        pytest.param(answer("Whatever", 503), Unavailable, id="503"),
        pytest.param(ReadTimeoutError(endpoint_url="x"), Unavailable, id="read-timeout"),
        pytest.param(ConnectTimeoutError(endpoint_url="x"), Unavailable, id="connect-timeout"),
        pytest.param(EndpointConnectionError(endpoint_url="x"), Unavailable, id="unreachable"),
        pytest.param(answer("AccessDeniedException"), ClientError, id="denied-is-the-callers"),
        pytest.param(answer("ConditionalCheckFailedException"), ClientError, id="condition-is-the-callers"),
    ],
)
def test_translated(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind), translated():
        raise error
