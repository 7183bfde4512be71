"""Reading AWS with the caller's credentials: a refusal is an answer that names the missing permission."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.session import Session
from botocore.stub import Stubber

from ferryman_cli.doctor.checks import Blind
from ferryman_cli.doctor.eyes import Eyes


@pytest.fixture
def eyes(monkeypatch: pytest.MonkeyPatch) -> Eyes:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    return Eyes(Session(), "eu-west-1")


def refused(eyes: Eyes, service: str, operation: str, code: str, **look: Any) -> Any:
    with Stubber(eyes._client(service)) as stub:
        stub.add_client_error(operation, code, "told", expected_params=None)
        return eyes.look(service, operation, **look)


@pytest.mark.parametrize(
    ("service", "operation", "code", "needs"),
    [
        ("lambda", "get_account_settings", "AccessDeniedException", "lambda:GetAccountSettings"),
        ("sesv2", "get_account", "AccessDeniedException", "ses:GetAccount"),
        ("elbv2", "describe_target_groups", "AccessDenied", "elasticloadbalancing:DescribeTargetGroups"),
        ("sns", "list_topics", "AuthorizationError", "sns:ListTopics"),
    ],
)
def test_a_refusal_names_the_permission(eyes: Eyes, service: str, operation: str, code: str, needs: str) -> None:
    assert refused(eyes, service, operation, code) == Blind(needs=needs)


def test_what_does_not_exist_is_no_error_and_all_else_is_told(eyes: Eyes) -> None:
    assert refused(eyes, "sns", "list_topics", "NotFound", missing=["NotFound"]) is None
    assert refused(eyes, "sns", "list_topics", "Throttling") == Blind(why="Throttling: told")


def test_the_clock_of_aws_is_noted(eyes: Eyes) -> None:
    now = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
    eyes._note_clock({"ResponseMetadata": {"HTTPHeaders": {"date": now}}})
    assert eyes.ahead is not None
    assert 595 < eyes.ahead < 605
    eyes._note_clock({"ResponseMetadata": {"HTTPHeaders": {}}})
    assert eyes.ahead > 595
