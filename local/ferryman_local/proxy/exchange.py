"""One request and its response, with the faults that apply to it."""

import asyncio
import contextlib
import hashlib
import time

from ferryman_local.proxy import answers, wire
from ferryman_local.proxy.faults import Book, Fault, Key, Request
from ferryman_local.proxy.identify import Call, identify

_LONGEST_TIMEOUT = 60.0  # seconds
_REMEMBER_BELOW = 1 << 20  # bytes of an answer that `stale` may need
_REUSE_WITHIN = 30.0  # seconds; less than the emulator keeps an idle connection (75 s)


class Upstream:
    """The connection to the emulator that belongs to one client connection."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used_at = 0.0

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the open connection or a new one; a connection that the emulator may be closing is not reused."""
        if self._streams is not None:
            reader, writer = self._streams
            if reader.at_eof() or writer.is_closing() or time.monotonic() - self._used_at > _REUSE_WITHIN:
                await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=wire.LIMIT)
        self._used_at = time.monotonic()
        return self._streams

    async def close(self) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class Exchange:
    """Reads a request, forwards it, and returns the response."""

    def __init__(
        self, book: Book, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Upstream
    ) -> None:
        self._book = book
        self._reader = reader
        self._writer = writer
        self._upstream = upstream

    async def run(self) -> bool:
        """Return True if the client's connection can be used for another request."""
        head = await wire.read_head(self._reader)
        if head is None:
            return False
        if head.headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        framing = wire.request_framing(head)
        raw = await wire.body(self._reader, framing)
        payload = wire.content(raw, framing)
        call = identify(head, payload)
        key = _key(head, call, payload)
        request = Request(
            service=call.service,
            action=call.action,
            access_key=call.access_key,
            method=head.start[0],
            path=head.start[1],
            arguments=call.arguments,
            user_agent=head.headers.get("user-agent", ""),
            at=time.monotonic(),
        )
        try:
            faults = self._book.open(request, call, key)
            return await self._answer(request, head, raw, call, key, faults)
        finally:
            self._book.close(request)

    async def _answer(
        self, request: Request, head: wire.Head, raw: bytes, call: Call, key: Key, faults: list[Fault]
    ) -> bool:
        await asyncio.sleep(sum(fault.seconds for fault in faults if fault.kind == "delay"))
        fault = next((fault for fault in faults if fault.kind != "delay"), None)
        if fault is None:
            return await self._pass(request, head, raw, key)
        if fault.kind in ("throttle", "error"):
            return await self._refuse(request, head, call, fault)
        if fault.kind == "stale":
            return await self._stale(request, head, raw, key, fault)
        if fault.kind == "lost_response" or fault.forward:
            await self._whole(request, head, raw)
        if fault.kind == "timeout":
            await self._hang(fault.seconds or _LONGEST_TIMEOUT)
        self._writer.transport.abort()
        return False

    async def _pass(self, request: Request, head: wire.Head, raw: bytes, key: Key) -> bool:
        answer, reader = await self._forward(request, head, raw)
        framing = wire.response_framing(answer, request.method)
        self._writer.write(answer.raw)
        if framing.length is not None and framing.length < _REMEMBER_BELOW:
            payload = await wire.body(reader, framing)
            if request.status == 200:
                self._book.remember(key, answer.raw + payload)
            else:
                request.error = answers.error_code(answer, payload)
            self._writer.write(payload)
        else:  # large or of unknown size: as it comes
            async for piece in wire.pieces(reader, framing):
                self._writer.write(piece)
                await self._writer.drain()
        await self._writer.drain()
        return await self._goes_on(head, answer, framing)

    async def _refuse(self, request: Request, head: wire.Head, call: Call, fault: Fault) -> bool:
        code, status = answers.throttle_of(call.service) if fault.kind == "throttle" else ("InternalFailure", 500)
        request.status = fault.status or status
        message = fault.message or ("Rate exceeded" if fault.kind == "throttle" else "An injected error.")
        text = answers.error(call, head, status=request.status, code=fault.code or code, message=message)
        self._writer.write(text)
        await self._writer.drain()
        return head.keeps_alive

    async def _stale(self, request: Request, head: wire.Head, raw: bytes, key: Key, fault: Fault) -> bool:
        if fault.transform is None:
            request.status = 200  # only such answers are remembered
            self._writer.write(fault.answers[key])
            await self._writer.drain()
            return head.keeps_alive
        answer, payload, framing = await self._whole(request, head, raw)
        if request.status == 200:
            self._writer.write(answers.transformed(answer, wire.content(payload, framing), fault.transform))
        else:
            self._writer.write(answer.raw + payload)
        await self._writer.drain()
        return await self._goes_on(head, answer, framing)

    async def _whole(self, request: Request, head: wire.Head, raw: bytes) -> tuple[wire.Head, bytes, wire.Framing]:
        answer, reader = await self._forward(request, head, raw)
        framing = wire.response_framing(answer, request.method)
        return answer, await wire.body(reader, framing), framing

    async def _forward(self, request: Request, head: wire.Head, raw: bytes) -> tuple[wire.Head, asyncio.StreamReader]:
        """Forward the request unchanged; return the head of the response, whose body is still unread."""
        reader, writer = await self._upstream.streams()
        request.forwarded = True
        writer.write(head.raw + raw if len(raw) < _REMEMBER_BELOW else head.raw)
        if len(raw) >= _REMEMBER_BELOW:
            writer.write(raw)
        await writer.drain()
        answer = await wire.read_head(reader)
        while answer is not None and answer.start[1].startswith("1"):  # the client got its 100 from us
            answer = await wire.read_head(reader)
        if answer is None:
            raise wire.WireError("the emulator closed the connection without an answer")
        request.status = int(answer.start[1])
        return answer, reader

    async def _goes_on(self, head: wire.Head, answer: wire.Head, framing: wire.Framing) -> bool:
        if not answer.keeps_alive or (framing.length is None and not framing.chunked):
            await self._upstream.close()
            return False
        return head.keeps_alive

    async def _hang(self, seconds: float) -> None:
        """Wait until the client closes the connection or the time is over."""
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(self._reader.read(1), min(seconds, _LONGEST_TIMEOUT))


def _key(head: wire.Head, call: Call, payload: bytes) -> Key:
    """The same request again: target or path, and body; not its signature or time."""
    what = f"{call.action} {head.start[0]} {head.start[1]}"
    return (call.service, what, hashlib.sha256(payload).digest())
