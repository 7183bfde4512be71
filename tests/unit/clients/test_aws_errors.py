"""Which of AWS's errors are worth another try, as a table."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from ferryman.clients.aws_errors import translated
from ferryman.errors import Throttled, Unavailable


def answer(code: str, status: int = 400, message: str = "?") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "UpdateService",
    )


def kms(said: str) -> ClientError:
    refused = answer("KmsException", message="The operation failed due to a KMS exception.")
    refused.response["kmsError"] = said  # type: ignore[typeddict-unknown-key]
    return refused


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
        pytest.param(answer("KmsThrottlingException"), Throttled, id="step-functions-kms"),
        pytest.param(answer("KMSThrottling"), Throttled, id="sns-kms"),
        pytest.param(answer("KmsThrottled"), Throttled, id="sqs-kms"),
        pytest.param(answer("ExecutionLimitExceeded"), Throttled, id="too-many-executions"),
        pytest.param(answer("InternalServiceErrorException"), Unavailable, id="ses"),
        pytest.param(answer("InternalServiceError"), Unavailable, id="secrets-manager"),
        pytest.param(answer("RequestTimeout"), Unavailable, id="request-timeout"),
        pytest.param(answer("UnableToGetUpstreamImageException"), Unavailable, id="pull-through-cache"),
        *[
            pytest.param(answer(code, message=message), Throttled, id=message[:40])
            for code, message in (
                ("ClientException", "Too many concurrent attempts to create a new revision of the specified family."),
                (
                    "ClientException",
                    "Capacity is unavailable at this time. Please try again later or in a different AZ",
                ),
                ("ClientException", "Tasks provisioning capacity limit exceeded."),
                ("ClientException", "Rate exceeded"),
                ("ClientException", "ECS was unable to assume the role 'arn:…' that was provided for this task."),
                (
                    "InvalidParameterException",
                    "Unable to assume the service linked role. Please verify that it exists.",
                ),
                ("InvalidParameterException", "Unable to assume role and validate the specified targetGroupArn."),
                ("InvalidParameterException", "The service can't be updated: a deployment is in progress."),
            )
        ],
        pytest.param(kms("KMS.ThrottlingException"), Throttled, id="ecr-kms-throttling"),
        pytest.param(kms("KMS.DisabledException"), ClientError, id="ecr-kms-disabled"),
        pytest.param(
            answer("ClientException", message="Unable to describe task definition."), ClientError, id="no-definition"
        ),
        pytest.param(answer("ClientException", message="TaskDefinition is inactive"), ClientError, id="inactive"),
        pytest.param(answer("InvalidParameterException", message="Invalid subnet"), ClientError, id="wrong-parameter"),
        pytest.param(
            answer("AccessDeniedException", message="Please try again with another role"),
            ClientError,
            id="denied-is-clear",
        ),
        pytest.param(answer("AccessDeniedException"), ClientError, id="denied-is-the-callers"),
        pytest.param(answer("ConditionalCheckFailedException"), ClientError, id="condition-is-the-callers"),
    ],
)
def test_translated(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind), translated():
        raise error
