"""Requests and answers of the public functions: payload format 2.0 of a function URL, forms in, pages out. Pure.

Anyone can send requests here. A request that is not understood gets a 4xx answer that says why.
Format: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

BODY_LIMIT = 65_536
"""Bytes of a decoded body. Slack's payload of a message with its blocks is much smaller."""
_FIELDS = 32
JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_DEEPEST = 12

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "strict-transport-security": "max-age=31536000",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_POLICY = "default-src 'none'; {style}form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class BadRequest(Exception):
    """A request that is invalid; the message is for people."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """One request as it was read, not yet validated."""

    method: str
    segments: tuple[str, ...]
    """The path from its last `a` or `slack` on; a prefix before it is dropped."""
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    source: str
    """Network address and user agent, for the record of a decision."""
    raw: Any = field(repr=False)
    encoded: bool = False

    def body(self) -> bytes:
        """Return the body; raise BadRequest when it is too large or cannot be decoded."""
        text = self.raw if isinstance(self.raw, str) else ""
        if len(text) > BODY_LIMIT * 2:
            raise BadRequest(413, f"The request is too large. The limit is {BODY_LIMIT // 1024} kB.")
        try:
            data = base64.b64decode(text, validate=True) if self.encoded else text.encode()
        except (binascii.Error, ValueError):
            raise BadRequest(400, "The request's body could not be decoded.") from None
        if len(data) > BODY_LIMIT:
            raise BadRequest(413, f"The request is too large. The limit is {BODY_LIMIT // 1024} kB.")
        return data

    def form(self) -> dict[str, str]:
        """Return the fields of an HTML form; raise BadRequest for any other body, or a field sent twice."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            raise BadRequest(415, "The request is not a form. Open the page in a browser and use the form on it.")
        return fields(self.body())


def fields(data: bytes) -> dict[str, str]:
    """Return the fields of an encoded form; raise BadRequest when it is not a form or contains a field twice."""
    try:
        pairs = parse_qsl(
            data.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS, strict_parsing=bool(data)
        )
    except ValueError:  # also UnicodeDecodeError
        raise BadRequest(400, "The form could not be read. Reload the page and try again.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest(400, "The form contains a field twice. Reload the page and try again.")
    return found


def parse(event: dict[str, Any]) -> Request:
    """Read an invocation event. Never raises: what is missing is empty."""
    http = _mapping(_mapping(event.get("requestContext")).get("http"))
    headers = {str(name).lower(): str(value) for name, value in _mapping(event.get("headers")).items()}
    path = unquote(str(event.get("rawPath") or "/"), errors="replace")
    query = dict(parse_qsl(str(event.get("rawQueryString") or "")[:2_000], errors="replace"))
    program = headers.get("user-agent", "")[:200]
    return Request(
        method=str(http.get("method") or "GET").upper(),
        segments=_segments(path),
        query=query,
        headers=headers,
        source=" ".join(part for part in (str(http.get("sourceIp") or ""), program) if part),
        raw=event.get("body"),
        encoded=event.get("isBase64Encoded") is True,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _segments(path: str) -> tuple[str, ...]:
    """Split a path and drop a prefix: `/stage/a/<id>` becomes `a/<id>`."""
    parts = tuple(path.split("/")[1:][:_DEEPEST])
    if parts[-1:] == ("slack",):
        return ("slack",)
    for start in (len(parts) - 2, len(parts) - 3):
        if start >= 0 and parts[start] == "a":
            return parts[start:]
    return parts


def answer(
    status: int,
    body: str = "",
    *,
    kind: str = "text/html; charset=utf-8",
    style: str | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the answer of a function URL, with security headers; `style` is the hash of the page's style sheet."""
    policy = _POLICY.format(style=f"style-src '{style}'; " if style else "")
    own = {"content-type": kind, "content-security-policy": policy}
    return {
        "statusCode": status,
        "headers": {**own, **HEADERS, **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }


def redirect(to: str) -> dict[str, Any]:
    """Redirect a browser that has posted a form to the page with the result; `to` is relative."""
    return answer(303, headers={"location": to})


def moved(to: str) -> dict[str, Any]:
    """Redirect to the same page at another host, for good; `to` is made of parts that were checked."""
    return answer(308, headers={"location": to})
