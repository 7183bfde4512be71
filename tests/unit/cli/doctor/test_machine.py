"""Credentials, region and clock of the machine that the command runs on."""

import pytest

from ferryman_cli.doctor import machine
from ferryman_cli.doctor.checks import Blind, Check

ARN = "arn:aws:iam::123456789012:user/jo"


@pytest.mark.parametrize(
    ("check", "status", "words", "cure"),
    [
        (machine.credentials({"Arn": ARN, "Account": "123456789012"}), "ok", "you are arn:aws:iam", ""),
        (
            machine.credentials({"Arn": "arn:aws:iam::1:root", "Account": "1"}),
            "warning",
            "root user",
            "Use an IAM role",
        ),
        (machine.credentials(Blind(why="ExpiredToken: expired")), "problem", "ExpiredToken", "aws sso login"),
        (machine.no_credentials("no AWS credentials found"), "problem", "no AWS credentials", "aws configure"),
        (machine.region("eu-west-1", has_stack=True), "ok", "eu-west-1, like the stack", ""),
        (machine.region("eu-west-1", has_stack=False), "ok", "has to be there, too", ""),
        (machine.region(None, has_stack=False), "problem", "no AWS region", "Set AWS_REGION"),
        (machine.clock(2), "ok", "agrees", ""),
        (machine.clock(-90), "warning", "90 seconds behind AWS", "Set the clock"),
        (machine.clock(400), "problem", "400 seconds ahead of AWS", "Set the clock"),
        (machine.clock(None), "can't look", "without a date", "Try again"),
    ],
)
def test_each_is_judged_with_its_cure(check: Check, status: str, words: str, cure: str) -> None:
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check
    assert bool(check.next_step) == (status != "ok")
