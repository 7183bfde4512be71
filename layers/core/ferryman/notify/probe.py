"""Whether a platform's channels and GitHub work, asked with the operator's own secrets and permissions.

Called by functions/notify for `ferryman doctor`. Without `send`, nothing is sent: Slack is asked who its bot is, and
GitHub for the repository.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from ferryman.clients.slack import Bot, token_in
from ferryman.contracts import Probe, Probed
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver
from ferryman.notify.errors import NotDelivered
from ferryman.notify.slack_webhook import webhook_in
from ferryman.platform import ChatChannel, GitHub, channel_of
from ferryman.platform.document import Channel
from ferryman.platform.hosts import SLACK
from ferryman.platform.secret_uses import Use
from ferryman.records import OutboxMessage
from ferryman.suggestions import suggest
from ferryman.text import one_line, redacted

_MOST = 20
"""Channels that are probed, all at once: a caller waits for the slowest."""
GITHUB, TEST = "github", "test"
_TEXT = (
    f"This is a test message that somebody asked for with {suggest('doctor', send_test=True)}. There is nothing to do."
)


def run(probe: Probe, context: Context, threads: Callable[[int], Executor]) -> list[Probed]:
    """Probe the channels of a platform side by side, and GitHub; of a platform that does not exist, nothing."""
    applied = context.store.find_platform(probe.platform)
    if applied is None:
        return []
    document = applied.document
    names = [
        *list(document["spec"].get("channels") or {})[:_MOST],
        *([GITHUB] if document["spec"].get("github") else []),
    ]
    with threads(_MOST) as pool:
        return list(pool.map(lambda name: _one(name, document, probe, context), names))


def _one(name: str, document: dict[str, Any], probe: Probe, context: Context) -> Probed:
    kind = GITHUB
    try:
        channel = channel_of(document, name)
        if channel is None:
            works, told = _github(GitHub.model_validate(document["spec"]["github"], by_alias=True), probe, context)
        else:
            kind = channel.type
            works, told = _send(name, channel, probe, context) if probe.send else _look(channel, probe, context)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the caller wants to know
        works, told = False, redacted(one_line(str(error) or type(error).__name__, limit=400))
    return Probed(name=name, kind=kind, works=works, message=told)


def _look(channel: Channel, probe: Probe, context: Context) -> tuple[bool | None, str]:
    if not isinstance(channel, ChatChannel):
        return None, "nothing was sent"
    if channel.bot_token_secret_arn is None:
        webhook_in(context.secret(channel.webhook_secret_arn or "", probe.platform, Use.WEBHOOK), context.hosts)
        return None, "the secret holds the URL of a webhook; nothing was sent"
    elsewhere = context.hosts.problem(channel.api_url, SLACK)
    if elsewhere is not None:
        raise NotDelivered(f"apiUrl of the channel: {elsewhere}")
    token = token_in(context.secret(channel.bot_token_secret_arn, probe.platform, Use.BOT_TOKEN))
    about = Bot(channel.api_url, token, context.network.transport).call("auth.test", {})
    return True, f"Slack knows the bot as {one_line(str(about.get('user')), limit=80)}; nothing was sent"


def _send(name: str, channel: Channel, probe: Probe, context: Context) -> tuple[bool, str]:
    message = OutboxMessage(
        owner=f"{probe.platform}#test",
        event=TEST,
        channel=name,
        platform=probe.platform,
        environment=None,
        subject=f"Test message of Ferryman for {probe.platform}",
        text=_TEXT,
        created_at=context.clock(),
    )
    deliver(channel, message, context)
    return True, "a test message was sent"


def _github(github: GitHub, probe: Probe, context: Context) -> tuple[bool | None, str]:
    # Here, because most runs of notify need no GitHub.
    from ferryman.clients.github import auth

    if not github.has_key:
        return None, f"there is no key for {github.repository}: pages are merely linked to"
    project = auth.connect(
        github, context.client, platform=probe.platform, hosts=context.hosts, clock=context.clock,
        network=context.network,
    )  # fmt: skip
    found = project.api.find(project.path)
    if found is None:
        return False, f"{project.page} does not exist, or the key has no access to it"
    return True, f"the key has access to {project.page}"
