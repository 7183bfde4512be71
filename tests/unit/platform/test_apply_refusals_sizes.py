"""What `apply` refuses although the parser takes it: more than the operator can keep records of."""

from typing import Any

import pytest

from ferryman.platform import apply_refusals, parse
from ferryman.records import limits
from unit.large_world import document


def refused(services: int = 1, **environment: Any) -> list[tuple[str, str]]:
    names = [f"service-{number}" for number in range(services)]
    waves = [names[at : at + 40] for at in range(0, services, 40)]
    data = document(waves, **environment)
    for channel in environment.get("notify", []):
        data["spec"]["channels"][channel] = {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"}
    return apply_refusals.problems_of(parse(data))


def test_as_many_services_as_an_environments_state_can_hold() -> None:
    assert refused(limits.MOST_SERVICES) == []
    [(path, said)] = refused(limits.MOST_SERVICES + 1)
    assert path == "spec.environments.staging.waves"
    assert said == "has 201 services, and one environment can have 200; move some of them to a platform of their own"


def test_as_many_channels_as_an_outcome_can_tell_in_one_transaction() -> None:
    channels = [f"team-{number}" for number in range(limits.MOST_CHANNELS + 1)]
    assert refused(notify=channels[1:]) == []
    [(path, said)] = refused(notify=channels)
    assert path == "spec.environments.staging.notify"
    assert "names 21 channels, and one environment can notify 20" in said


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", f"{'a' * limits.ADDRESS}@example.com"), ("arn", f"arn:aws:iam::123456789012:user/{'é' * 400}")],
)
def test_addresses_and_arns_that_nobody_has(field: str, value: str) -> None:
    approval = {"from": "ferryman@example.com", "approvers": [{"name": "Ada", "slack": "U024BE7LH", field: value}]}
    [(path, said)] = refused(approval=approval)
    assert path == f"spec.environments.staging.approval.approvers.0.{field}"
    assert "bytes, and at most" in said
