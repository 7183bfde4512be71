"""The signing secrets of all platforms' Slack channels, kept for five minutes. Takes its clients as arguments."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from ferryman.approvals.web.slack_payload import Signing
from ferryman.clients import secrets
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.secrets import value_in
from ferryman.errors import FerrymanError, TransientError
from ferryman.ids import Clock
from ferryman.platform.channels import ChatChannel
from ferryman.platform.document import channel_of
from ferryman.platform.secret_uses import Use
from ferryman.records import AppliedPlatform

KEPT = timedelta(minutes=5)
_LOG = logging.getLogger("ferryman")


class SigningSecrets:
    """Reads secrets, each at most once in five minutes. One instance lives as long as its sandbox."""

    def __init__(self, client: MakeClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, str | None]] = {}

    def of(self, platforms: list[AppliedPlatform]) -> list[Signing]:
        """Return every Slack app that may send button presses. A secret that cannot be read is logged and left out."""
        return [
            Signing(platform=platform.name, team=channel.team or "", secret=secret)
            for platform in platforms
            for channel in _chats(platform)
            if channel.signing_secret_arn and channel.team
            if (secret := self._secret(platform.name, channel.signing_secret_arn))
        ]

    def _secret(self, platform: str, value: str) -> str | None:
        now = self._clock()
        kept = self._known.get((platform, value))
        if kept is None or now - kept[0] > KEPT:
            kept = self._known[platform, value] = (now, self._read(platform, value))
        return kept[1]

    def _read(self, platform: str, value: str) -> str | None:
        try:
            found = secrets.read(self._client, value, platform, Use.SIGNING)
        except TransientError:
            raise
        except (FerrymanError, Refusal) as error:
            _LOG.error("cannot read the signing secret of a Slack channel of %s: %s", platform, error)
            return None
        return signing_secret_in(found) or None


def signing_secret_in(secret: str) -> str:
    """Return the signing secret from a secret: plain, or JSON with `signingSecret`; empty when it contains none."""
    try:
        return value_in(secret, "signingSecret")
    except ValueError:
        return ""


def _chats(platform: AppliedPlatform) -> Iterator[ChatChannel]:
    spec = platform.document.get("spec")
    channels = spec.get("channels") if isinstance(spec, dict) else None
    for name in channels if isinstance(channels, dict) else ():
        try:
            channel = channel_of(platform.document, name)
        except FerrymanError as error:
            _LOG.warning("cannot read channel %s of %s: %s", name, platform.name, error)
            continue
        if isinstance(channel, ChatChannel):
            yield channel
