"""The registry of channels: which module delivers to which kind of destination.

Called by functions/notify through `notify.notify`. A module is imported when its first message is sent, so that no
message waits for the libraries of another channel. How to add one: docs/development/adding-a-channel.md.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from importlib import import_module
from typing import Any

from ferryman.contracts import Probe, Probed
from ferryman.notify.context import Context
from ferryman.notify.destinations import Destination, Mailbox
from ferryman.platform import ChatChannel, GitHub, MailChannel, TopicChannel
from ferryman.records import OutboxMessage

MODULES: Mapping[type[Any], str] = {
    ChatChannel: "slack",
    TopicChannel: "sns",
    MailChannel: "mail",
    Mailbox: "personal_mail",
    GitHub: "github",
}
"""Kind of destination → module of this package. It has `send(message, destination, context)`."""


def probe(asked: Probe, context: Context, threads: Callable[[int], Executor]) -> list[Probed]:
    """Return whether the channels of a platform work."""
    # Rare: somebody ran `ferryman doctor`.
    from ferryman.notify import probe

    return probe.run(asked, context, threads)


def deliver(destination: Destination, message: OutboxMessage, context: Context) -> None:
    """Send one message to its destination. Raise NotNeeded when it is obsolete, anything else when it is not sent."""
    module = import_module(f"ferryman.notify.{MODULES[type(destination)]}")
    module.send(message, destination, context)
