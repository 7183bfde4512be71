"""What each check of `ferryman doctor` says when what it looks at is broken: data for the flow test that breaks it.

A contract test compares the keys with the code: a new check needs a case here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A line that is not ok, and what stands in its message and in its next step."""

    line: str
    words: str
    cure: str
    code: int = 1
    """Exit code of a run in which nothing else is broken."""


PLATFORM = "PLATFORM"
"""Stands for the platform's name in a line."""

WITHOUT_ENVIRONMENT = {
    "machine.no_credentials": Case("credentials", "no AWS credentials found", "aws sso login", 3),
    "machine.region": Case("region", "no AWS region is set", "AWS_REGION", 3),
}
"""What is seen where the named variables are not set."""

WITH_ENVIRONMENT = {
    "machine.credentials": Case("credentials", "does not accept the credentials", "aws sso login", 3),
    "installation.stack": Case("stack", "no CloudFormation stack nothing in us-east-1", "AWS_REGION", 3),
    "examine.installation.OPERATOR": Case("operator", "cannot reach the operator's API", "See what", 3),
}
"""What is seen with other values."""

CLOCKS = {
    "machine.clock": Case("clock", "this machine is 600 seconds ahead of AWS", "NTP"),
    "platforms.operators_clock": Case("operator's clock", "600 seconds off AWS's", "AWS Support"),
}

ALONE = {
    "examine.where": Case(f"{PLATFORM}/staging", "DescribeServices: ThrottlingException", "ferryman verify staging"),
    "examine.channels": Case(f"channels of {PLATFORM}", "`test-channels` on ", "See the log of notify"),
}
"""What is broken for one run."""

TOGETHER = {
    "concurrency.concurrency": Case("concurrency", "ApprovalConcurrency is 0", "ApprovalConcurrency=10"),
    "installation.version": Case("version", "the operator is 0.1.0", "deploy the operator again"),
    "lists.lists": Case("lists", "/ferryman/operator/topic-arns does not exist", "terraform apply"),
    "roles.roles": Case("roles", "ECS tasks may not have", "trust policy"),
    "platforms.environment": Case(
        f"{PLATFORM}/production", "the operator may not pass the taskRoleArn", "ferryman verify production"
    ),
    "platforms.targets": Case("target groups", "no healthy target", "health checks"),
    "channels.channels": Case(f"slack chat of {PLATFORM}", "Slack answered invalid_auth", "put-secret-value"),
    "channels.channels github": Case(f"github of {PLATFORM}", "GitHub answered 401", "put-secret-value"),
    "pushes.pushes": Case("pushes", "is disabled", "aws events enable-rule"),
    "mail.mail": Case("mail", "no identity for the sender", "mail_identities"),
    "mail.mail sandbox": Case("mail", "SES is in the sandbox", "Request production access"),
    "platforms.unreconciled": Case("oldest unreconciled", f"120m in {PLATFORM}/staging", "ferryman explain staging"),
    "platforms.records": Case("records", f"the state of staging of {PLATFORM}, 8", "Split the platform"),
    "alarms.alarms": Case("alarms", "nobody has subscribed", "alarm_emails"),
    "alarms.alarms ringing": Case("alarms", "ringing now: RollbackFailedAlarm", "docs/runbook.md"),
    "installation.dead_letters": Case("dead letters", "about 1", "DeadLettersAlarm"),
}
"""What is broken in AWS, all at once."""

CASES = {**WITHOUT_ENVIRONMENT, **WITH_ENVIRONMENT, **CLOCKS, **ALONE, **TOGETHER}
