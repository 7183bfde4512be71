"""Whether Identity Center made a role: only its path tells, and what may not be read was not made by it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ferryman.clients.iam import made_by_identity_center
from ferryman.errors import Throttled, Unavailable

NAME = "AWSReservedSSO_Ops_0123456789abcdef"


class Iam:
    def __init__(self, found: str | Exception) -> None:
        self.found = found

    def get_role(self, *, RoleName: str) -> Any:  # noqa: N803 - boto3's own name
        assert RoleName == NAME
        if isinstance(self.found, Exception):
            raise self.found
        return {"Role": {"RoleName": RoleName, "Path": self.found, "Arn": f"arn:aws:iam::1:role{self.found}{RoleName}"}}


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "?"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetRole")


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("/aws-reserved/sso.amazonaws.com/", True),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", True),
        ("/", False),
        ("/aws-reserved/", False),
        ("/x/aws-reserved/sso.amazonaws.com/", False),
        ("/aws-reserved/sso.amazonaws.community/", False),
    ],
)
def test_the_path_tells(path: str, made: bool) -> None:
    assert made_by_identity_center(Iam(path), NAME) is made


@pytest.mark.parametrize("code", ["NoSuchEntity", "AccessDenied"])
def test_what_is_not_there_or_not_allowed_was_not_made_by_it(code: str) -> None:
    assert made_by_identity_center(Iam(refused(code)), NAME) is False


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused("Throttling"), Throttled),
        (refused("ServiceFailure", 500), Unavailable),
        (EndpointConnectionError(endpoint_url="https://iam.amazonaws.com"), Unavailable),
        (refused("InvalidClientTokenId", 403), ClientError),
    ],
)
def test_an_answer_that_tells_nothing_is_an_error(error: Exception, told: type[Exception]) -> None:
    with pytest.raises(told):
        made_by_identity_center(Iam(error), NAME)
