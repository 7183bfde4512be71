"""Slack, through an incoming webhook whose URL is a secret.

Called by `notify.slack`. The URL is the credential: it never appears in an error, a log line or a record.
"""

from collections.abc import Iterator
from typing import Any

from ferryman.clients.secrets import value_in
from ferryman.clients.slack import post_webhook
from ferryman.messages.links import links_of
from ferryman.notify.approval_links import around_link, link_for
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered
from ferryman.notify.message_parts import parts_of
from ferryman.platform import ChatChannel
from ferryman.platform.hosts import SLACK_HOOKS, Hosts
from ferryman.platform.secret_uses import Use
from ferryman.records import OutboxMessage
from ferryman.text import one_line

# Limits of Block Kit: a section's text, a header's, and blocks in one message.
SECTION, HEADER, BLOCKS = 3_000, 150, 50
_FIRST = 20
"""Blocks from the beginning of a message that has too many of them; the other places are for its end."""


def send(message: OutboxMessage, channel: ChatChannel, context: Context) -> None:
    """Post a message. Raise NotNeeded, NotDelivered with Slack's error, or SlackError when Slack does not answer."""
    body = payload(message, link_for(message, context))
    secret = context.secret(channel.webhook_secret_arn or "", message.platform, Use.WEBHOOK)
    webhook = webhook_in(secret, context.hosts)
    status, answer = post_webhook(webhook, body, context.network.transport)
    if status != 200:
        raise NotDelivered(f"Slack answered {status}: {one_line(answer, limit=200)}")


def payload(message: OutboxMessage, link: str | None = None) -> dict[str, Any]:
    """Return the body for the webhook. Nothing in it can mention people, unfurl a link or be read as markup.

    `link` replaces the message's placeholder, if it has one.
    """
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:HEADER], "emoji": False}}
    ]
    around = around_link(message.text) if link else None
    if link is None or around is None:
        blocks += sections(message.text)
    else:
        address = escape(link).replace("|", "%7C")
        blocks += [*sections(around[0]), _section(f"<{address}|Review the request>"), *sections(around[1])]
    linked = [f"<{escape(url).replace('|', '%7C')}|{escape(label)}>" for label, url in links_of(message)]
    blocks += [_section("  ".join(linked))] if linked else []
    return {"text": escape(message.subject), "blocks": bounded(blocks), "unfurl_links": False, "unfurl_media": False}


def bounded(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most `BLOCKS` blocks: the first and, above all, the last, which say what to do or hold the buttons."""
    if len(blocks) <= BLOCKS:
        return blocks
    note = _section("[truncated: the command `events` shows the rest]")
    return [*blocks[:_FIRST], note, *blocks[_FIRST + 1 - BLOCKS :]]


def sections(text: str) -> list[dict[str, Any]]:
    """Return text as blocks, with log lines in code fences."""
    found = []
    for part in parts_of(text):
        # A code fence in the text would end ours; a zero-width space breaks it up.
        escaped = escape(part.text).replace("```", "`\u200b``")
        room = SECTION - 8 if part.log else SECTION
        found += [_section(f"```\n{piece}\n```" if part.log else piece) for piece in _pieces(escaped, room)]
    return found


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def escape(text: str) -> str:
    """Escape Slack's three control characters, so that a log line cannot contain a mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def webhook_in(secret: str, hosts: Hosts) -> str:
    """Return the webhook's URL from a secret: the plain URL, or JSON with `url` or `webhookUrl`.

    Raise NotDelivered, which quotes nothing of it, when it is none of Slack's and of no allowed host.
    """
    try:
        text = value_in(secret, "url", "webhookUrl")
    except ValueError:
        raise NotDelivered("the secret is neither a URL nor JSON with the field `url`") from None
    if not hosts.allows(text, SLACK_HOOKS):
        raise NotDelivered(
            "the secret contains no address of a webhook that messages are sent to; it has to begin with "
            f"https://{SLACK_HOOKS.own[0]}/, or with https:// and a host in {SLACK_HOOKS.parameter}, a parameter of "
            "the operator's stack"
        )
    return text


def _pieces(text: str, room: int) -> Iterator[str]:
    """Cut text into pieces of at most `room` characters, at line ends where there are any."""
    while len(text) > room:
        cut = text.rfind("\n", 1, room)
        cut = cut if cut > 0 else room
        # Do not cut inside an escape sequence: Slack would show `&am`.
        ampersand = text.rfind("&", max(0, cut - 4), cut)
        if ampersand > 0 and ";" not in text[ampersand:cut]:
            cut = ampersand
        if text[:cut].strip():
            yield text[:cut]
        text = text[cut:].removeprefix("\n")
    if text.strip():
        yield text
