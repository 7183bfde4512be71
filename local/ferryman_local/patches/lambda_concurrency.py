"""Corrections of the emulator's Lambda: reserved concurrency, the account's limit, and how many batches run at once.

Sources: the Lambda Developer Guide ("Configuring reserved concurrency": 100 units stay unreserved), the API reference
of Lambda (GetAccountSettings), and reports from new accounts, whose limit of 10 or 50 is also what stays unreserved.
"""

import json
from typing import Any

from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import module, replace

_UNRESERVED = 100


def apply(control: Control) -> None:
    """Put every correction of this file in place."""
    service = module("services.lambda_svc")
    replace(service, "_get_account_settings", lambda original: account_settings(original, control))
    replace(service, "_sqs_esm_concurrency", batches_at_once)
    create_function_with_reserved_concurrency(service, control)


def batches_at_once(original: Any) -> Any:
    """MaximumConcurrency of a queue's event source may come from a parameter of the stack, which is text.

    The emulator compares the text with a number, and polls no queue any more.
    """

    def limit(mapping: dict[str, Any], *given: Any) -> Any:
        scaling = mapping.get("ScalingConfig") or {}
        most = {name: int(value) for name, value in scaling.items()}
        return original({**mapping, "ScalingConfig": most}, *given)

    return limit


def account_settings(original: Any, control: Control) -> Any:
    """A test says what the account's limit is."""

    def settings() -> Any:
        status, headers, body = original()
        found = json.loads(body)
        limit = found["AccountLimit"]
        reserved = limit["ConcurrentExecutions"] - limit["UnreservedConcurrentExecutions"]
        limit |= {
            "ConcurrentExecutions": control.concurrency_limit,
            "UnreservedConcurrentExecutions": control.concurrency_limit - reserved,
        }
        return status, headers, json.dumps(found).encode()

    return settings


def create_function_with_reserved_concurrency(service: Any, control: Control) -> None:
    """CloudFormation sets ReservedConcurrentExecutions: Lambda refuses further requests at the same time with 429.

    What would leave the account too little is refused, and so is the function. The emulator's CloudFormation ignores
    the property.
    """
    handlers = module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        reserved = props.get("ReservedConcurrentExecutions")
        if reserved is not None:
            limit, others = control.concurrency_limit, sum(int(f.get("concurrency") or 0) for f in _functions(service))
            least = min(_UNRESERVED, limit)
            if limit - others - int(reserved) < least:
                raise ValueError(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{least}]."
                )
        answer = create(logical_id, props, stack_name)
        if reserved is not None:
            service._functions[answer[0]]["concurrency"] = int(reserved)
        return answer

    handlers["create"] = created


def _functions(service: Any) -> list[Any]:
    return [service._functions[name] for name in list(service._functions.keys())]
