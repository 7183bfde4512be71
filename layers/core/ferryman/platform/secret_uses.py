"""What each of the operator's secrets is for, which its name says, and what a document may use them for. Pure.

A secret is read and sent for its own use only: Slack's signing secret is never posted as a webhook, and no platform
uses another one's. Terraform makes secrets under these names (`modules/channels`), and the lists of the operator's
permissions are made by them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ferryman.platform.channels import ChatChannel
from ferryman.platform.document import Platform
from ferryman.platform.hosts import GITHUB, SLACK, Hosts
from ferryman.platform.problem import Problem
from ferryman.platform.values import is_reference

_ARN = re.compile(r"arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:([A-Za-z0-9/_+=.@-]{1,519})", re.ASCII)
_FIRST_EXAMPLE = re.compile(r"slack(?:-[A-Za-z0-9]{6})?")
"""How the documentation of 0.1 called the secret of a webhook, with the six characters that AWS adds to each name."""


class Use(StrEnum):
    """What a secret is for; the last part of its name begins with it."""

    WEBHOOK = "slack-webhook"
    BOT_TOKEN = "slack-bot-token"  # noqa: S105 - a name, not a token
    SIGNING = "slack-signing-secret"
    GITHUB = "github"


_IN_WORDS = {
    Use.WEBHOOK: "a webhook of Slack",
    Use.BOT_TOKEN: "the token of a Slack bot",
    Use.SIGNING: "the signing secret of a Slack app",
    Use.GITHUB: "a key to GitHub",
}


@dataclass(frozen=True)
class Named:
    """A secret that a document names."""

    path: str
    """Where, as `spec.github.tokenSecretArn`."""
    arn: str
    """Its ARN, or the reference to it."""
    use: Use


def problem(arn: str, platform: str, use: Use) -> str | None:
    """Return why a platform can't use a secret for this, told by its name; None when it can."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return "is not the ARN of a secret in Secrets Manager"
    owner, _, last = found[1].rpartition("/")
    mine = owner == f"ferryman/{platform}"
    if mine and (last == use or last.startswith(f"{use}-") or (use is Use.WEBHOOK and _FIRST_EXAMPLE.fullmatch(last))):
        return None
    return (
        f"secret {found[1][:120]} is not one of this platform for {_IN_WORDS[use]}: the name of such a secret begins "
        f"with ferryman/{platform}/{use}; store the value in a secret of that name, and allow the operator to read it"
    )


def named(document: Platform) -> Iterator[Named]:
    """Yield the secrets that a document names, each with its use."""
    for name, channel in document.spec.channels.items():
        if isinstance(channel, ChatChannel):
            yield from _given(f"spec.channels.{name}.webhookSecretArn", channel.webhook_secret_arn, Use.WEBHOOK)
            yield from _given(f"spec.channels.{name}.botTokenSecretArn", channel.bot_token_secret_arn, Use.BOT_TOKEN)
            yield from _given(f"spec.channels.{name}.signingSecretArn", channel.signing_secret_arn, Use.SIGNING)
    github = document.spec.github
    if github is not None:
        yield from _given("spec.github.tokenSecretArn", github.token_secret_arn, Use.GITHUB)
        key = github.app.private_key_secret_arn if github.app is not None else None
        yield from _given("spec.github.app.privateKeySecretArn", key, Use.GITHUB)


def problems_of(document: Platform, hosts: Hosts) -> list[Problem]:
    """Return where a document would send a secret elsewhere, or use one for something else; references aren't read."""
    found = [
        (one.path, why)
        for one in named(document)
        if not is_reference(one.arn) and (why := problem(one.arn, document.name, one.use)) is not None
    ]
    for name, channel in document.spec.channels.items():
        if isinstance(channel, ChatChannel) and channel.bot_token_secret_arn is not None:
            found += _sent_to(f"spec.channels.{name}.apiUrl", hosts.problem(channel.api_url, SLACK))
    github = document.spec.github
    if github is not None and github.has_key:
        found += _sent_to("spec.github.apiUrl", hosts.problem(github.api_url, GITHUB))
    return found


def _sent_to(path: str, why: str | None) -> list[Problem]:
    return [] if why is None else [(path, why)]


def _given(path: str, arn: str | None, use: Use) -> Iterator[Named]:
    if arn is not None:
        yield Named(path, arn, use)
