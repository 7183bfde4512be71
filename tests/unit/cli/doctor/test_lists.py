"""The SSM parameters that limit the operator: there, of this account and region, and deployed."""

from typing import Any

import pytest

from ferryman_cli.doctor import lists
from ferryman_cli.doctor.checks import Blind, Check

REGION, ACCOUNT = "eu-west-1", "123456789012"
ENTRIES = {
    "ClusterArns": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/scr-staging",
    "PassRoleArns": f"arn:aws:iam::{ACCOUNT}:role/scr-task,arn:aws:iam::{ACCOUNT}:role/ferryman/scr/staging/*",
    "RepositoryArns": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/scr-api",
    "MigrationTaskDefinitionArns": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/scr-migrate:*",
    "JobArns": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/ferryman-none/none",
    "JobRoleArns": f"arn:aws:iam::{ACCOUNT}:role/ferryman-none",
    "LogGroupArns": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/scr-api:*",
    "TopicArns": f"arn:aws:sns:{REGION}:{ACCOUNT}:scr-team",
    "MailIdentityArns": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com",
    "WebhookSecretArns": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ferryman/scr/slack-webhook-AbCdEf",
    "BotTokenSecretArns": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ferryman/scr/slack-bot-token-none",
    "SigningSecretArns": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ferryman/scr/slack-signing-secret-none",
    "GitHubSecretArns": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ferryman/scr/github-AbCdEf",
    "AlarmTopicParameter": f"arn:aws:sns:{REGION}:{ACCOUNT}:ferryman-operator-alarms",
}


def judged(changes: dict[str, Any] | None = None, *, deployed: dict[str, str] | None = None) -> list[Check]:
    """Judge the parameters after changes: a value, a whole item, or None for one that is not there."""
    items = []
    for name, value in {**ENTRIES, **(changes or {})}.items():
        wanted = lists.PARAMETERS[name]
        item = {"Name": wanted.name, "Type": "String" if wanted.single else "StringList", "Value": value}
        if isinstance(value, dict):
            item |= {"Value": ENTRIES[name]} | value
        if value is not None:
            items.append(item)
    halves = [{"Parameters": items[:7]}, {"Parameters": items[7:]}]
    return lists.lists(halves, lists.names(None), region=REGION, account=ACCOUNT, deployed=deployed or {})


def test_all_is_well() -> None:
    assert [check.verdict for check in judged()] == ["ok"]
    assert [check.verdict for check in judged({"AlarmTopicParameter": "none"})] == ["ok"]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_a_missing_parameter_is_named_with_its_region(name: str) -> None:
    (check,) = judged({name: None})
    assert check.verdict == "problem"
    assert f"{lists.PARAMETERS[name].name} does not exist in {REGION}" in check.message
    assert "terraform apply" in check.next_step


def test_before_the_first_apply_all_of_them_are_one_line() -> None:
    (check,) = judged(dict.fromkeys(ENTRIES))
    assert check.message.startswith(f"14 SSM parameters do not exist in {REGION}: /ferryman/operator/cluster-arns, ")
    assert check.next_step.startswith("`terraform apply` in terraform/shared writes them")


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_of_another_account_is_named(name: str) -> None:
    foreign = ENTRIES[name].replace(ACCOUNT, "999999999999").replace("none", "one")
    checks = judged({name: foreign})
    assert {check.verdict for check in checks} == {"problem"}
    assert foreign.split(",")[0] in checks[0].message
    assert "entries look like arn:aws" in checks[0].next_step


@pytest.mark.parametrize(
    ("changes", "words", "cure"),
    [
        ({"ClusterArns": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/x"}, "not of this account and region", "Correct it"),
        ({"PassRoleArns": "*"}, "pass-role-arns has *, which is everything", "List what"),
        ({"PassRoleArns": f"arn:aws:iam::{ACCOUNT}:role/*"}, "which is everything", "List what"),
        ({"TopicArns": f"{ENTRIES['TopicArns']}, {ENTRIES['TopicArns']}"}, "empty entry or spaces", "without spaces"),
        ({"TopicArns": f"{ENTRIES['TopicArns']},"}, "empty entry or spaces", "for none, one that does not exist"),
        ({"ClusterArns": {"Type": "String"}}, "cluster-arns is a String", "Write it as StringList"),
    ],
)
def test_what_makes_no_sense_is_a_problem(changes: dict[str, Any], words: str, cure: str) -> None:
    (check,) = judged(changes)
    assert (check.verdict, words in check.message, cure in check.next_step) == ("problem", True, True), check


def test_a_list_that_changed_after_the_deployment_has_no_effect_yet() -> None:
    (check,) = judged(deployed={**ENTRIES, "ClusterArns": "arn:aws:ecs:eu-west-1:123456789012:cluster/old"})
    assert (check.verdict, "cluster-arns has changed" in check.message) == ("warning", True)
    assert check.next_step.startswith("Deploy the stack again")


def test_who_may_not_read_them_is_told_what_is_missing() -> None:
    (check,) = lists.lists([Blind("ssm:GetParameters")], lists.names(None), region=REGION, account=ACCOUNT, deployed={})
    assert (check.verdict, check.message) == ("can't look", "can't look, needs ssm:GetParameters")


def test_a_stack_has_names_of_its_own() -> None:
    assert lists.names({"ClusterArns": "/mine/clusters", "LogLevel": "INFO"}) == {"ClusterArns": "/mine/clusters"}
