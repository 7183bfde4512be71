"""A state machine calls Lambdas with its own role, which the emulator does not ask.

Source: "Troubleshooting service integrations" and "Error handling" in the Developer Guide of Step Functions.
"""

from typing import Any

from ferryman_local.patches.control import Control
from ferryman_local.patches.permissions import note_denial
from ferryman_local.patches.private_attributes import module, replace
from ferryman_local.patches.stepfunctions_tokens import RUNNING


def apply(control: Control) -> None:
    """Put the correction in place."""
    states = module("services.stepfunctions")
    replace(states, "_call_lambda", lambda original: _call_lambda(original, states, control))


def _call_lambda(original: Any, states: Any, control: Control) -> Any:
    """A task fails with Lambda.AWSLambdaException when the machine's role may not invoke its function."""

    def call(func_ref: Any, event: Any) -> Any:
        execution, _ = RUNNING.get() or (None, None)
        _, config, _ = module("services.lambda_svc")._get_func_record_for_ref(func_ref)
        if execution and config:
            role = states._state_machines[execution["stateMachineArn"]]["roleArn"].rpartition("/")[2]
            denied = _denial(role, config["FunctionArn"], control)
            if denied:
                raise states._ExecutionError("Lambda.AWSLambdaException", denied)
        return original(func_ref, event)

    return call


def _denial(role: str, function: str, control: Control) -> str | None:
    evaluator, account = module("core.iam_evaluator"), function.split(":")[4]
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/states",
        principal_type="AssumedRole",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=function.split(":")[3],
    )
    result = evaluator.evaluate(context, evaluator._gather_role_policies(role, account))
    if result.decision == "Allow":
        return None
    note_denial(control, context.principal_arn, context.action)
    return (
        f"User: {context.principal_arn} is not authorized to perform: {context.action} on resource: {function} because "
        "no identity-based policy allows the lambda:InvokeFunction action (Service: AWSLambda; Status Code: 403; Error "
        "Code: AccessDeniedException)"
    )
