"""Corrections of the emulator's CloudFormation: parameters that stand for SSM parameters.

Source: the API reference of CloudFormation, data type Parameter.
"""

from typing import Any
from xml.sax.saxutils import escape

from ferryman_local.patches.private_attributes import module


def apply() -> None:
    """Put the correction of this file in place."""
    handlers = module("services.cloudformation.handlers")._ACTION_HANDLERS
    handlers["DescribeStacks"] = describe_stacks(handlers["DescribeStacks"])


def describe_stacks(original: Any) -> Any:
    """Of a parameter that stands for an SSM parameter, ParameterValue is its name, and ResolvedValue what it held.

    The emulator answers with what it held as ParameterValue.
    """
    stacks = module("services.cloudformation")._stacks

    def describe(params: Any) -> Any:
        status, headers, body = original(params)
        text = body.decode() if isinstance(body, bytes) else str(body)
        for stack in stacks.values():
            head, found, rest = text.partition(f"<StackId>{escape(stack['StackId'])}</StackId>")
            if found:
                text = head + found + _resolved(rest, stack.get("_resolved_params", {}))
        return status, headers, text.encode()

    return describe


def _resolved(text: str, params: Any) -> str:
    for key, value in params.items():
        if "SsmName" not in value:
            continue
        name, _, after = text.partition(f"<ParameterKey>{key}</ParameterKey><ParameterValue>")
        if after:
            held, _, after = after.partition("</ParameterValue>")
            named = f"<ParameterKey>{key}</ParameterKey><ParameterValue>{escape(value['SsmName'])}</ParameterValue>"
            text = f"{name}{named}<ResolvedValue>{held}</ResolvedValue>{after}"
    return text
