"""Slack through a bot: any message, and approval requests with buttons, which the decisions replace at the end.

Called by `notify.slack` for channels with a bot. Posted messages are recorded in the approval, so that they can be
updated later. A message posted while the approval ended is updated at once.
"""

from typing import Any

from ferryman.clients.slack import Bot, SlackRefused, token_in
from ferryman.errors import Conflict
from ferryman.messages.approval import APPROVAL, ENDED, REMINDER, decision_lines
from ferryman.notify.approval_links import page_address, pending_approval, shared_link
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.notify.slack_webhook import HEADER, bounded, escape, payload, sections
from ferryman.platform import ChatChannel
from ferryman.platform.hosts import SLACK
from ferryman.platform.secret_uses import Use
from ferryman.records import Approval, ChatMessage, OutboxMessage
from ferryman.records.writes import Save
from ferryman.store.table import Store
from ferryman.text import one_line

_FIELDS = 10
"""The most fields of a section in Block Kit; each holds 2,000 characters."""
_VALUE = 350
"""Characters of a value. It fits even if each character is escaped to five."""
_REASON = 500


def send(message: OutboxMessage, channel: ChatChannel, context: Context) -> None:
    """Post, remind or update; any other message is posted unchanged. Raise SlackError, NotDelivered or NotNeeded."""
    elsewhere = context.hosts.problem(channel.api_url, SLACK)
    if elsewhere is not None:
        raise NotDelivered(f"apiUrl of the channel: {elsewhere}")
    token = token_in(context.secret(channel.bot_token_secret_arn or "", message.platform, Use.BOT_TOKEN))
    bot = Bot(channel.api_url, token, context.network.transport)
    if message.event == ENDED:
        _update_all(message, bot, context.store)
    elif message.event in (APPROVAL, REMINDER):
        _post_or_remind(message, channel, bot, context)
    else:
        bot.call("chat.postMessage", {"channel": channel.channel or "", **payload(message)})


def _post_or_remind(message: OutboxMessage, channel: ChatChannel, bot: Bot, context: Context) -> None:
    known = context.store.approval(message.owner)
    posted = next((item for item in known.messages if item.channel == message.channel), None) if known else None
    if known is not None and posted is not None and known.status != "Pending":
        # An earlier attempt posted it but did not update it before the approval ended.
        _update(posted, message, known, bot)
        return
    approval = pending_approval(message, context)
    if posted is None:
        buttons = channel.signing_secret_arn is not None
        link = shared_link(page_address(context), approval.deployment)
        body = request_message(message, approval, link, buttons=buttons)
        _post_request(message, body, channel.channel or "", bot, context.store)
    elif message.event == REMINDER:
        bot.call("chat.postMessage", _reminder(message, posted))


def request_message(message: OutboxMessage, approval: Approval, link: str, *, buttons: bool) -> dict[str, Any]:
    """Return the message that asks for approval. Pure."""
    from slack_sdk.models import blocks as kit

    version = one_line(approval.version, limit=100)
    yes = f"You approve deploying {version} to {approval.environment}."
    no = f"{version} will not be deployed to {approval.environment}. A reason is required."
    if approval.command:
        command = one_line(approval.command, limit=150)
        yes = f"You approve {command} in {approval.environment}."
        no = f"{command} will not run in {approval.environment}. A reason is required."
    if approval.proposal is not None:
        yes = f"You approve that the gates of {approval.environment} change as the message says."
        no = f"The gates of {approval.environment} stay as they are. A reason is required."
    confirm = {
        verdict: kit.ConfirmObject(
            title=f"{verdict} {approval.short}?",
            text=kit.PlainTextObject(text=question, emoji=False),
            confirm=verdict,
            deny="Go back",
            style=style,
        )
        for verdict, question, style in (
            ("Approve", yes, "primary"),
            ("Reject", no, "danger"),
        )
    }
    page = kit.LinkButtonElement(text="Review request", action_id="page", url=link)
    verdicts = [
        kit.ButtonElement(
            text=verdict, action_id=verdict.lower(), value=approval.deployment, style=style, confirm=confirm[verdict]
        )
        for verdict, style in (("Approve", "primary"), ("Reject", "danger"))
    ]
    reason = kit.InputBlock(
        block_id="reason",
        optional=True,
        label=kit.PlainTextObject(text="Reason (required to reject)", emoji=False),
        element=kit.PlainTextInputElement(action_id="reason", max_length=_REASON),
    )
    people = ", ".join(one_line(person.name) for person in approval.approvers) or "anyone with the link"
    note = kit.ContextBlock(
        elements=[kit.MarkdownTextObject(text=escape(one_line(f"Approvers: {people}", limit=_VALUE)), verbatim=True)]
    )
    inputs = [
        *([reason] if buttons else []),
        kit.ActionsBlock(block_id="decision", elements=[*(verdicts if buttons else []), page]),
    ]
    changes = sections(str(message.detail.get("changes", "")))
    return _body(
        message.subject, [*_fact_blocks(message), *changes, note.to_dict(), *(block.to_dict() for block in inputs)]
    )


