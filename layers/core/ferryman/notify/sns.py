"""An SNS topic. Called by `notify.dispatch`."""

from ferryman.clients.aws_types import SNSClient
from ferryman.records import OutboxMessage


def send(message: OutboxMessage, topic_arn: str, sns: SNSClient) -> None:
    """Publish a message. Its attributes let subscribers filter by platform, environment and phase."""
    values = {
        "platform": message.platform,
        "environment": message.environment,
        "event": message.event,
        "phase": message.detail.get("phase"),
        "version": message.detail.get("version"),
    }
    sns.publish(
        TopicArn=topic_arn,
        Subject=message.subject,
        Message=message.text,
        MessageAttributes={
            # SNS refuses an attribute with an empty value.
            name: {"DataType": "String", "StringValue": str(value)}
            for name, value in values.items()
            if value
        },
    )
