"""From a channel of the platform document to a delivery: resolves its references and secrets, and sends.

Called by functions/notify through `ferryman.notify.send`. A client is made only for the channels that are used.
"""

import threading
from collections.abc import Callable
from typing import Any

from ferryman.notify import mail, slack, topic
from ferryman.platform import ChatChannel, MailChannel, TopicChannel
from ferryman.platform.document import Channel
from ferryman.records import OutboxMessage
from ferryman.references import References

Deliver = Callable[[Channel, OutboxMessage], None]
"""Send one message through one channel; whatever it raises means that it was not delivered."""


def deliverer(client: Callable[[str], Any], post: slack.Post = slack.post) -> Deliver:
    """Return what delivers; `client` makes the boto3 client of a service."""
    lock = threading.Lock()

    def made(service: str) -> Any:
        # Messages are sent side by side, and boto3 makes no two clients at a time.
        with lock:
            return client(service)

    def deliver(channel: Channel, message: OutboxMessage) -> None:
        values = References(made("ssm"))
        match channel:
            case ChatChannel():
                # A bot's messages (botTokenSecretArn) come with the approvals.
                arn = values.text(channel.webhook_secret_arn or "")
                secret = made("secretsmanager").get_secret_value(SecretId=arn)
                slack.send(message, slack.webhook_in(str(secret.get("SecretString") or "")), post)
            case TopicChannel():
                topic.send(message, values.text(channel.topic_arn), made("sns"))
            case MailChannel():
                mail.send(message, values.text(channel.sender), values.texts(channel.to), made("sesv2"))

    return deliver
