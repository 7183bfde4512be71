"""What the public functions reserve, and whether the account has room for it."""

from typing import Any

import pytest

from ferryman_cli.doctor.checks import Blind
from ferryman_cli.doctor.concurrency import concurrency


def settings(limit: int, unreserved: int | None = None) -> dict[str, Any]:
    left = limit if unreserved is None else unreserved
    return {"AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": left}}


@pytest.mark.parametrize("limit", [10, 50, 100, 114])
def test_before_the_stack_an_account_without_room_gets_a_proposal_that_deploys(limit: int) -> None:
    check = concurrency(settings(limit), None)
    assert (check.verdict, f"limit is {limit}" in check.message) == ("warning", True)
    assert "--parameter-overrides ApprovalConcurrency=0 SlackConcurrency=0" in check.next_step
    assert "aws service-quotas request-service-quota-increase" in check.next_step


@pytest.mark.parametrize(("limit", "unreserved"), [(115, 115), (1000, 1000), (1000, 115)])
def test_before_the_stack_an_account_with_room_is_fine(limit: int, unreserved: int) -> None:
    assert concurrency(settings(limit, unreserved), None).verdict == "ok"


def test_before_the_stack_what_others_reserve_counts() -> None:
    assert concurrency(settings(1000, 114), None).verdict == "warning"


def test_nothing_reserved_is_a_problem_and_aws_has_to_be_asked_first() -> None:
    check = concurrency(settings(10), {"ApprovalConcurrency": "0", "SlackConcurrency": "0"})
    assert (check.verdict, "all 10 executions of the account" in check.message) == ("problem", True)
    assert check.next_step.startswith("Ask AWS for more: `aws service-quotas")
    assert check.next_step.endswith(
        "then deploy with `--parameter-overrides ApprovalConcurrency=10 SlackConcurrency=5`"
    )


def test_nothing_reserved_in_an_account_with_room_needs_a_deploy_only() -> None:
    check = concurrency(settings(1000), {"ApprovalConcurrency": "10", "SlackConcurrency": "0"})
    assert (check.verdict, check.message.startswith("SlackConcurrency is 0")) == ("problem", True)
    assert check.next_step == "Deploy with `--parameter-overrides ApprovalConcurrency=10 SlackConcurrency=5`"


def test_reserved_is_fine() -> None:
    check = concurrency(settings(1000, 985), {"ApprovalConcurrency": "10", "SlackConcurrency": "5"})
    assert (check.verdict, "ApprovalConcurrency 10, SlackConcurrency 5" in check.message) == ("ok", True)


def test_who_may_not_read_the_limit_is_told_what_is_missing() -> None:
    assert concurrency(Blind("lambda:GetAccountSettings"), None).message.endswith("needs lambda:GetAccountSettings")


def test_sweeps_leave_most_of_the_account_to_deployments() -> None:
    reserved = {"ApprovalConcurrency": "10", "SlackConcurrency": "5"}

    assert concurrency(settings(10), {**reserved, "SweepConcurrency": "2"}).verdict == "ok"
    assert concurrency(settings(1000), {**reserved, "SweepConcurrency": "200"}).verdict == "ok"
    check = concurrency(settings(10), {**reserved, "SweepConcurrency": "3"})
    assert (check.verdict, "3 of the account's 10" in check.message) == ("problem", True)
    assert check.next_step is not None
    assert check.next_step.startswith("Deploy with `--parameter-overrides SweepConcurrency=2`, or ask AWS")
