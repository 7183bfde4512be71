"""The relay between Docker's network and the emulator: bytes both ways, an end, and no listener where it may not be."""

import gc
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from ferryman_local.engines import tcp_relay
from ferryman_local.engines.tcp_relay import TcpRelay

SECONDS = 10.0
type Narrow = tuple[tuple[str, int], socket.socket]


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that answers each connection with what it got, once that has ended."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(whole(connection)[::-1])

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(SECONDS)


def whole(connection: socket.socket) -> bytes:
    """All that comes, to the end."""
    got = b""
    while chunk := connection.recv(65536):
        got += chunk
    return got


def relay_to(target: tuple[str, int]) -> tuple[TcpRelay, tuple[str, int]]:
    """A relay, and where it listens."""
    relay = TcpRelay.listening("127.0.0.2", 0, target)
    assert relay is not None
    return relay, ("127.0.0.2", relay.port)


def through(address: tuple[str, int], data: bytes) -> bytes:
    with socket.create_connection(address, timeout=SECONDS) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return whole(client)


def test_bytes_go_both_ways_and_ends_too(echo: tuple[str, int]) -> None:
    relay, address = relay_to(echo)
    data = bytes(range(256)) * 4096
    assert through(address, data) == data[::-1]
    assert through(address, b"again") == b"niaga"
    relay.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=SECONDS)
    relay.stop()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Narrow]:
    """A relay with room for one connection, and the listener behind it."""
    monkeypatch.setattr(tcp_relay, "CONNECTIONS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        relay, address = relay_to(listener.getsockname())
        yield address, listener
        relay.stop()


def test_a_client_that_keeps_a_connection_which_the_server_has_ended_takes_no_room(narrow: Narrow) -> None:
    address, listener = narrow
    with socket.create_connection(address, timeout=SECONDS) as idle:
        with listener.accept()[0] as first:
            first.sendall(b"bye")
        assert idle.recv(3) == b"bye"
        with socket.create_connection(address, timeout=SECONDS), listener.accept()[0]:
            pass


@pytest.mark.parametrize(("reset", "linger"), [(1, SECONDS * 3), (0, 0.3)], ids=["reset", "ended"])
def test_a_client_that_has_gone_takes_no_room_though_the_server_has_not_ended(
    narrow: Narrow, monkeypatch: pytest.MonkeyPatch, reset: int, linger: float
) -> None:
    address, listener = narrow
    monkeypatch.setattr(tcp_relay, "LINGER_SECONDS", linger)
    gone = socket.create_connection(address, timeout=SECONDS)
    with listener.accept()[0]:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", reset, 0))
        gone.close()
        gc.collect()  # nobody else may refer to what context this connection on
        with socket.create_connection(address, timeout=SECONDS), listener.accept()[0]:
            pass


def test_nobody_behind_it_closes_the_connection() -> None:
    relay, address = relay_to(("127.0.0.1", 9))
    assert through(address, b"") == b""
    relay.stop()


def test_an_address_of_another_machine_is_none() -> None:
    assert TcpRelay.listening("192.0.2.1", 4566, ("127.0.0.1", 4566)) is None
