"""`ssm:` references, resolved once, and refused in words."""

from typing import Any

import boto3
import pytest

from ferryman.clients.ssm import References
from ferryman.errors import ReferenceUnresolved


@pytest.fixture
def ssm(aws: None) -> Any:
    client = boto3.client("ssm", region_name="eu-west-1")
    client.put_parameter(Name="/ferryman/scr/url", Value="https://api.example", Type="String")
    client.put_parameter(Name="/ferryman/scr/subnets", Value="subnet-1, subnet-2", Type="StringList")
    client.put_parameter(Name="/ferryman/scr/secret", Value="hunter2", Type="SecureString")
    return client


def test_plain_values_stay(ssm: Any) -> None:
    assert References(ssm).text("https://x.example") == "https://x.example"
    assert References(ssm).texts(["a", "ssm:/ferryman/scr/url"]) == ["a", "https://api.example"]


def test_a_list_is_one_parameter(ssm: Any) -> None:
    assert References(ssm).texts("ssm:/ferryman/scr/subnets") == ["subnet-1", "subnet-2"]


def test_each_parameter_is_read_once(ssm: Any) -> None:
    references = References(ssm)
    assert references.text("ssm:/ferryman/scr/url") == "https://api.example"
    ssm.delete_parameter(Name="/ferryman/scr/url")
    assert references.text("ssm:/ferryman/scr/url") == "https://api.example"


def test_a_missing_one_is_named(ssm: Any) -> None:
    with pytest.raises(ReferenceUnresolved, match="/ferryman/scr/none does not exist"):
        References(ssm).text("ssm:/ferryman/scr/none")


def test_a_missing_list_is_to_be_a_list(ssm: Any) -> None:
    with pytest.raises(
        ReferenceUnresolved, match="does not exist; Terraform writes it, or create it as type StringList"
    ):
        References(ssm).texts("ssm:/ferryman/scr/none")


@pytest.mark.parametrize("value", ['["subnet-1", "subnet-2"]', "[subnet-1, subnet-2]", "'subnet-1','subnet-2'"])
def test_a_list_in_another_notation_is_not_a_list(ssm: Any, value: str) -> None:
    ssm.put_parameter(Name="/ferryman/scr/json", Value=value, Type="String")
    with pytest.raises(ReferenceUnresolved, match="without brackets and quotes: subnet-1,subnet-2"):
        References(ssm).texts("ssm:/ferryman/scr/json")


def test_a_secret_is_refused_and_not_shown(ssm: Any) -> None:
    with pytest.raises(ReferenceUnresolved, match="SecureString") as raised:
        References(ssm).text("ssm:/ferryman/scr/secret")
    assert "hunter2" not in str(raised.value)
