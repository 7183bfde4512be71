"""The stack, the versions of command and operator, and dead letters."""

import pytest

from ferryman_cli.doctor import installation
from ferryman_cli.doctor.checks import Blind, Check, Seen


def stack(status: str | None, *, preflight: bool = False, reason: str = "") -> Check:
    seen: Seen = {"Stacks": [{"StackStatus": status, "StackStatusReason": reason}]} if status else None
    return installation.stack("ferryman", "eu-west-1", seen, preflight=preflight)


def letters(number: int) -> Check:
    return installation.dead_letters({"Attributes": {"ApproximateNumberOfMessages": str(number)}})


@pytest.mark.parametrize(
    ("check", "status", "words", "cure"),
    [
        (stack("CREATE_COMPLETE"), "ok", "CREATE_COMPLETE", ""),
        (stack("UPDATE_COMPLETE"), "ok", "UPDATE_COMPLETE", ""),
        (stack(None), "problem", "no CloudFormation stack ferryman in eu-west-1", "FERRYMAN_STACK"),
        (stack(None, preflight=True), "ok", "in eu-west-1 yet", ""),
        (stack("ROLLBACK_COMPLETE", reason="DecideApproval"), "problem", "DecideApproval", "sam delete"),
        (stack("UPDATE_ROLLBACK_COMPLETE"), "warning", "the last update", "The version before it runs"),
        (stack("UPDATE_ROLLBACK_FAILED"), "problem", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        (stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), "warning", "IN_PROGRESS", "Wait"),
        (installation.version("0.1.0", "0.1.0"), "ok", "0.1.0", ""),
        (installation.version("0.2.0", "0.1.0"), "problem", "the operator is 0.1.0", "deploy the operator again"),
        (installation.version("0.1.0", None), "problem", "is older", "Deploy the operator"),
        (letters(0), "ok", "none", ""),
        (letters(2), "problem", "about 2", "DeadLettersAlarm"),
        (installation.dead_letters(None), "problem", "does not exist", "Deploy the stack again"),
        (installation.dead_letters(Blind("sqs:GetQueueAttributes")), "can't look", "needs sqs:GetQueueA", "permission"),
    ],
)
def test_each_is_judged_with_its_cure(check: Check, status: str, words: str, cure: str) -> None:
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check
    assert bool(check.next_step) == (status != "ok")


def test_a_stack_that_may_not_be_read_is_not_called_broken() -> None:
    check = installation.stack("ferryman", "eu-west-1", Blind("cloudformation:DescribeStacks"), preflight=False)
    assert (check.verdict, check.message) == ("can't look", "can't look, needs cloudformation:DescribeStacks")
