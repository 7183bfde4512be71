"""Values behind the references in gates, between the last apply and a deployment."""

import pytest

from ferryman.clients.ssm import References, values_of
from ferryman.decisions.document_changes.references import hashes
from ferryman.errors import VerificationFailed
from ferryman.platform import Platform
from ferryman.steps.gate_values import refuse_moved
from unit.approving import PARAMETERS, document
from unit.fakes.secrets import FakeParameters

CLUSTER = "/ferryman/scr/cluster"
KNOWN = {**PARAMETERS, CLUSTER: "scr"}


def reading(**changes: str | None) -> References:
    values = {
        **KNOWN,
        **{CLUSTER if name == "cluster" else f"/ferryman/scr/{name}": it for name, it in changes.items()},
    }
    return References(FakeParameters({name: value for name, value in values.items() if value is not None}))


@pytest.fixture
def applied() -> tuple[Platform, dict[str, str]]:
    made = document(cluster=f"ssm:{CLUSTER}")
    return made, hashes(made, lambda named: values_of(reading(), named))


def test_values_as_they_were_applied_are_no_obstacle(applied: tuple[Platform, dict[str, str]]) -> None:
    refuse_moved(*applied, "production", reading())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"cluster": "mine"}, id="cluster"),
        pytest.param({"ada-mail": "mallory@x.example"}, id="address"),
        pytest.param({"ada-arn": "arn:aws:iam::123456789012:user/mallory"}, id="identity"),
        pytest.param({"cluster": None}, id="gone"),
    ],
)
def test_another_value_is_refused_with_what_to_do(
    applied: tuple[Platform, dict[str, str]], changes: dict[str, str | None]
) -> None:
    with pytest.raises(VerificationFailed) as error:
        refuse_moved(*applied, "production", reading(**changes))
    assert f"ssm:{CLUSTER}" in str(error.value)
    assert "the gates of production depend on it: restore it, or `apply` the document again" in str(error.value)


def test_a_document_that_an_earlier_version_applied_goes_on(applied: tuple[Platform, dict[str, str]]) -> None:
    refuse_moved(applied[0], {}, "production", reading(cluster="mine"))


def test_an_environment_that_asks_nobody_has_no_hash() -> None:
    made = document(approval=None, cluster=f"ssm:{CLUSTER}")
    asks = {name for name, environment in made.spec.environments.items() if environment.approval is not None}
    found = hashes(made, lambda named: dict.fromkeys(named, "1"))
    assert {key.partition("/")[0] for key in found} <= asks
