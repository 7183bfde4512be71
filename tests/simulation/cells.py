"""The table (function, AWS operation, fault): what there can be, what there was, and what is left out and why.

What a function may call is what its policy in the template allows, so that no call is missing from the table because
no history made it.
"""

from collections import Counter
from collections.abc import Iterator

from simulation.aws.calls import faults_of
from simulation.aws.machines import caught, transitions
from simulation.choices import Rare
from simulation.sandboxes import definition, snake
from simulation.stack import functions

RARELY = 0.2
"""How likely a call fails, each time, in a way that was too seldom."""
SELDOM = 0.1
"""How likely a function cannot be invoked for some minutes, where its machine has hardly ever gone on after that."""
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
BATCHES_TO = "Looks.Arn"
"""The queue that is only sent batches; IAM has no action of its own for them."""
NO_CALLS = frozenset({"iam:PassRole", "ecs:TagResource"})
"""Actions that are checked beside a call, and are none."""
NOT_HERE = {
    "scheduler": "no document of the simulation has jobs",
    "events": "no document of the simulation has jobs",
    "inspector2": "ECR's basic scanning is on here, not Inspector",
    "elasticloadbalancing": "no service of the simulation has a load balancer",
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
                batches = statement.get("Resource") == BATCHES_TO
                found |= {(snake(name), _operation(one, batches=batches)) for one in actions if one not in NO_CALLS}
    return found


def _operation(action: str, *, batches: bool) -> str:
    if batches:
        return "sqs.send_message_batch"
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
_NO_TAGS = "tasks tell what runs where a task definition names a tag, and here they name digests"
_NO_INSTANCES = "all tasks run on Fargate here"
_IN_TRANSACTIONS = "it deletes in transactions only, which are counted as such"
NO_CALL: dict[Pair, str] = {
    **{
        (name, "dynamodb.query"): _NO_PARTS
        for name in (
            *("admit_deployment", "promote_images", "publish_release", "request_approval", "smoke_test"),
            "decide_approval",
        )
    },
    **{(name, "ssm.get_parameter"): _NO_REFERENCES for name in ("publish_release", "decide_approval")},
    **{(name, f"ecs.{call}_tasks"): _NO_TAGS for name in ("reconcile", "serve_api") for call in ("list", "describe")},
    **{(name, "ecs.describe_container_instances"): _NO_INSTANCES for name in ("relay_change", "watch_rollout")},
    **{(name, "logs.get_log_events"): _NO_LOGS for name in ("relay_change", "watch_migration", "watch_rollout")},
    **{(name, "dynamodb.delete_item"): _IN_TRANSACTIONS for name in ("reconcile", "serve_api")},
    ("reconcile", "ecr.describe_repositories"): "no document that waits for approval adds an environment",
    ("admit_deployment", "ecr.batch_get_image"): "images have one architecture here",
    ("decide_approval", "lambda.invoke"): "Slack sends nothing to the approval pages here",
    ("decide_approval", "secretsmanager.get_secret_value"): "the approval pages have no domain of their own here",
}
"""Calls that a policy allows and no history makes, each with the reason. `wrong` tells of one that is made."""


def impossible(pair: Pair) -> str:
    """Return why a call cannot be met here; empty when it can."""
    function, operation = pair
    service = operation.partition(".")[0]
    return NO_FUNCTION.get(function, "") or NOT_HERE.get(service, "") or NO_CALL.get(pair, "")


def wrong(calls: Counter[Pair]) -> list[str]:
    """Return the calls that were made although they are named impossible, or although no policy allows them."""
    found = [f"{' '.join(pair)} is named impossible, and was called" for pair in sorted(calls) if impossible(pair)]
    known = allowed()
    return found + [
        f"{' '.join(pair)} was called, and no policy allows it"
        for pair in sorted(calls)
        if pair not in known and not pair[1].startswith("http.")
    ]


class Met:
    """What many histories met, and what they met too seldom."""

    def __init__(self) -> None:
        self.calls: Counter[Pair] = Counter()
        self.cells: Counter[Cell] = Counter()
        self.transitions: Counter[Cell] = Counter()
        self._calls_of: dict[str, Counter[Pair]] = {}
        """Variant → its calls."""
        self._states_of: dict[str, Counter[Pair]] = {}
        """Variant → how often it was in each state: (machine, state)."""

    def add(self, variant: str, calls: Counter[Pair], hits: Counter[Cell], taken: Counter[Cell]) -> None:
        """Count a history."""
        self.calls.update(calls)
        self.cells.update(hits)
        self.transitions.update(taken)
        self._calls_of.setdefault(variant, Counter()).update(calls)
        states = self._states_of.setdefault(variant, Counter())
        for (machine, state, _), times in taken.items():
            states[machine, state] += times

    def rare(self) -> Rare:
        """Return what to aim at: faults of calls, functions that fail for long, and the variants for it."""
        found: dict[str, tuple[float, tuple[str, ...]]] = {}
        variants = []
        for pair in sorted(self.calls):
            seldom = tuple(fault for fault in faults(pair[1]) if self.cells[*pair, fault] < ENOUGH)
            if seldom:
                found[" ".join(pair)] = (RARELY, seldom)
                variants.append(_most(self._calls_of, pair))
        for name in ("deploy", "migrate"):
            for state, following in sorted(transitions(definition(name))):
                if self.transitions[name, state, following] < ENOUGH:
                    variants.append(_most(self._states_of, (name, state)))
            for state, function, following in caught(definition(name)):
                if self.transitions[name, state, following] < ENOUGH:
                    found[f"step {function}"] = (SELDOM, ("broken",))
        return found | ({"variant": (0.6, tuple(variants))} if variants else {})


def _most(of: dict[str, Counter[Pair]], what: Pair) -> str:
    """Return the variant that has most of something."""
    return max(sorted(of), key=lambda variant: of[variant][what])


def lines(calls: Counter[Pair], cells: Counter[Cell]) -> Iterator[str]:
    """Yield the table: how often, function, operation, fault; then what is impossible; then what is missing."""
    missing, never, reasons = [], list[Pair](), Counter[str]()
    for pair in sorted(allowed() | set(calls)):
        reason = impossible(pair)
        if reason:
            reasons[reason] += 1
            yield f"     -  {' '.join(pair)}: {reason}"
            continue
        if not calls[pair]:
            never.append(pair)
            yield f"  never  {' '.join(pair)}: no history made this call"
        for fault in faults(pair[1]):
            times = cells[*pair, fault]
            missing += [(*pair, fault)] if times < ENOUGH else []
            yield f"{times:6d}  {' '.join(pair)} {fault}"
    yield f"calls never made: {len(never)}; that are impossible here: {sum(reasons.values())}"
    yield f"cells below {ENOUGH}: {len(missing)}"


def machine_lines(taken: Counter[Cell]) -> Iterator[str]:
    """Yield each transition of the machines with how often it was taken."""
    never = 0
    for name in ("deploy", "migrate"):
        for start, end in sorted(transitions(definition(name))):
            never += taken[name, start, end] == 0
            yield f"{taken[name, start, end]:6d}  {name}: {start} → {end}"
    yield f"transitions never taken: {never}"
