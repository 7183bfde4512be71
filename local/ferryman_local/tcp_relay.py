"""Lets containers reach the emulator, which listens on loopback only. Used by docker_engine.py, on Linux.

It listens on the gateway address of the emulator's own Docker network, where only that network's containers (and this
machine) get to, and hands every connection on.
"""

import asyncio
import contextlib
import socket
import threading
from typing import Self

CONNECTIONS = 128
"""At once; more wait for their turn."""
_CHUNK = 65536


class TcpRelay:
    """One listening socket, served by a thread of its own."""

    def __init__(self, listener: socket.socket, target: tuple[str, int]) -> None:
        self._listener, self._target = listener, target
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._thread = threading.Thread(target=self._run, name="ferryman-relay", daemon=True)

    @classmethod
    def listening(cls, address: str, port: int, target: tuple[str, int]) -> Self | None:
        """Start one; None where the address is not this machine's."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError:
            listener.close()
            return None
        listener.listen(CONNECTIONS)
        relay = cls(listener, target)
        relay._thread.start()
        return relay

    def stop(self) -> None:
        """End it with every connection; safe to call twice."""
        with contextlib.suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._hand_on, sock=self._listener)
        await self._end.wait()
        server.close()
        open_ones = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._room:
            try:
                there_reader, there_writer = await asyncio.open_connection(*self._target)
            except OSError:
                await _close(writer)
                return
            try:
                await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
            finally:
                await _close(there_writer)
                await _close(writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
