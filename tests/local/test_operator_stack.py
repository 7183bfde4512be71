"""The real `sam build` and `sam deploy` against the local AWS, with a template as small as can be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ferryman_local import operator_stack
from ferryman_local.emulator import Emulator

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


def test_a_template_that_cannot_be_built_is_told(template: Path) -> None:
    (template / "template.yaml").write_text(TEMPLATE.replace("python3.13", "python9.9"))
    with pytest.raises(operator_stack.OperatorError, match=r"python9\.9"):
        operator_stack.build_operator(template)
