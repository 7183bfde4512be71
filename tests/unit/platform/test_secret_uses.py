"""What a secret is for stands in its name, and no document uses one for something else."""

from typing import Any

import pytest

from ferryman.platform import parse, secret_uses
from ferryman.platform.hosts import Hosts
from ferryman.platform.secret_uses import Use

PREFIX = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("ferryman/scr/slack-webhook-AbCdEf", Use.WEBHOOK),
        ("ferryman/scr/slack-webhook-team-AbCdEf", Use.WEBHOOK),
        ("ferryman/scr/slack-webhook", Use.WEBHOOK),
        ("ferryman/scr/slack-AbCdEf", Use.WEBHOOK),
        ("ferryman/scr/slack-bot-token-AbCdEf", Use.BOT_TOKEN),
        ("ferryman/scr/slack-signing-secret-AbCdEf", Use.SIGNING),
        ("ferryman/scr/github-AbCdEf", Use.GITHUB),
        ("ferryman/scr/github-token-AbCdEf", Use.GITHUB),
    ],
)
def test_each_secret_has_one_use(name: str, use: Use) -> None:
    for arn in (PREFIX + name, PREFIX.replace(":aws:", ":aws-us-gov:") + name):
        assert [one for one in Use if secret_uses.problem(arn, "scr", one) is None] == [use]
        assert secret_uses.problem(arn, "sc", use) is not None
        assert secret_uses.problem(arn, "scr2", use) is not None


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "ferryman/scr/github",
        PREFIX,
        PREFIX + "github-AbCdEf",
        PREFIX + "ferryman/scr/githubx-AbCdEf",
        PREFIX + "ferryman/scr/github/x-AbCdEf",
        PREFIX + "ferryman/scr/x/github-AbCdEf",
        PREFIX + "x/ferryman/scr/github-AbCdEf",
        PREFIX + "ferryman/scr/../other/github-AbCdEf/",
        PREFIX + "scr/production/clerk-secret-key-AbCdEf",
        PREFIX + "ferryman/scr/github-??????",
        PREFIX + "ferryman/scr/github-AbCdEf\n",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/ferryman/scr/github",
        "https://evil.example/:secretsmanager:",
    ],
)
def test_other_names_have_none(arn: str) -> None:
    assert all(secret_uses.problem(arn, "scr", use) for use in Use)


def test_the_refusal() -> None:
    assert secret_uses.problem(f"{PREFIX}ferryman/shop/slack-signing-secret-AbCdEf", "scr", Use.WEBHOOK) == (
        "secret ferryman/shop/slack-signing-secret-AbCdEf is not one of this platform for a webhook of Slack: the name "
        "of such a secret begins with ferryman/scr/slack-webhook; store the value in a secret of that name, and allow "
        "the operator to read it"
    )


def everything(document: dict[str, Any]) -> dict[str, Any]:
    document["spec"]["channels"]["hook"] = {
        "type": "slack",
        "webhookSecretArn": f"{PREFIX}ferryman/scr/slack-webhook-AbCdEf",
    }
    document["spec"]["channels"]["bot"] = {
        "type": "slack",
        "botTokenSecretArn": "ssm:/ferryman/scr/channels/slack-bot-token-arn",
        "signingSecretArn": f"{PREFIX}ferryman/scr/slack-signing-secret-AbCdEf",
        "channel": "C024BE91L",
        "team": "T024BE7LD",
    }
    document["spec"]["github"] = {
        "repository": "a/b",
        "app": {
            "clientId": "Iv1",
            "installationId": "1",
            "privateKeySecretArn": f"{PREFIX}ferryman/scr/github-app-AbCdEf",
        },
    }
    return document


def test_a_document_may_use_its_own(scr_document: dict[str, Any]) -> None:
    document = parse(everything(scr_document))
    assert secret_uses.problems_of(document, Hosts()) == []
    assert [
        (one.path, str(one.use)) for one in secret_uses.named(document) if "spec.channels.team" not in one.path
    ] == [
        ("spec.channels.hook.webhookSecretArn", "slack-webhook"),
        ("spec.channels.bot.botTokenSecretArn", "slack-bot-token"),
        ("spec.channels.bot.signingSecretArn", "slack-signing-secret"),
        ("spec.github.app.privateKeySecretArn", "github"),
    ]


def test_a_document_that_would_send_secrets_elsewhere(scr_document: dict[str, Any]) -> None:
    made = everything(scr_document)
    channels, github = made["spec"]["channels"], made["spec"]["github"]
    channels["bot"]["apiUrl"] = "https://slack.com.evil.example/api"
    channels["bot"]["signingSecretArn"] = f"{PREFIX}ferryman/shop/slack-signing-secret-AbCdEf"
    channels["hook"]["webhookSecretArn"] = f"{PREFIX}ferryman/scr/slack-bot-token-AbCdEf"
    github["apiUrl"] = "https://jo:hunter2@api.github.com"
    github["app"]["privateKeySecretArn"] = f"{PREFIX}scr/production/database-AbCdEf"
    found = secret_uses.problems_of(parse(made), Hosts())
    assert [path for path, _ in found] == [
        "spec.channels.hook.webhookSecretArn",
        "spec.channels.bot.signingSecretArn",
        "spec.github.app.privateKeySecretArn",
        "spec.channels.bot.apiUrl",
        "spec.github.apiUrl",
    ]
    assert "hunter2" not in str(found)


def test_an_address_that_no_secret_is_sent_to_may_be_any(scr_document: dict[str, Any]) -> None:
    """A document that only links to GitHub goes on as it is."""
    scr_document["spec"]["github"] = {"repository": "a/b", "apiUrl": "https://git.example/api/v3"}
    assert secret_uses.problems_of(parse(scr_document), Hosts()) == []
