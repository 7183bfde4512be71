"""STS's answers, as bytes of HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ferryman.clients import sts
from ferryman.errors import Unavailable

HOST = "sts.eu-west-1.amazonaws.com"
HEADERS = {"host": HOST, "x-amz-date": "20261201T000000Z", "authorization": "AWS4-HMAC-SHA256 Credential=x"}
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
JO = "arn:aws:iam::123456789012:user/people/jo@example.com"


def identity(arn: str) -> bytes:
    """The documented form of an answer."""
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>01234567</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    ).encode()


def error(code: str) -> bytes:
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>".encode()


class Server(HTTPServer):
    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(
            (self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        )  # fmt: skip
        status, answer = self.server.answers.pop(0)
        self.send_response(status)
        if status in (301, 302, 307):
            self.send_header("location", f"{self.server.address}/elsewhere")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(server: Server) -> str:
    return sts.caller(HOST, HEADERS, BODY, connect=f"{server.address}/")


@pytest.mark.parametrize(
    "arn", [JO, "arn:aws-us-gov:sts::123456789012:assumed-role/Dev/jo+x=,.@-_", "arn:aws:iam::123456789012:root"]
)
def test_who_signed(server: Server, arn: str) -> None:
    server.answers.append((200, identity(arn)))

    assert ask(server) == arn
    ((method, path, headers, body),) = server.seen
    assert (method, path, body, headers["host"]) == ("POST", "/", BODY, HOST)
    assert {name: headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("status", "code"), [(403, "SignatureDoesNotMatch"), (403, "ExpiredToken"), (400, "IncompleteSignature")]
)
def test_what_sts_does_not_confirm(server: Server, status: int, code: str) -> None:
    server.answers.append((status, error(code)))

    with pytest.raises(sts.Unconfirmed, match=f"^{code}$"):
        ask(server)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        pytest.param(500, error("InternalFailure"), id="broken"),
        pytest.param(503, b"", id="unavailable"),
        pytest.param(400, error("Throttling"), id="throttled"),
        pytest.param(429, b"", id="too-many"),
        pytest.param(200, b"<html>captive portal</html>", id="somebody-else"),
        pytest.param(200, identity("arn:aws:iam::123456789012:user/jo\n<Arn>"), id="not-an-arn"),
        pytest.param(307, b"", id="redirect"),
    ],
)
def test_what_tells_nothing_is_asked_twice_then_unknown(server: Server, status: int, answer: bytes) -> None:
    server.answers += [(status, answer)] * 2

    with pytest.raises(Unavailable, match="so it is not known who asks; nothing was done"):
        ask(server)
    assert [path for _, path, _, _ in server.seen] == ["/", "/"]


def test_a_second_try_that_succeeds(server: Server) -> None:
    server.answers += [(503, b""), (200, identity(JO))]

    assert ask(server) == JO


def test_nobody_there() -> None:
    with pytest.raises(Unavailable, match="could not be reached"):
        sts.caller(HOST, HEADERS, BODY, connect="http://127.0.0.1:1")


def test_proxies_of_the_environment_are_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers.append((200, identity(JO)))

    assert ask(server) == JO
