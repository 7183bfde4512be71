"""What a platform grants, as SSM has it: remembered for a minute, and never open when it can't be read."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ferryman.access import Role
from ferryman.clients.access_parameters import AccessParameters
from ferryman.errors import Unavailable
from unit.fakes.clock import FakeClock

NAME = "/ferryman/operator/access/scr"
DEV = "arn:aws:iam::123456789012:role/Developers"
THE = f"the SSM parameter {NAME}"
VALUE = f'{{"grants": [{{"role": "viewer", "environments": ["*"], "principals": ["{DEV}"]}}]}}'


class Ssm:
    """SSM with one parameter, or one error."""

    def __init__(self) -> None:
        self.value, self.type, self.error, self.reads = VALUE, "String", None, 0
        self.error: Exception | None

    def __call__(self, service: str) -> "Ssm":
        assert service == "ssm"
        return self

    def get_parameter(self, Name: str) -> Any:  # noqa: N803 - boto3's own name
        assert Name == NAME
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {"Parameter": {"Type": self.type, "Value": self.value}}


def answers(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "?"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "GetParameter",
    )


@pytest.fixture
def ssm() -> Ssm:
    return Ssm()


@pytest.fixture
def access(ssm: Ssm, clock: FakeClock) -> AccessParameters:
    return AccessParameters(ssm, clock)  # type: ignore[arg-type]


def test_a_minute_is_the_longest_that_a_role_outlives_its_grant(
    access: AccessParameters, ssm: Ssm, clock: FakeClock
) -> None:
    assert access.of("scr").grants[0].role is Role.VIEWER
    ssm.value = '{"grants": []}'
    clock.forward(seconds=59.9)
    assert access.of("scr").grants
    assert ssm.reads == 1
    clock.forward(seconds=0.1)
    assert access.of("scr").grants == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"error": answers("ParameterNotFound")}, f"{THE} does not exist"),
        (
            {"error": answers("AccessDeniedException")},
            f"{THE} cannot be read (AccessDeniedException)",
        ),
        ({"type": "SecureString"}, f"{THE} has the type SecureString and not String"),
        ({"type": "StringList"}, f"{THE} has the type StringList and not String"),
        (
            {"value": "{}"},
            (
                f'{THE} is malformed: it is not an object with the one key "grants", a list, '
                'and perhaps "people" beside it'
            ),
        ),
    ],
)
def test_what_is_no_list_of_grants_grants_nothing_and_is_read_again_soon(
    access: AccessParameters, ssm: Ssm, clock: FakeClock, change: dict[str, Any], problem: str
) -> None:
    for name, value in change.items():
        setattr(ssm, name, value)
    found = access.of("scr")
    assert (found.grants, found.problem) == ((), problem)
    access.of("scr")
    assert ssm.reads == 1
    ssm.value, ssm.type, ssm.error = VALUE, "String", None
    clock.forward(seconds=5)
    assert access.of("scr").grants


@pytest.mark.parametrize(
    "error",
    [
        answers("ThrottlingException"),
        answers("InternalServerError", 500),
        ReadTimeoutError(endpoint_url="https://ssm.eu-west-1.amazonaws.com"),
    ],
)
def test_while_ssm_does_not_answer_nobody_is_let_in_and_nothing_is_remembered(
    access: AccessParameters, ssm: Ssm, clock: FakeClock, error: Exception
) -> None:
    access.of("scr")
    clock.forward(seconds=60)
    ssm.error = error
    with pytest.raises(Unavailable, match=r"the roles on scr cannot be read just now, so only admins .* are let in"):
        access.of("scr")
    ssm.error = None
    assert access.of("scr").grants
