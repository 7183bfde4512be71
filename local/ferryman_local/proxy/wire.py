"""HTTP/1.1 framing only: messages are forwarded unchanged, so that their signatures stay valid."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

LIMIT = 1 << 20  # bytes of a head or a chunk's size line
_PIECE = 1 << 16


class WireError(Exception):
    """A message is not valid HTTP/1.1, or uses an unsupported feature."""


@dataclass(frozen=True)
class Head:
    """A start line and headers: unchanged, and by lower-case name (the last one wins)."""

    raw: bytes
    start: tuple[str, str, str]
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        version = self.start[2] if self.start[2].startswith("HTTP/") else self.start[0]
        connection = self.headers.get("connection", "").lower()
        return connection != "close" and (version != "HTTP/1.0" or connection == "keep-alive")


@dataclass(frozen=True)
class Framing:
    """How the end of a body is marked."""

    chunked: bool = False
    length: int | None = 0  # None: until the connection closes


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None if the peer closed the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise WireError("the connection closed inside a head") from None
        return None
    lines = raw.decode("latin-1").strip().split("\r\n")
    start = lines[0].split(" ", 2)
    fields = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    return Head(raw, (start[0], start[1], start[2] if len(start) > 2 else ""), headers)


def request_framing(head: Head) -> Framing:
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return Framing(chunked=True, length=None)
    return Framing(length=int(head.headers.get("content-length") or 0))


def response_framing(head: Head, method: str) -> Framing:
    status = int(head.start[1])
    if method == "HEAD" or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return Framing()
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return Framing(chunked=True, length=None)
    if "content-length" in head.headers:
        return Framing(length=int(head.headers["content-length"]))
    return Framing(length=None)


async def pieces(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[bytes]:
    """The chunks of a body as transmitted, including chunk framing."""
    if framing.chunked:
        async for piece in _chunks(reader):
            yield piece
        return
    left = framing.length
    while left is None or left > 0:
        piece = await reader.read(_PIECE if left is None else min(left, _PIECE))
        if not piece:
            if left is None:
                return
            raise WireError("the connection closed inside a body")
        yield piece
        left = None if left is None else left - len(piece)


async def body(reader: asyncio.StreamReader, framing: Framing) -> bytes:
    """The whole body as transmitted."""
    return b"".join([piece async for piece in pieces(reader, framing)])


def content(raw: bytes, framing: Framing) -> bytes:
    """The whole body without chunk framing."""
    if not framing.chunked:
        return raw
    parts, at = [], 0
    while (size := int(raw[at : (end := raw.index(b"\r\n", at))].partition(b";")[0], 16)) > 0:
        parts.append(raw[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            yield line
            break
        yield line + await reader.readexactly(size + 2)
    while True:  # trailers, up to the empty line
        line = await reader.readuntil(b"\r\n")
        yield line
        if line == b"\r\n":
            return
