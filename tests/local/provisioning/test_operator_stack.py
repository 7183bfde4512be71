"""The real `sam build` and `sam deploy` against the local AWS, with a template as small as can be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samcli.cli.types import CfnParameterOverridesType

from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import operator_stack

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Architecture:
    Type: String
    Default: arm64
  Greeting:
    Type: String
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Architectures: [!Ref Architecture]
      Handler: app.handler
      CodeUri: functions/greet
      Environment:
        Variables: {GREETING: !Ref Greeting}
Outputs:
  Function:
    Value: !Ref Greet
"""
SOURCE = "import os\ndef handler(event, context): return os.environ['GREETING']\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "functions" / "greet").mkdir(parents=True)
    (tmp_path / "functions" / "greet" / "app.py").write_text(SOURCE)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path


def test_deploy_change_and_deploy_again(emulator: Emulator, invoke: Callable[..., Any], template: Path) -> None:
    lines: list[str] = []

    def deploy(greeting: str) -> Any:
        outputs = operator_stack.deploy_operator(
            emulator, template, {"Greeting": greeting}, stack="greet", report=lines.append
        )
        return invoke(outputs["Function"])

    assert deploy("hello") == "hello"
    assert any(line.startswith("built in") for line in lines)
    lines.clear()
    assert deploy("goodbye") == "goodbye"
    assert not any(line.startswith("built in") for line in lines), "nothing changed: not built again"
    (template / "functions" / "greet" / "app.py").write_text(SOURCE.replace("return", "return 2 *"))
    assert deploy("ha") == "haha"


NASTY = [
    "rate(1 minute)",
    "",
    " ",
    " spaces around ",
    "a, b,c",
    "a=b c=d",
    'say "hello"',
    '"',
    "it's",
    "'quoted'",
    '"quoted"',
    "ParameterKey=Other,ParameterValue=else",
    "Other=else",
    "two\nlines",
    "C:\\folder",
    "$HOME `date` *",
    "--stack-name",
    "file://parameters.yaml",
    "Fähre",
]


@pytest.mark.parametrize("value", NASTY)
def test_a_parameter_arrives_as_it_was_given(value: str) -> None:
    arrives({"Greeting": value, "SweepRate": "rate(1 day)"})


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.from_regex(r"\A[A-Za-z0-9]+\Z"), st.text(), max_size=3))
def test_any_parameter_arrives_as_it_was_given_or_is_refused(parameters: dict[str, str]) -> None:
    try:
        arrives(parameters)
    except operator_stack.OperatorError:
        assert any("\\" in value for value in parameters.values())


def arrives(parameters: dict[str, str]) -> None:
    """Assert that `sam` reads the parameters from its arguments."""
    option = operator_stack.parameter_overrides(parameters)
    assert CfnParameterOverridesType().convert(tuple(option[1:]), None, None) == parameters


@pytest.mark.parametrize("value", ["ends with \\", 'a \\" quote', "a \\' quote", "a \\ space"])
def test_a_parameter_that_sam_would_change_is_refused(value: str) -> None:
    with pytest.raises(operator_stack.OperatorError, match="the parameter Greeting"):
        operator_stack.parameter_overrides({"Greeting": value})


def test_a_deployed_parameter_is_whole(emulator: Emulator, invoke: Callable[..., Any], template: Path) -> None:
    value = """ rate(1 minute), it's "a" = b"""
    outputs = operator_stack.deploy_operator(emulator, template, {"Greeting": value}, stack="whole")
    assert invoke(outputs["Function"]) == value
