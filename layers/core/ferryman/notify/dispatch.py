"""From where a message goes to its delivery: resolves references and secrets, and sends.

Called by functions/notify through `notify.notify`. A client is made only for the channels that are used.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ferryman import ids
from ferryman.clients import slack as slack_bot
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.github import auth
from ferryman.clients.github.client import REAL, Means
from ferryman.clients.slack import post_webhook
from ferryman.clients.ssm import References
from ferryman.contracts import DeploymentRef, PublishReleaseInput
from ferryman.ids import Clock, NewId
from ferryman.messages import github as messages_github
from ferryman.messages.approval import APPROVAL, REMINDER
from ferryman.notify import approval_links, github_status, mail, personal_mail, slack_approval, slack_webhook, sns
from ferryman.notify.approval_links import open_request
from ferryman.notify.destinations import Mailbox, Route
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.platform import ChatChannel, GitHub, MailChannel, TopicChannel
from ferryman.records import OutboxMessage
from ferryman.steps.publish_release import publish
from ferryman.store.table import Store

Deliver = Callable[[Route, OutboxMessage], None]
"""Send one message to where it goes. NotNeeded: it has become pointless; whatever else it raises: not delivered."""


@dataclass(frozen=True)
class Hands:
    """What delivering needs."""

    client: MakeClient
    """Makes the boto3 client of a service."""
    store: Store
    clock: Clock
    approvals_url: str
    """Address of the approval pages."""
    post: slack_webhook.Post = post_webhook
    means: Means = REAL
    """The network, for GitHub and Slack's API."""
    new_id: NewId = ids.new_id


def deliverer(hands: Hands) -> Deliver:
    """Return what delivers."""
    lock = threading.Lock()
    # It logs the address of each request, and a webhook's address is its key.
    logging.getLogger("httpx").setLevel(logging.WARNING)

    def one_at_a_time(service: Any) -> Any:
        # Messages are sent side by side, and boto3 makes no two clients at a time.
        with lock:
            return hands.client(service)

    made: MakeClient = one_at_a_time

    def secret(value: str, values: References) -> str:
        answer = made("secretsmanager").get_secret_value(SecretId=values.text(value))
        return str(answer.get("SecretString") or "")

    def deliver(route: Route, message: OutboxMessage) -> None:
        values = References(made("ssm"))
        match route:
            case Mailbox():
                personal_mail.send(
                    message,
                    route.approver,
                    values.text(route.sender),
                    base=hands.approvals_url,
                    ses=made("sesv2"),
                    store=hands.store,
                    clock=hands.clock,
                )
            case GitHub() if message.event == messages_github.RELEASE:
                _release(message, made, hands)
            case GitHub():
                _show(route, message, made, hands)
            case ChatChannel() if route.bot_token_secret_arn:
                token = slack_bot.token_in(secret(route.bot_token_secret_arn, values))
                bot = slack_bot.Bot(route.api_url, token, hands.means.transport)
                slack_approval.send(
                    message, route, bot, base=hands.approvals_url, store=hands.store, clock=hands.clock
                )  # fmt: skip
            case ChatChannel():
                link = _link(message, hands)
                webhook = slack_webhook.webhook_in(secret(route.webhook_secret_arn or "", values))
                slack_webhook.send(message, webhook, hands.post, link)
            case TopicChannel():
                link = _link(message, hands)
                text = approval_links.filled(message.text, link) if link else message.text
                sns.send(message.but(text=text), values.text(route.topic_arn), made("sns"))
            case MailChannel():
                link = _link(message, hands)
                mail.send(message, values.text(route.sender), values.texts(route.to), made("sesv2"), link)

    return deliver


def _link(message: OutboxMessage, hands: Hands) -> str | None:
    """Return the shared link that belongs into a message, if one does; it says what is asked, and is no key."""
    if message.event not in (APPROVAL, REMINDER):
        return None
    approval = open_request(message, hands.store, hands.clock)
    if not hands.approvals_url:
        raise NotDelivered("the address of the approval page is not known: the function lacks APPROVALS_URL")
    return approval_links.shared(hands.approvals_url, approval.deployment)


def _release(message: OutboxMessage, client: MakeClient, hands: Hands) -> None:
    """Make the release that GitHub did not take before; what no try can help stands in the deployment's record."""
    about = PublishReleaseInput(
        platform=message.platform, environment=message.environment or "", deployment=message.owner, fence=0
    )
    found = publish(
        about, store=hands.store, client=client, clock=hands.clock, new_id=hands.new_id, means=hands.means
    )  # fmt: skip
    if found.verdict != "Published":
        raise NotNeeded(f"trying again would not help: {found.verdict}")


def _show(github: GitHub, message: OutboxMessage, client: MakeClient, hands: Hands) -> None:
    project = auth.connect(github, client, clock=hands.clock, means=hands.means)
    about = DeploymentRef(
        platform=message.platform, environment=message.environment or "", deployment=message.owner, fence=0
    )
    try:
        github_status.show(about, store=hands.store, project=project)
    except github_status.NoSuchCommit as error:
        raise NotNeeded(str(error)) from None