def ended_message(message: OutboxMessage, approval: Approval) -> dict[str, Any]:
    """Return the message that replaces the request: the decisions, without buttons. Pure."""
    what = approval.about if approval.proposal else approval.command or approval.tag or approval.version
    subject = f"[{approval.status}] {approval.platform}/{approval.environment}: {what}"
    return _body(subject, [*_fact_blocks(message), *sections(decision_lines(approval))])


def _post_request(message: OutboxMessage, body: dict[str, Any], channel_id: str, bot: Bot, store: Store) -> None:
    answer = bot.call("chat.postMessage", {"channel": channel_id, **body})
    conversation, timestamp = answer.get("channel"), answer.get("ts")
    if not isinstance(conversation, str) or not isinstance(timestamp, str):
        raise NotDelivered("Slack accepted the message but did not return its channel and timestamp")
    posted = ChatMessage(channel=message.channel, conversation=conversation, timestamp=timestamp)
    approval = _remember(message.owner, posted, store)
    if approval.status != "Pending":
        # It ended while we posted, so the update at its end missed this message.
        _update(posted, message, approval, bot)


def _update_all(message: OutboxMessage, bot: Bot, store: Store) -> None:
    """Update what was posted in the message's channel."""
    approval = store.approval(message.owner)
    messages = [item for item in approval.messages if item.channel == message.channel] if approval else []
    if approval is None or not messages:
        raise NotNeeded("no message was posted there that needs an update")
    for posted in messages:
        _update(posted, message, approval, bot)


def _update(posted: ChatMessage, message: OutboxMessage, approval: Approval, bot: Bot) -> None:
    where = {"channel": posted.conversation, "ts": posted.timestamp}
    try:
        bot.call("chat.update", {**where, **ended_message(message, approval)})
    except SlackRefused as error:
        if error.word != "message_not_found":
            raise
        # Somebody deleted the message, so nothing is left to update.


def _remember(deployment: str, posted: ChatMessage, store: Store) -> Approval:
    for _ in store.attempts():
        approval = store.approval(deployment)
        if approval is None:
            raise NotNeeded("the approval does not exist")
        if posted in approval.messages:
            return approval
        after = approval.but(messages=[*approval.messages, posted])
        try:
            store.write(Save(after))
        except Conflict:
            continue
        return after
    raise Conflict(f"approval {deployment} kept changing; its message in Slack could not be recorded")


def _reminder(message: OutboxMessage, posted: ChatMessage) -> dict[str, Any]:
    """In the thread of the request, and also in the channel. Only the request has buttons."""
    return {
        "channel": posted.conversation,
        "thread_ts": posted.timestamp,
        "reply_broadcast": True,
        **_body(message.subject, _fact_blocks(message)),
    }


def _fact_blocks(message: OutboxMessage) -> list[dict[str, Any]]:
    from slack_sdk.models import blocks as kit

    facts = message.detail.get("facts")
    pairs = [(str(item[0]), str(item[1])) for item in facts if len(item) == 2] if isinstance(facts, list) else []
    fields = [
        kit.MarkdownTextObject(text=f"*{escape(label)}*\n{escape(one_line(value, limit=_VALUE))}", verbatim=True)
        for label, value in pairs[:_FIELDS]
    ]
    return [kit.SectionBlock(fields=fields).to_dict()] if fields else sections(message.text)


def _body(subject: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    header = {"type": "header", "text": {"type": "plain_text", "text": subject[:HEADER], "emoji": False}}
    return {
        "text": escape(subject),
        "blocks": bounded([header, *blocks]),
        "unfurl_links": False,
        "unfurl_media": False,
    }
