"""The operator's stack, its version, and the queue of what it could not process. Pure."""

from ferryman_cli.doctor.checks import Answer, Blind, Check, Seen, blind, ok, problem, warning

STACK, VERSION, OPERATOR, DEAD_LETTERS = "stack", "version", "operator", "dead letters"
_DELETE_FIRST = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
"""Statuses of a stack that was never created in full: CloudFormation only lets it be deleted."""


def stack_of(seen: Seen) -> Answer | None:
    """Return the stack of an answer of DescribeStacks."""
    return seen["Stacks"][0] if seen is not None and not isinstance(seen, Blind) else None


def parameters_of(stack: Answer | None) -> dict[str, str]:
    """Return the values of a stack's parameters, by name."""
    return {item["ParameterKey"]: str(item["ParameterValue"]) for item in (stack or {}).get("Parameters", [])}


def outputs_of(stack: Answer | None) -> dict[str, str]:
    """Return the outputs of a stack, by name."""
    return {item["OutputKey"]: str(item["OutputValue"]) for item in (stack or {}).get("Outputs", [])}


def stack(name: str, region: str, seen: Seen, *, preflight: bool) -> Check:
    """Judge the answer of DescribeStacks; a denied or failed look is no problem of the stack."""
    if isinstance(seen, Blind):
        return blind(STACK, seen)
    if seen is None:
        told = f"there is no CloudFormation stack {name} in {region}"
        if preflight:
            return ok(STACK, f"{told} yet")
        return problem(
            STACK, told, "Install the operator (README), or set FERRYMAN_STACK and AWS_REGION to those of its stack"
        )
    status = str(seen["Stacks"][0]["StackStatus"])
    if status in _DELETE_FIRST:
        reason = seen["Stacks"][0].get("StackStatusReason", "")
        step = f"Delete it (`sam delete --stack-name {name}`) and deploy again; its events name what failed first"
        return problem(STACK, f"{name} is {status}{f': {reason}' if reason else ''}", step)
    if status.endswith("_IN_PROGRESS"):
        return warning(STACK, f"{name} is {status}", "Wait until it is done, then look again")
    if status.endswith("ROLLBACK_COMPLETE"):
        step = "The version before it runs. Find the cause in the stack's events, then deploy again"
        return warning(STACK, f"the last update of {name} failed ({status})", step)
    if not status.endswith("_COMPLETE"):
        step = "Find the cause in its events, then `aws cloudformation continue-update-rollback` or deploy again"
        return problem(STACK, f"{name} is {status}", step)
    return ok(STACK, f"{name} is {status}")


def version(ours: str, theirs: str | None) -> Check:
    """Compare the version of the command with the operator's; None: an operator that does not tell it yet."""
    if theirs is None:
        return problem(
            VERSION, f"the command is {ours}, the operator is older", "Deploy the operator from the command's checkout"
        )
    if ours != theirs:
        step = "Install the command from the checkout that the operator was deployed from, or deploy the operator again"
        return problem(VERSION, f"the command is {ours}, the operator is {theirs}", step)
    return ok(VERSION, f"command and operator are {ours}")


def dead_letters(seen: Seen) -> Check:
    """Judge the number of messages in the queue DeadLetters."""
    if isinstance(seen, Blind):
        return blind(DEAD_LETTERS, seen)
    waiting = int(seen["Attributes"]["ApproximateNumberOfMessages"]) if seen is not None else None
    if waiting is None:
        step = "Deploy the stack again; if the queue was deleted by hand, delete the stack first"
        return problem(DEAD_LETTERS, "the stack's queue DeadLetters does not exist", step)
    if waiting:
        step = "Read them (`aws sqs receive-message`); docs/runbook.md, DeadLettersAlarm, says what each means"
        return problem(DEAD_LETTERS, f"about {waiting} in the queue: not processed after all retries", step)
    return ok(DEAD_LETTERS, "none is waiting")
