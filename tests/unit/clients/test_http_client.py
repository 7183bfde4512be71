"""One GET within bounds, against a real server on loopback."""

import datetime
import gzip
import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ferryman.clients import http_client as edge
from ferryman.clients.http_client import BODY_LIMIT, NoAnswer, fetch


class Server(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/redirect":
            self.answer(307, b"", location="http://169.254.169.254/latest")
        elif path == "/large":
            self.answer(200, b"x" * (BODY_LIMIT * 3))
        elif path == "/bomb":
            self.answer(200, gzip.compress(b"x" * 10_000_000), **{"content-encoding": "gzip"})
        elif path == "/drip":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            for _ in range(400):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        elif path == "/silent":
            time.sleep(1.5)
        elif path == "/broken":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
        else:
            self.answer(
                200, f"{self.path} {self.headers['host']} {self.headers.get('x-a')}".encode(), **{"X-Version": "7"}
            )

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """A client that hangs up is what these tests are about."""


def serve(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = Quiet(("127.0.0.1", 0), Server)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    yield from serve()


def to(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver that says the same for every name."""
    return lambda host, port: list(addresses)


def ask(url: str, timeout: float = 5, headers: dict[str, str] | None = None, **more: Any) -> Any:
    more.setdefault("resolve", to("127.0.0.1"))
    more.setdefault("allow_loopback", True)
    return fetch(url, headers or {}, True, timeout, **more)


def test_asks_the_judged_address_with_the_name_in_the_host_header(port: int) -> None:
    answer = ask(f"http://api.example:{port}/health?deep=1")
    assert answer.status == 200
    assert answer.headers["x-version"] == "7"
    assert answer.body == f"/health?deep=1 api.example:{port} None".encode()


def test_headers_of_the_check_win(port: int) -> None:
    answer = ask(
        f"http://127.0.0.1:{port}/", headers={"Host": "api.scr.example", "X-A": "1", "Accept-Encoding": "gzip"}
    )
    assert answer.body == b"/ api.scr.example 1"


def test_no_redirect_is_followed(port: int) -> None:
    assert ask(f"http://api.example:{port}/redirect").status == 307


def test_a_large_body_is_cut(port: int) -> None:
    answer = ask(f"http://api.example:{port}/large")
    assert len(answer.body) == BODY_LIMIT
    assert answer.truncated


def test_a_packed_body_is_not_unpacked(port: int) -> None:
    assert len(ask(f"http://api.example:{port}/bomb").body) < BODY_LIMIT


def test_a_body_that_drips_ends_in_time(port: int) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"did not (end|answer) in time"):
        ask(f"http://api.example:{port}/drip", timeout=0.4)
    assert time.monotonic() - began < 10  # it would drip for 20 s


@pytest.mark.parametrize(
    ("path", "told"),
    [("/silent", "did not answer in time"), ("/broken", "closed the connection")],
    ids=["silent", "broken"],
)
def test_says_what_went_wrong(port: int, path: str, told: str) -> None:
    with pytest.raises(NoAnswer, match=told):
        ask(f"http://api.example:{port}{path}", timeout=0.5)


def test_nobody_listens() -> None:
    with pytest.raises(NoAnswer, match=r"api\.example:1 did not accept the connection"):
        ask("http://api.example:1/")


def test_the_next_address_is_tried(port: int) -> None:
    assert ask(f"http://api.example:{port}/", resolve=to("::1", "127.0.0.1")).status == 200


@pytest.mark.parametrize("address", ["169.254.169.254", "64:ff9b::a9fe:a9fe", "::ffff:a9fe:a9fe", "fd00:ec2::254"])
def test_one_bad_address_of_a_name_is_enough(port: int, address: str) -> None:
    with pytest.raises(NoAnswer, match=r"api\.example was not contacted"):
        ask(f"http://api.example:{port}/", resolve=to("127.0.0.1", address))


def test_a_name_is_resolved_once(port: int) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    assert ask(f"http://api.example:{port}/", resolve=lambda host, port: answers.pop(0)).status == 200
    assert len(answers) == 1


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "169.254.43518", "[::ffff:169.254.169.254]"])
def test_odd_ways_to_write_an_address_are_seen_through(host: str) -> None:
    with pytest.raises(NoAnswer, match="was not contacted"):
        fetch(f"http://{host}/", {}, True, 1)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://api.example/", "plain http"),
        ("ftp://api.example/", "not a URL"),
        ("https:///x", "not a URL"),
        ("https://[x/", "not a URL"),
        ("https://api.example:99999/", "not a URL"),
        ("https://u:hunter2@api.example/", "user or password"),
    ],
)
def test_refuses_before_asking(url: str, told: str) -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError

    with pytest.raises(NoAnswer, match=told) as caught:
        fetch(url, {}, False, 1, resolve=never)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("allow_http", [True, False])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.100.1"])
def test_no_document_reaches_loopback_or_the_runtime(address: str, allow_http: bool) -> None:
    """Not by the name of a host either, which may resolve to anything."""
    with pytest.raises(NoAnswer, match=r"api\.example was not contacted: .*(loopback|link-local)"):
        fetch("https://api.example:9001/", {}, allow_http, 1, resolve=to("93.184.216.34", address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "0"],
)
def test_odd_ways_to_write_loopback_are_seen_through(host: str) -> None:
    with pytest.raises(NoAnswer, match="was not contacted"):
        fetch(f"http://{host}:9001/2018-06-01/runtime/invocation/next", {}, True, 1)


def test_a_redirect_to_the_runtime_is_an_answer_and_is_not_followed(port: int) -> None:
    assert ask(f"http://api.example:{port}/redirect").status == 307


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: Any, **named: Any) -> Any:
        raise OSError("Name or service not known")

    monkeypatch.setattr(edge.socket, "getaddrinfo", unknown)
    with pytest.raises(NoAnswer, match=r"the name nope\.example cannot be resolved"):
        fetch("https://nope.example/", {}, False, 1)


def test_proxies_of_the_environment_are_ignored(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert ask(f"http://api.example:{port}/").status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for api.example that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def tls_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from serve(context)


def test_tls_verifies_the_name_not_the_address(tls_port: int, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    assert ask(f"https://api.example:{tls_port}/", tls=trusted).body == f"/ api.example:{tls_port} None".encode()
    with pytest.raises(NoAnswer, match="certificate"):
        ask(f"https://other.example:{tls_port}/", tls=trusted)


def test_tls_that_nobody_signed_is_refused(tls_port: int) -> None:
    with pytest.raises(NoAnswer, match="certificate"):
        ask(f"https://api.example:{tls_port}/")
