"""Lets containers reach the emulator, which listens on loopback only. Used by docker_engine.py, on Linux.

It listens on the gateway address of the emulator's own Docker network, which only containers of that network and this
machine can reach, and forwards every connection.
"""

import asyncio
import contextlib
import socket
import threading
from typing import Self

CONNECTIONS = 256
"""Concurrent connections; more have to wait."""
LINGER_SECONDS = 2.0
"""Seconds that a response may take after the client has closed its side. Most such clients are gone; without the limit,
a server that keeps idle connections for a minute would occupy a slot for as long."""
_CHUNK = 65536


class TcpRelay:
    """One listening socket, served by its own thread."""

    def __init__(self, listener: socket.socket, target: tuple[str, int]) -> None:
        self._listener, self._target = listener, target
        self.port: int = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._tasks: set[asyncio.Task[None]] = set()
        """References to the tasks: asyncio keeps only weak ones and drops a task once its client is gone."""
        self._thread = threading.Thread(target=self._run, name="ferryman-relay", daemon=True)

    @classmethod
    def listening(cls, address: str, port: int, target: tuple[str, int]) -> Self | None:
        """Start a relay (port 0: any free port); None if the address does not belong to this machine."""
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
        """Stop it and close all connections; safe to call twice."""
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
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Nothing waits while it closes: a slot is given back whatever becomes of the two connections.
        async with self._room:
            with contextlib.closing(writer), contextlib.suppress(OSError):
                there_reader, there_writer = await asyncio.open_connection(*self._target)
                with contextlib.closing(there_writer):
                    await _exchange((reader, writer), (there_reader, there_writer))


type _Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _exchange(client: _Side, server: _Side) -> None:
    """Forward bytes in both directions until the server closes the connection, even if the client keeps it open (an
    idle pool, a frozen container). A client that has closed its side still gets its response."""
    asking = asyncio.create_task(_pump(client[0], server[1]))
    answering = asyncio.create_task(_pump(server[0], client[1]))
    try:
        await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
        if client[0].exception() is None and not answering.done():
            await asyncio.wait((answering,), timeout=LINGER_SECONDS)
    finally:
        asking.cancel()
        answering.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
