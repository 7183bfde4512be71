"""Slack: through an incoming webhook, or through a bot, whose messages have buttons and change when approvals end."""

from ferryman.clients.slack import SlackError, SlackThrottled
from ferryman.notify import slack_bot, slack_webhook
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered
from ferryman.platform import ChatChannel
from ferryman.records import OutboxMessage


def send(message: OutboxMessage, channel: ChatChannel, context: Context) -> None:
    """Send a message through the channel's webhook or bot. Raise NotNeeded, or NotDelivered with Slack's error."""
    way = slack_bot if channel.bot_token_secret_arn else slack_webhook
    try:
        way.send(message, channel, context)
    except SlackThrottled:
        raise
    except SlackError as error:
        raise NotDelivered(str(error)) from None
