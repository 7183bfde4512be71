"""Slack: through an incoming webhook, or a bot, whose messages carry buttons and change when the approval ends."""

from ferryman.clients.slack import SlackError
from ferryman.notify import slack_approval, slack_webhook
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered
from ferryman.platform import ChatChannel
from ferryman.records import OutboxMessage


def send(message: OutboxMessage, channel: ChatChannel, context: Context) -> None:
    """Send a message the way that the channel is set up. Raise NotNeeded, or NotDelivered with Slack's own word."""
    way = slack_approval if channel.bot_token_secret_arn else slack_webhook
    try:
        way.send(message, channel, context)
    except SlackError as error:
        raise NotDelivered(str(error)) from None
