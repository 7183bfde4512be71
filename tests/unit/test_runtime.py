"""What leaves a Lambda by itself: its log, and the error that it ends with."""

import json
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman import runtime
from ferryman.contracts import DeploymentRef
from ferryman.errors import VerificationFailed

REF = {"platform": "scr", "environment": "staging", "deployment": "01K00000000000000000000ONE", "fence": 7}
CONTEXT: Any = SimpleNamespace(function_name="verify", aws_request_id="req-1")
SECRET = "redis://:hunter2@cache:6379"
HIDDEN = "redis://:[hidden]@cache:6379"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the Lambda's own log got."""
    written = StringIO()
    runtime.logger.cache_clear()
    logger = runtime.logger()
    before = logger.log_level
    logger.setLevel("INFO")
    (handler,) = logger.handlers
    monkeypatch.setattr(handler, "stream", written)
    yield written
    logger.setLevel(before)


def failing(error: Exception) -> Any:
    @runtime.step(DeploymentRef)
    def handler(event: DeploymentRef, context: Any) -> None:
        raise error

    return handler


def only_line(log: StringIO) -> dict[str, Any]:
    (line,) = log.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    "error",
    [
        VerificationFailed(f"the container has {SECRET}"),
        ClientError({"Error": {"Code": "X", "Message": f"bad value {SECRET}"}}, "RunTask"),
        OSError(5, f"no route to {SECRET}"),
        RuntimeError(f"asked {SECRET}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_logged_and_ends_the_lambda_without_its_secrets(error: Exception, log: StringIO) -> None:
    """Step Functions keeps its text in the history of the execution, and matches its name."""
    with pytest.raises(Exception) as caught:
        failing(error)(REF, CONTEXT)
    assert type(caught.value).__name__ == type(error).__name__
    assert HIDDEN in str(caught.value)
    assert "hunter2" not in str(caught.value)
    line = only_line(log)
    assert HIDDEN in json.dumps(line)
    assert "hunter2" not in json.dumps(line)
    assert line["deployment"] == REF["deployment"]


def test_an_error_without_secrets_stays_the_same(log: StringIO) -> None:
    error = VerificationFailed("service scr-api does not exist; create it with Terraform")
    with pytest.raises(VerificationFailed) as caught:
        failing(error)(REF, CONTEXT)
    assert caught.value is error


def test_the_error_behind_an_error_is_logged_without_its_secrets(log: StringIO) -> None:
    @runtime.step(DeploymentRef)
    def handler(event: DeploymentRef, context: Any) -> None:
        try:
            raise ValueError("Authorization: Bearer hunter2hunter2x")
        except ValueError as error:
            raise RuntimeError("it failed") from error

    with pytest.raises(RuntimeError):
        handler(REF, CONTEXT)
    line = only_line(log)
    assert "Authorization: Bearer [hidden]" in line["exception"]


def test_fields_of_a_log_line_are_masked_by_their_values_and_names(log: StringIO) -> None:
    runtime.logger().info("asked", extra={"url": SECRET, "headers": {"x-api-key": "abc"}, "at": object, "count": 3})
    line = only_line(log)
    assert line["url"] == HIDDEN
    assert line["headers"] == {"x-api-key": "[hidden]"}
    assert line["count"] == 3
    assert line["message"] == "asked"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"FERRYMAN_SERVICES_ON_LOOPBACK": "1"}, True),
        ({"FERRYMAN_SERVICES_ON_LOOPBACK": "0"}, False),
        ({"FERRYMAN_SERVICES_ON_LOOPBACK": "1", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, False),
    ],
)
def test_services_are_on_loopback_only_on_the_local_aws(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name in ("FERRYMAN_SERVICES_ON_LOOPBACK", "AWS_LAMBDA_RUNTIME_API"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert runtime.services_on_loopback() is expected
