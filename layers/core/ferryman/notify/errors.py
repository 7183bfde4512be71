"""Why a message could not be delivered, or need not be."""

from collections.abc import Iterator
from contextlib import contextmanager

from ferryman.clients.slack import SlackError


class NotDelivered(Exception):
    """The channel did not take the message. It is counted and tried again later; no step ever raises or sees it."""


class NotNeeded(Exception):
    """The message has become pointless, as a request that was decided meanwhile: dropped with its reason."""


@contextmanager
def slack_errors() -> Iterator[None]:
    """Raise NotDelivered, in the same words, where Slack did not take a message."""
    try:
        yield
    except SlackError as error:
        raise NotDelivered(str(error)) from None
