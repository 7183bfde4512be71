"""One deadline for a whole call, against a server on loopback that sends a byte now and then.

The server gives up after `PATIENCE`, with an answer that is complete: a call without a deadline would return it.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ferryman.clients import slack
from ferryman.clients.github.client import REAL_NETWORK, Api
from ferryman.clients.http_client import NoAnswer, fetch
from ferryman.clients.slack import Bot, SlackError, post_webhook, respond_to_action
from ferryman.errors import Unavailable

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


@pytest.fixture(params=[pytest.param(drip, id=name) for name, drip in DRIPS.items()])
def server(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    yield from serving(request.param)


@pytest.fixture
def slow_headers() -> Iterator[Dripping]:
    yield from serving(DRIPS["headers"])


def serving(drip: tuple[bytes, bytes, bytes]) -> Iterator[Dripping]:
    server = Dripping(drip)
    yield server
    server.close()


def assert_closed(server: Dripping, threads: int) -> None:
    assert server.hung_up.wait(PATIENCE + 10)
    assert threading.active_count() <= threads


def test_a_check_whose_answer_arrives_byte_by_byte_ends_at_its_deadline(server: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(NoAnswer, match=r"did not (answer|end) in time"):
        fetch(f"{server.url}/health", {}, True, SECONDS)
    assert_closed(server, threads)


def test_a_server_that_drips_its_tls_handshake_is_given_up(slow_headers: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(NoAnswer):
        fetch(f"https://127.0.0.1:{slow_headers.port}/health", {}, True, SECONDS)
    assert_closed(slow_headers, threads)


@pytest.mark.parametrize(
    "call",
    [
        lambda url: post_webhook(f"{url}/hook", {"text": "x"}),
        lambda url: Bot(url, "xoxb-hunter2").call("chat.postMessage", {"text": "x"}),
    ],
    ids=["webhook", "bot"],
)
def test_slack_whose_answer_arrives_byte_by_byte_is_given_up(
    server: Dripping, call: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = threading.active_count()
    monkeypatch.setattr(slack, "_WEBHOOK_SECONDS", SECONDS)
    monkeypatch.setattr(slack, "_CALL_SECONDS", SECONDS)
    with pytest.raises(SlackError, match=r"did not answer in time \(ReadTimeout\)"):
        call(server.url)
    assert_closed(server, threads)


def test_an_answer_to_a_press_is_given_up_in_silence(
    slow_headers: Dripping, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    respond_to_action(f"{slow_headers.url}/actions/hunter2", {"text": "x"})
    assert "ReadTimeout" in caplog.text
    assert "hunter2" not in caplog.text
    assert slow_headers.hung_up.wait(PATIENCE + 10)


def test_github_whose_answer_arrives_byte_by_byte_ends_with_its_budget(server: Dripping) -> None:
    threads = threading.active_count()
    with pytest.raises(Unavailable):
        Api(server.url, lambda renew: "t", REAL_NETWORK, budget=SECONDS).get("/repos/x/y")
    assert_closed(server, threads)
