"""A secret is read for its own use only, whatever a document or a reference says."""

import pytest

from ferryman.clients import secrets
from ferryman.clients.secrets import SecretRefused
from ferryman.clients.ssm import References
from ferryman.platform.secret_uses import Use
from unit.fakes.secrets import FakeParameters, FakeSecrets, arn


def test_its_own_use() -> None:
    made = FakeSecrets(hook="https://hooks.slack.com/x")
    assert secrets.read(made, arn("hook"), "scr", Use.WEBHOOK) == "https://hooks.slack.com/x"


@pytest.mark.parametrize("use", [Use.BOT_TOKEN, Use.SIGNING, Use.GITHUB])
def test_no_other_use(use: Use) -> None:
    made = FakeSecrets(hook="hunter2")
    with pytest.raises(SecretRefused, match=f"begins with ferryman/scr/{use}"):
        secrets.read(made, arn("hook"), "scr", use)
    assert made.read == []


def test_not_for_another_platform() -> None:
    made = FakeSecrets(hook="hunter2")
    with pytest.raises(SecretRefused, match="begins with ferryman/shop/slack-webhook"):
        secrets.read(made, arn("hook"), "shop", Use.WEBHOOK)
    assert made.read == []


def test_a_reference_that_was_changed_since() -> None:
    made = FakeSecrets(hook="hunter2", signing="hunter3")
    parameters = FakeParameters({"/ferryman/scr/channels/slack-webhook-arn": arn("signing")})
    with pytest.raises(SecretRefused, match="slack-signing-secret"):
        secrets.read(made, "ssm:/ferryman/scr/channels/slack-webhook-arn", "scr", Use.WEBHOOK, References(parameters))
    assert made.read == []
