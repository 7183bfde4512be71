"""A server on loopback that sends a byte now and then.

It gives up after `PATIENCE`, with an answer that is complete: a call without a deadline would return it.
"""

import socket
import threading
import time
from collections.abc import Iterator

PATIENCE = 20.0
"""Seconds."""
SECONDS = 1.5
"""A caller's deadline: longer than the pause between two bytes, so no time-out of a single read ends the call."""
PAUSE = 0.05

DRIPS = {
    "status-line": (b"", b"HTTP/1.1 200 O", b"K\r\ncontent-length: 2\r\n\r\n{}"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-a: 1\r\n", b"content-length: 2\r\n\r\n{}"),
    "one-header": (b"HTTP/1.1 200 OK\r\nx-a: ", b"x", b"\r\ncontent-length: 2\r\n\r\n{}"),
    "informational": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
    "body": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"2\r\n{}\r\n0\r\n\r\n"),
}
"""What is sent at once, what is sent byte by byte, again and again, and what ends the answer."""


class Dripping:
    """A server of one connection after another."""

    def __init__(self, drip: tuple[bytes, bytes, bytes]) -> None:
        self._begin, self._again, self._end = drip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.hung_up = threading.Event()
        """The client closed a connection before its answer had ended."""
        self._thread.start()

    def close(self) -> None:
        # Closing alone does not wake a thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE + 10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    self.hung_up.set()

    def _answer(self, connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(self._begin)
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            for byte in self._again:
                connection.settimeout(PAUSE)
                try:
                    if connection.recv(65_536) == b"":
                        raise BrokenPipeError
                except TimeoutError:
                    pass
                connection.sendall(bytes([byte]))
        connection.sendall(self._end)


def serving(drip: tuple[bytes, bytes, bytes]) -> Iterator[Dripping]:
    server = Dripping(drip)
    yield server
    server.close()


def assert_closed(server: Dripping, threads: int) -> None:
    assert server.hung_up.wait(PATIENCE + 10)
    assert threading.active_count() <= threads
