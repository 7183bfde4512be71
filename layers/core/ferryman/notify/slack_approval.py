"""An approval in Slack: asked with buttons, which give way to who decided what.

Called by `notify.dispatch` for channels with a bot. What was posted is remembered in the approval, so that it
can change; a message posted while the approval ended changes at once.
"""

from typing import Any

from ferryman.clients.slack import Bot, SlackRefused
from ferryman.errors import Conflict
from ferryman.ids import Clock
from ferryman.messages.approval import APPROVAL, ENDED, REMINDER, ending
from ferryman.notify import approval_links
from ferryman.notify.approval_links import open_request
from ferryman.notify.errors import NotDelivered, NotNeeded, slack_errors
from ferryman.notify.slack_webhook import BLOCKS, HEADER, escape, payload, sections
from ferryman.platform import ChatChannel
from ferryman.records import Approval, ChatMessage, OutboxMessage
from ferryman.records.writes import Save
from ferryman.store.table import Store
from ferryman.text import one_line

_FIELDS = 10
"""Of one section, in Block Kit; each takes 2,000 characters."""
_VALUE = 350
"""Characters: five times as many, were each escaped, still fit."""
_REASON = 500


def send(message: OutboxMessage, channel: ChatChannel, bot: Bot, *, base: str, store: Store, clock: Clock) -> None:
    """Post, remind or change; any other message is posted as it is. Raise NotDelivered or NotNeeded."""
    with slack_errors():
        if message.event == ENDED:
            _end(message, bot, store)
        elif message.event in (APPROVAL, REMINDER):
            _request(message, channel, bot, base=base, store=store, clock=clock)
        else:
            bot.call("chat.postMessage", {"channel": channel.channel or "", **payload(message)})


def _request(message: OutboxMessage, channel: ChatChannel, bot: Bot, *, base: str, store: Store, clock: Clock) -> None:
    known = store.approval(message.owner)
    mine = next((item for item in known.messages if item.channel == message.channel), None) if known else None
    if known is not None and mine is not None and known.status != "Pending":
        # An earlier try posted it, and got no farther before it ended.
        _change(mine, message, known, bot)
        return
    approval = open_request(message, store, clock)
    if mine is None:
        buttons = channel.signing_secret_arn is not None
        body = asking(message, approval, approval_links.shared(base, approval.deployment), buttons=buttons)
        _ask(message, body, channel.channel or "", bot, store)
    elif message.event == REMINDER:
        bot.call("chat.postMessage", _reminder(message, mine))


def asking(message: OutboxMessage, approval: Approval, link: str, *, buttons: bool) -> dict[str, Any]:
    """Return the message that asks. Pure."""
    from slack_sdk.models import blocks as kit

    version = one_line(approval.version, limit=100)
    confirm = {
        verdict: kit.ConfirmObject(
            title=f"{verdict} {approval.short}?",
            text=kit.PlainTextObject(text=question, emoji=False),
            confirm=verdict,
            deny="Go back",
            style=style,
        )
        for verdict, question, style in (
            ("Approve", f"{version} goes to {approval.environment}, in your name.", "primary"),
            ("Reject", f"{version} does not go to {approval.environment}. Give a reason below.", "danger"),
        )
    }
    page = kit.LinkButtonElement(text="Look at it", action_id="page", url=link)
    pressed = [
        kit.ButtonElement(
            text=verdict, action_id=verdict.lower(), value=approval.deployment, style=style, confirm=confirm[verdict]
        )
        for verdict, style in (("Approve", "primary"), ("Reject", "danger"))
    ]
    reason = kit.InputBlock(
        block_id="reason",
        optional=True,
        label=kit.PlainTextObject(text="Reason (needed to reject)", emoji=False),
        element=kit.PlainTextInputElement(action_id="reason", max_length=_REASON),
    )
    people = ", ".join(one_line(person.name) for person in approval.approvers) or "whoever has the link"
    note = kit.ContextBlock(
        elements=[kit.MarkdownTextObject(text=escape(one_line(f"May decide: {people}", limit=_VALUE)), verbatim=True)]
    )
    asked = [
        *([reason] if buttons else []),
        kit.ActionsBlock(block_id="decision", elements=[*(pressed if buttons else []), page]),
    ]
    return _body(message.subject, [*_facts(message), note.to_dict(), *(block.to_dict() for block in asked)])


def ended(message: OutboxMessage, approval: Approval) -> dict[str, Any]:
    """Return what takes the place of a message that asked: no buttons, but who decided what. Pure."""
    subject = f"[{approval.status}] {approval.platform}/{approval.environment}: {approval.tag or approval.version}"
    return _body(subject, [*_facts(message), *sections(ending(approval))])


def _ask(message: OutboxMessage, body: dict[str, Any], room: str, bot: Bot, store: Store) -> None:
    answer = bot.call("chat.postMessage", {"channel": room, **body})
    conversation, timestamp = answer.get("channel"), answer.get("ts")
    if not isinstance(conversation, str) or not isinstance(timestamp, str):
        raise NotDelivered("Slack took the message, and did not say where it is")
    posted = ChatMessage(channel=message.channel, conversation=conversation, timestamp=timestamp)
    approval = _remember(message.owner, posted, store)
    if approval.status != "Pending":
        # It ended while we posted; whoever told the channel so did not find our message.
        _change(posted, message, approval, bot)


def _end(message: OutboxMessage, bot: Bot, store: Store) -> None:
    approval = store.approval(message.owner)
    mine = [item for item in approval.messages if item.channel == message.channel] if approval else []
    if approval is None or not mine:
        raise NotNeeded("nothing was posted there that would have to change")
    for posted in mine:
        _change(posted, message, approval, bot)


def _change(posted: ChatMessage, message: OutboxMessage, approval: Approval, bot: Bot) -> None:
    where = {"channel": posted.conversation, "ts": posted.timestamp}
    try:
        bot.call("chat.update", {**where, **ended(message, approval)})
    except SlackRefused as error:
        if error.word != "message_not_found":
            raise
        # Somebody deleted it: nothing is left that could mislead.


def _remember(deployment: str, posted: ChatMessage, store: Store) -> Approval:
    for _ in store.attempts():
        approval = store.approval(deployment)
        if approval is None:
            raise NotNeeded("there is no such approval")
        if posted in approval.messages:
            return approval
        after = approval.but(messages=[*approval.messages, posted])
        try:
            store.write(Save(after))
        except Conflict:
            continue
        return after
    raise Conflict(f"approval {deployment} kept changing; its message in Slack could not be remembered")


def _reminder(message: OutboxMessage, posted: ChatMessage) -> dict[str, Any]:
    """In the thread of what asked, and in the channel, too: the buttons stay in one place."""
    return {
        "channel": posted.conversation,
        "thread_ts": posted.timestamp,
        "reply_broadcast": True,
        **_body(message.subject, _facts(message)),
    }


def _facts(message: OutboxMessage) -> list[dict[str, Any]]:
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
        "blocks": [header, *blocks][:BLOCKS],
        "unfurl_links": False,
        "unfurl_media": False,
    }
