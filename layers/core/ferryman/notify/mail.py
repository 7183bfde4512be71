"""Mail through SES. Called by `ferryman.notify.channels`."""

from html import escape
from typing import Any

from ferryman.notify.parts import parts_of
from ferryman.records import OutboxMessage

_PROSE = "white-space:pre-wrap;font-family:sans-serif;margin:0 0 1em"
_LOG = "background:#f4f4f4;border:1px solid #ddd;padding:8px;white-space:pre-wrap;font-size:12px"


def send(message: OutboxMessage, sender: str, to: list[str], ses: Any) -> None:
    """Send a message, as text and as HTML, in one mail to everybody: SES takes it whole or not at all."""
    ses.send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": to},
        Content={
            "Simple": {
                "Subject": _data(message.subject),
                "Body": {"Text": _data(message.text), "Html": _data(html(message))},
            }
        },
    )


def html(message: OutboxMessage) -> str:
    """Return the message as HTML: no link, no image, nothing from elsewhere; everything escaped."""
    body = "\n".join(
        f'<pre style="{_LOG}">{escape(part.text)}</pre>' if part.log else f'<p style="{_PROSE}">{escape(part.text)}</p>'
        for part in parts_of(message.text)
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(message.subject)}</title></head>'
        f"<body>\n{body}\n</body></html>"
    )


def _data(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
