"""Whoever may write a document tries to have the operator's secrets sent to a server of theirs; it hears nothing."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ferryman.records import OutboxMessage
from ferryman.records.writes import Save
from ferryman_cli.transport import ApiError
from ferryman_local.standins.server import Answer, StandIn
from flow.production import Make, Production
from flow.stage import Stage


class Attacker(StandIn):
    """A server that says yes to everything, and keeps it."""

    def respond(
        self, method: str, path: str, _query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        """Pretend to be Slack and GitHub."""
        return Answer(200, {"ok": True, "channel": "C0", "ts": "1", "sha": "a" * 40, "id": 1})


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    server = Attacker().start()
    yield server
    server.stop()


Spec = dict[str, Any]
Change = Callable[[Spec, str, str], None]


def bot_elsewhere(spec: Spec, platform: str, url: str) -> None:
    """The attack that was tried: the signing secret as a bot's token, and the API is a server of theirs."""
    spec["channels"]["chat"] |= {
        "apiUrl": url,
        "botTokenSecretArn": f"ssm:/ferryman/{platform}/channels/slack-signing-secret-arn",
    }


def github_elsewhere(spec: Spec, platform: str, url: str) -> None:
    spec["github"]["apiUrl"] = url


def github_token_for_slack(spec: Spec, platform: str, _: str) -> None:
    spec["channels"]["chat"]["botTokenSecretArn"] = f"ssm:/ferryman/{platform}/channels/github-token-arn"


def webhook_of_another_platform(spec: Spec, platform: str, _: str) -> None:
    prefix = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:"
    spec["channels"]["hook"]["webhookSecretArn"] = f"{prefix}ferryman/other/slack-webhook-AbCdEf"


def test_no_document_sends_a_secret_elsewhere(production: Make, stage: Stage, attacker: Attacker) -> None:
    prod = production(slack=True, hook=True, github=True, notify=["chat", "hook"])
    before = stage.store.platform(prod.name)
    tried: dict[Change, tuple[str, str]] = {
        bot_elsewhere: ("spec.channels.chat.apiUrl", "must begin with https://"),
        github_elsewhere: ("spec.github.apiUrl", "must begin with https://"),
        github_token_for_slack: ("spec.channels.chat.botTokenSecretArn", f"ferryman/{prod.name}/slack-bot-token"),
        webhook_of_another_platform: ("spec.channels.hook.webhookSecretArn", f"ferryman/{prod.name}/slack-webhook"),
    }
    for change, (path, told) in tried.items():
        wanted = copy.deepcopy(prod.document)
        change(wanted["spec"], prod.name, attacker.url)
        with pytest.raises(ApiError) as refused:
            stage.api.put(prod.api.path("v1", "platforms", prod.name), wanted)
        assert path in str(refused.value) + str(vars(refused.value)), change.__name__
        assert told in str(refused.value) + str(vars(refused.value)), change.__name__
    assert stage.store.platform(prod.name) == before
    assert attacker.calls == []


def test_what_was_stored_before_sends_nothing_either(production: Make, stage: Stage, attacker: Attacker) -> None:
    """A document of an older operator, a reference that was changed since, and a secret whose value was."""
    prod = production(slack=True, hook=True, github=True, notify=["chat", "hook"])
    stored = stage.store.platform(prod.name)
    document = copy.deepcopy(stored.document)
    bot_elsewhere(document["spec"], prod.name, attacker.url)
    github_elsewhere(document["spec"], prod.name, attacker.url)
    # An older operator did not note what references in gates stood for.
    stage.store.write(Save(stored.but(document=document, references={})))
    arn = stage.client("ssm").get_parameter(Name=f"/ferryman/{prod.name}/channels/slack-webhook-arn")
    stage.client("secretsmanager").put_secret_value(
        SecretId=arn["Parameter"]["Value"], SecretString=f"{attacker.url}/services/T0/B0/x"
    )

    deployment = prod.asked()

    told = {
        "chat": "apiUrl of the channel: must begin with https://",
        "hook": "the secret contains no address of a webhook that messages are sent to",
        "github": "spec.github.apiUrl: must begin with https://",
    }
    for channel, why in told.items():
        assert why in str(failed(prod, channel, deployment.id).last_error), channel

    # Now the addresses are right again, and it is the references that lead elsewhere.
    stage.store.write(Save(stage.store.platform(prod.name).but(document=stored.document, references={})))
    swap(stage, prod, {"slack-bot-token": "slack-signing-secret", "github-token": "slack-signing-secret"})
    again = prod.asked()
    said = str(failed(prod, "chat", again.id).last_error)
    assert f"secret ferryman/{prod.name}/slack-signing-secret-" in said
    assert f"begins with ferryman/{prod.name}/slack-bot-token" in said
    assert f"begins with ferryman/{prod.name}/github" in str(failed(prod, "github", again.id).last_error)
    assert attacker.calls == []
    spoken = str([call.headers for call in [*stage.aws.slack.calls, *stage.aws.github.calls]])
    assert stage.aws.slack.signing_secret not in spoken


def swap(stage: Stage, prod: Production, what: Mapping[str, str]) -> None:
    """Make references lead to other secrets."""
    ssm = stage.client("ssm")
    prefix = f"/ferryman/{prod.name}/channels"
    for name, other in what.items():
        value = ssm.get_parameter(Name=f"{prefix}/{other}-arn")["Parameter"]["Value"]
        ssm.put_parameter(Name=f"{prefix}/{name}-arn", Value=value, Type="String", Overwrite=True)


def failed(prod: Production, channel: str, owner: str) -> OutboxMessage:
    """Wait for a message of a deployment that was not sent."""

    def look() -> OutboxMessage | None:
        mine = [m for m in prod.messages() if m.channel == channel and m.owner == owner]
        return next((m for m in mine if m.last_error), None)

    return prod.until(look, f"a message of {owner} to {channel} that was not sent")
