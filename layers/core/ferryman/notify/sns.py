"""An SNS topic."""

from ferryman.clients.aws_errors import translated
from ferryman.messages.links import with_links
from ferryman.notify.approval_links import link_for, text_with_link
from ferryman.notify.context import Context
from ferryman.platform import TopicChannel
from ferryman.records import OutboxMessage


def send(message: OutboxMessage, channel: TopicChannel, context: Context) -> None:
    """Publish a message. Its attributes let subscribers filter by platform, environment, event, phase and version."""
    text = with_links(message, text_with_link(message.text, link_for(message, context)))
    attributes = {
        "platform": message.platform,
        "environment": message.environment,
        "event": message.event,
        "phase": message.detail.get("phase"),
        "version": message.detail.get("version"),
    }
    topic = context.text(channel.topic_arn)
    with translated():
        context.client("sns").publish(
            TopicArn=topic,
            Subject=message.subject,
            Message=text,
            MessageAttributes={
                # SNS rejects an attribute with an empty value.
                name: {"DataType": "String", "StringValue": str(value)}
                for name, value in attributes.items()
                if value
            },
        )
