"""The table (function, AWS operation, fault): what there can be, what there was, and what is left out and why.

What a function may call is what its policy in the template allows, so that no call is missing from the table because
no history made it.
"""

from collections import Counter
from collections.abc import Iterator

from simulation.aws.calls import faults_of
from simulation.aws.machines import transitions
from simulation.sandboxes import definition, snake
from simulation.stack import functions

ENOUGH = 20
"""How often each cell is to be hit."""
Pair = tuple[str, str]
Cell = tuple[str, str, str]

CLIENTS = {"states": "stepfunctions", "ses": "sesv2"}
"""Prefixes of IAM's actions that are not the names of clients."""
OPERATIONS = {
    "dynamodb:PutItem": "transact_write_items",
    "dynamodb:ConditionCheckItem": "transact_write_items",
    "lambda:InvokeFunction": "invoke",
}
"""Actions that are not the names of operations."""
NO_CALLS = frozenset({"iam:PassRole", "ecs:TagResource"})
"""Actions that are checked beside a call, and are none."""
NOT_HERE = {
    "scheduler": "no document of the simulation has jobs",
    "events": "no document of the simulation has jobs",
    "secretsmanager": "no document of the simulation has secrets",
    "iam": "no document of the simulation asks for a role",
}
"""Services that no history calls, each with the reason."""


def allowed() -> set[Pair]:
    """Return what each function may call, as the template's policies say: (function, `service.operation`)."""
    found = set()
    for name, function in functions().items():
        for policy in function.get("Policies", []):
            for statement in policy["Statement"] if isinstance(policy, dict) else []:
                action = statement["Action"]
                actions = [action] if isinstance(action, str) else action
                found |= {(snake(name), _operation(one)) for one in actions if one not in NO_CALLS}
    return found


def _operation(action: str) -> str:
    service, _, name = action.partition(":")
    return f"{CLIENTS.get(service, service)}.{OPERATIONS.get(action) or snake(name)}"


def faults(operation: str) -> tuple[str, ...]:
    """Return how a call can fail: `dynamodb.get_item` → `slow`, …"""
    service, _, name = operation.partition(".")
    return tuple(dict.fromkeys(faults_of(service, name)[1:]))


NO_FUNCTION = {
    "slack_actions": "Slack's buttons are tested in tests/unit and tests/flow; people decide with the API here",
}
"""Functions that are not invoked here, each with the reason."""
_NO_PARTS = "a deployment's parts are read only where its plan has items of its own, and plans are small here"
_NO_REFERENCES = "no environment of the simulation has references to parameters"
_NO_LOGS = "no container of the simulation has a log group"
_IN_TRANSACTIONS = "it deletes in transactions only, which are counted as such"
NO_CALL: dict[Pair, str] = {
    **{
        (name, "dynamodb.query"): _NO_PARTS
        for name in (
            *("admit_deployment", "promote_images", "publish_release", "request_approval", "smoke_test"),
            "update_service",
        )
    },
    **{
        (name, "ssm.get_parameter"): _NO_REFERENCES
        for name in ("begin_deployment", "publish_release", "reconcile", "request_approval")
    },
    **{(name, "logs.get_log_events"): _NO_LOGS for name in ("relay_change", "watch_migration", "watch_rollout")},
    **{(name, "dynamodb.delete_item"): _IN_TRANSACTIONS for name in ("reconcile", "serve_api")},
    ("reconcile", "ecr.describe_repositories"): "no document of the simulation waits for approval",
    ("serve_api", "ecr.describe_image_scan_findings"): "nobody asks about a scan here",
}
"""Calls that a policy allows and no history makes, each with the reason. One that is made is no longer impossible."""


def impossible(pair: Pair, called: bool) -> str:
    """Return why a call cannot be met here; empty when it can."""
    function, operation = pair
    service = operation.partition(".")[0]
    if called:
        return ""
    if function in NO_FUNCTION:
        return NO_FUNCTION[function]
    return NOT_HERE.get(service, "") or NO_CALL.get(pair, "")


def rare(calls: Counter[Pair], hits: Counter[Cell]) -> dict[str, tuple[str, ...]]:
    """Return which faults of which calls came up too seldom: `function service.operation` → faults."""
    found = {}
    for function, operation in sorted(calls):
        seldom = tuple(fault for fault in faults(operation) if hits[function, operation, fault] < ENOUGH)
        if seldom:
            found[f"{function} {operation}"] = seldom
    return found


def lines(calls: Counter[Pair], cells: Counter[Cell]) -> Iterator[str]:
    """Yield the table: how often, function, operation, fault; then what is impossible; then what is missing."""
    missing, reasons = [], Counter[str]()
    for pair in sorted(allowed() | set(calls)):
        reason = impossible(pair, calls[pair] > 0)
        if reason:
            reasons[reason] += 1
            yield f"     -  {' '.join(pair)}: {reason}"
            continue
        for fault in faults(pair[1]):
            times = cells[*pair, fault]
            missing += [(*pair, fault)] if times < ENOUGH else []
            yield f"{times:6d}  {' '.join(pair)} {fault}"
    yield f"cells below {ENOUGH}: {len(missing)}; calls that are impossible here: {sum(reasons.values())}"


def machine_lines(taken: Counter[Cell]) -> Iterator[str]:
    """Yield each transition of the machines with how often it was taken."""
    never = 0
    for name in ("deploy", "migrate"):
        for start, end in sorted(transitions(definition(name))):
            never += taken[name, start, end] == 0
            yield f"{taken[name, start, end]:6d}  {name}: {start} → {end}"
    yield f"transitions never taken: {never}"
