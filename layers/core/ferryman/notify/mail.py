"""Mail through SES. `notify.personal_mail` sends through it, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import MailContent, SESClient
from ferryman.messages.links import links_of, with_links
from ferryman.notify.approval_links import around_link, link_for, text_with_link
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered
from ferryman.notify.message_parts import parts_of
from ferryman.platform import MailChannel
from ferryman.records import OutboxMessage
from ferryman.suggestions import suggest

_PROSE = "white-space:pre-wrap;overflow-wrap:anywhere;font-family:sans-serif;margin:0 0 1em"
_LOG = "background:#f4f4f4;border:1px solid #ddd;padding:8px;white-space:pre-wrap;font-size:12px"


_LINK = "font:bold 16px sans-serif;padding:10px 0;margin:0"
"""High enough for a finger."""
_BODY = "margin:0 auto;padding:16px;max-width:640px;font-size:16px;line-height:1.45"
_BUTTON = (
    "display:block;box-sizing:border-box;max-width:400px;text-align:center;padding:14px 28px;border-radius:6px;"
    "background:#1a4f8b;color:#ffffff;font:bold 17px sans-serif;text-decoration:none"
)


def send(message: OutboxMessage, channel: MailChannel, context: Context) -> None:
    """Send a message to the channel's recipients. Raise NotNeeded, ReferenceUnresolved, or what SES answers."""
    link = link_for(message, context)
    send_mail(message, context.text(channel.sender), context.texts(channel.to), context.client("sesv2"), link)


def send_mail(message: OutboxMessage, sender: str, to: list[str], ses: SESClient, link: str | None = None) -> None:
    """Send a message, as text and as HTML, in one mail to all recipients: SES accepts it for all or for none.

    `link` replaces the message's placeholder, if it has one. Raise Throttled, Unavailable, or what SES answers.
    """
    with translated(), _explained():
        ses.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": to},
            Content={
                "Simple": {
                    "Subject": _data(message.subject),
                    "Body": {
                        "Text": _data(with_links(message, text_with_link(message.text, link))),
                        "Html": _data(html(message, link)),
                    },
                }
            },
        )


@contextmanager
def _explained() -> Iterator[None]:
    """Say what to do about a mail that SES rejects: an address that is not verified is by far the most frequent reason.

    Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
    """
    try:
        yield
    except Refusal as error:
        if code_of(error) not in ("MessageRejected", "MailFromDomainNotVerifiedException"):
            raise
        verify = (
            "verify the sender in SES (in SES's sandbox each recipient, too), or write a verified address as `from`"
        )
        raise NotDelivered(f"{error}; {verify}. {suggest('doctor')} says which address is not verified") from None


def html(message: OutboxMessage, link: str | None = None) -> str:
    """Return the message as HTML: all escaped, nothing loaded from elsewhere, no address but `link` and its links."""
    around = around_link(message.text) if link else None
    if link is None or around is None:
        body = _prose(message.text)
    else:
        body = f"{_prose(around[0])}\n{_button(link)}\n{_prose(around[1])}"
    body += "".join(
        f'\n<p style="{_LINK}"><a href="{escape(url, quote=True)}">{escape(label)}</a></p>'
        for label, url in links_of(message)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(message.subject)}</title></head>"
        f'<body style="{_BODY}">\n{body}\n</body></html>'
    )


def _prose(text: str) -> str:
    return "\n".join(
        f'<pre style="{_LOG}">{escape(part.text)}</pre>' if part.log else f'<p style="{_PROSE}">{escape(part.text)}</p>'
        for part in parts_of(text)
    )


def _button(link: str) -> str:
    """A link styled as a button, followed by its address in plain text."""
    address = escape(link, quote=True)
    return (
        f'<p style="margin:0 0 1em"><a href="{address}" style="{_BUTTON}">Review and decide</a></p>\n'
        f'<p style="{_PROSE};font-size:13px;word-break:break-all">If the button does not work, open: {address}</p>'
    )


def _data(text: str) -> MailContent:
    return {"Data": text, "Charset": "UTF-8"}
