"""The client that asks all the time: what it counts, and what it calls a failure."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ferryman_local.demo import visitor
from ferryman_local.demo.visitor import AT_ONCE, Answer, Visit, Visitor
from local.clock import until

SECONDS = 10.0


class Site:
    """A page that tells its version; `status` and `wait` make it a bad one."""

    def __init__(self) -> None:
        self.version, self.status, self.wait = "one", 200, threading.Event()
        self.wait.set()
        self.under_way, self.most, self.lock = 0, 0, threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with site.lock:
                    site.under_way += 1
                    site.most = max(site.most, site.under_way)
                site.wait.wait(SECONDS)
                body = f'<b id="web-version">{site.version}</b>'.encode()
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with site.lock:  # before the answer is whole: its reader may ask again at once
                    site.under_way -= 1
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(visitor, "EVERY_SECONDS", 0.005)
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.wait.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_it_sees_a_version_change_and_no_failure(site: Site) -> None:
    with Visitor(site.url) as client:
        until(lambda: len(client.visit.answers) > 5, "answers", SECONDS)
        site.version = "two"
        until(lambda: "two" in client.visit.versions, "the second version", SECONDS)
    assert client.visit.failures == []
    assert client.visit.versions == ["one", "two"]
    assert client.visit.first("one") <= client.visit.last("one")
    assert " 0 failed" in client.visit.told()


def test_a_page_that_is_not_the_page_is_a_failure(site: Site) -> None:
    site.status = 502
    with Visitor(site.url) as client:
        until(lambda: client.visit.answers, "an answer", SECONDS)
    assert len(client.visit.failures) == len(client.visit.answers)
    assert client.visit.failures[0].problem.startswith("HTTP 502")
    assert client.visit.versions == []


def test_nobody_there_is_a_failure(site: Site) -> None:
    with Visitor("http://127.0.0.1:9") as client:
        until(lambda: client.visit.answers, "an answer", SECONDS)
    assert "ConnectError" in client.visit.failures[0].problem


@pytest.mark.parametrize("error", [ValueError("no HTTP at all"), httpx.InvalidURL("what?")], ids=["ours", "httpx"])
def test_whatever_breaks_is_a_failure_and_the_next_one_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def breaks(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(visitor.httpx, "get", breaks)
    with Visitor(site.url) as client:
        until(lambda: len(client.visit.answers) > AT_ONCE, "more answers than may be under way", SECONDS)
    assert len(client.visit.failures) == len(client.visit.answers)
    assert client.visit.failures[0].problem == f"{type(error).__name__}: {error}"


def test_few_requests_are_under_way_at_once_and_what_is_left_out_is_counted(site: Site) -> None:
    site.wait.clear()
    with Visitor(site.url) as client:
        until(lambda: client.visit.late > 3 and site.most == AT_ONCE, "requests that are left out", SECONDS)
        site.wait.set()
        until(lambda: len(client.visit.answers) > AT_ONCE, "more answers than may be under way", SECONDS)
    assert site.most == AT_ONCE
    assert f", {client.visit.late} left out" in client.visit.told()


@pytest.mark.parametrize(
    ("share", "wanted"), [(0.5, 0.50), (0.99, 0.99), (1.0, 1.0)], ids=["median", "tail", "the-slowest"]
)
def test_quantiles(share: float, wanted: float) -> None:
    visit = Visit([Answer(0.0, number / 100, "one") for number in range(1, 101)])
    assert visit.quantile(share) == wanted
