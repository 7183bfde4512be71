"""The bot's message that asks for an approval, and its buttons."""

from ferryman.records import Deployment
from ferryman_local.standins.slack import Message
from flow.production import Production
from flow.stage import Stage


def asking(prod: Production, stage: Stage, deployment: Deployment) -> Message:
    """The bot's message that asks about a deployment."""
    return prod.until(
        lambda: next((m for m in stage.aws.slack.messages if m.buttons and deployment.id in str(m.blocks)), None),
        "the question in Slack",
    )


def button(message: Message, word: str) -> str:
    """Action id of a button by a word in it."""
    return next(name for name, item in message.buttons.items() if word in str(item).lower())
