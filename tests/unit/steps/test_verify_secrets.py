"""What `apply` says of secrets behind references."""

from typing import Any

from ferryman.clients.ssm import References
from ferryman.platform import parse
from ferryman.steps import verify_secrets
from unit.fakes.secrets import FakeParameters, arn

PREFIX = "/ferryman/scr/channels"


def test_what_references_lead_to(scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["channels"] |= {
        "hook": {"type": "slack", "webhookSecretArn": f"ssm:{PREFIX}/hook-arn"},
        "wrong": {"type": "slack", "webhookSecretArn": f"ssm:{PREFIX}/signing-arn"},
        "later": {"type": "slack", "webhookSecretArn": f"ssm:{PREFIX}/later-arn"},
        "direct": {"type": "slack", "webhookSecretArn": arn("hook")},
    }
    parameters = FakeParameters({f"{PREFIX}/hook-arn": arn("hook"), f"{PREFIX}/signing-arn": arn("signing")})

    problems, notes = verify_secrets.examine(parse(scr_document), References(parameters))

    told = {path: message for path, message in problems if ".team." not in path}
    assert list(told) == ["spec.channels.wrong.webhookSecretArn"]
    assert "begins with ferryman/scr/slack-webhook" in told["spec.channels.wrong.webhookSecretArn"]
    assert dict(notes)["spec.channels.later.webhookSecretArn"] == (
        f"SSM parameter {PREFIX}/later-arn does not exist; Terraform writes it, or create it as type String; until "
        "then, nothing is sent with this secret"
    )
