"""An HTTP transport with one deadline for everything it does.

Called by `clients.http_client`, `clients.slack` and `clients.github.client`, and by the command. The time-outs of httpx
bound each read: a server that sends a byte now and then keeps a call going for ever. Here the deadline bounds each
operation on the socket, so the call ends with one of httpx's time-outs, in the thread that made it, and its socket is
closed.

Source: https://www.encode.io/httpcore/network-backends/. What no time-out reaches is the system's resolver.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class DeadlineTransport(httpx.HTTPTransport):
    """Reaches servers directly, without proxies, until `ends` (seconds of `time.monotonic`)."""

    def __init__(self, ends: float, verify: ssl.SSLContext | bool = True) -> None:
        super().__init__(verify=False)
        # httpx has no parameter for a network backend; httpcore has.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=verify, trust_env=False), network_backend=_Backend(ends)
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of a name's addresses; all tries together take no longer than one would."""
        ends = min(self._ends, time.monotonic() + timeout) if timeout is not None else self._ends
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            try:
                left = _left(ends, None, httpcore.ConnectTimeout)
                stream = self._backend.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._ends)
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, ends: float) -> None:
        self._stream = stream
        self._ends = ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._ends, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The stream below would give each part of a large buffer the whole time.
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _left(self._ends, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = _left(self._ends, timeout, httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self.close()
            raise
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


_PIECE = 65_536
"""Bytes."""


def _left(ends: float, timeout: float | None, late: type[Exception]) -> float:
    """Return how many seconds an operation may take; raise `late` when the deadline has passed."""
    left = ends - time.monotonic()
    if left <= 0:
        raise late("the deadline has passed")
    return left if timeout is None else min(left, timeout)
