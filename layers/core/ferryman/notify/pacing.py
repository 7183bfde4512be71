"""The pace of messages: what a destination takes, what goes first, and when a message is tried again. Pure."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.messages import approval
from ferryman.notify.destinations import Destination, Mailbox
from ferryman.platform import ChatChannel, GitHub, MailChannel, TopicChannel
from ferryman.records import OutboxMessage

ATTEMPTS = 10
"""Failures after which a message is given up; with the pauses, that takes about four hours."""
PATIENCE = timedelta(hours=24)
"""After that a message is given up whose destination asks to slow down each time."""
LONGEST_HOLD = timedelta(minutes=5)
"""For how long a destination is left alone at most. A wrong answer must not silence it for days."""
DIGEST_FROM = 10
"""More routine messages than this, waiting for one destination, are named in a digest."""
_LONGEST_DELIVERY = timedelta(minutes=1)
_SLACK = timedelta(seconds=1.2)
"""Slack takes one message a second for each webhook and for each channel of a bot; clocks differ a little.
Source: https://docs.slack.dev/apis/web-api/rate-limits."""
_ROUTINE = ("freeze-", "waiting-", "incomplete")


@dataclass(frozen=True)
class Limit:
    """What is known of how much a destination takes."""

    destination: str
    """Its name in the table (`records.Pace`); destinations of the same name share their pace."""
    interval: timedelta = timedelta()
    """Between two messages; zero when no rate is known: then it is called until it asks to slow down."""
    digests: bool = False
    """Whether people read there, who are better off with one message than with fifty."""


def limit_of(destination: Destination) -> Limit:
    """Return how a destination is paced."""
    match destination:
        case ChatChannel(webhook_secret_arn=str(secret)):
            return Limit(f"slack#{secret}", _SLACK, digests=True)
        case ChatChannel():
            return Limit(f"slack#{destination.bot_token_secret_arn}#{destination.channel}", _SLACK, digests=True)
        case TopicChannel():
            return Limit(f"sns#{destination.topic_arn}")
        case MailChannel() | Mailbox():
            # SES counts the mails of an account.
            return Limit("ses")
        case GitHub():
            return Limit(f"github#{destination.repository}")


def due_at(message: OutboxMessage) -> datetime:
    """Return when a message may be sent: at once, then after 1, 2, 4 … minutes, at most an hour, or a little less.

    No pause is shorter than one delivery can take, so that an attempt in progress is not repeated. How much less
    differs from message to message, so that those that failed together are not tried together.
    """
    failures = failures_of(message)
    if failures == 0 or message.tried_at is None:
        return message.tried_at or message.created_at
    pause = min(timedelta(minutes=2 ** min(failures - 1, 10)), timedelta(hours=1))
    return message.tried_at + max(pause * (1 - spread(message) / 4), _LONGEST_DELIVERY)


def failures_of(message: OutboxMessage) -> int:
    """Return how many attempts failed, or are in progress."""
    return message.attempts - message.postponed


def hold_of(message: OutboxMessage, retry_after: float | None) -> timedelta:
    """Return for how long to leave a destination alone that asked, as it got this message, to slow down.

    `retry_after` is in seconds, None when the destination did not say: then the pauses grow from a second.
    """
    seconds = 2.0 ** min(message.postponed, 8) if retry_after is None else max(retry_after, 1.0)
    longest = LONGEST_HOLD.total_seconds()
    return timedelta(seconds=min(seconds, longest) + spread(message) * min(max(seconds / 4, 0.5), longest / 10))


def spread(message: OutboxMessage) -> float:
    """Return a number from 0 to 1 that is a message's own at each attempt."""
    name = f"{message.owner}#{message.event}#{message.channel}#{message.attempts}"
    return zlib.crc32(name.encode()) / 2**32


def is_routine(message: OutboxMessage) -> bool:
    """Tell whether a digest may name a message: never requests for approval, failures, or what was not accepted once.

    What is not known to be routine is not.
    """
    if message.channel.startswith(approval.PERSONAL) or failures_of(message) > 0:
        return False
    if message.event == "outcome":
        return message.detail.get("phase") == "Succeeded"
    return message.event.startswith(_ROUTINE)


def order(message: OutboxMessage) -> tuple[bool, int, datetime]:
    """Return what to sort waiting messages by: urgent first, then those that were tried least, then the oldest."""
    return is_routine(message), failures_of(message), message.created_at
