"""A message to Slack, over HTTP."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman.notify import slack
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered
from ferryman.platform import ChatChannel
from ferryman.platform.hosts import Hosts
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock
from unit.fakes.secrets import arn
from unit.fakes.services import FakeServices
from unit.notify_world import BASE, message


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = 302 if self.path == "/moved" else 403 if self.path == "/revoked" else 200
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/hook")
        self.end_headers()
        self.wfile.write(b"invalid_token" if status == 403 else b"ok")

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def hook() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


CHANNEL = ChatChannel(type="slack", webhook_secret_arn=arn("hook"))


@pytest.fixture
def context(store: Store, clock: FakeClock, services: FakeServices, hook: str) -> Context:
    """Without a fake of the network: what is sent goes to the address in the secret."""
    own = Hosts(slack=f"{hook},http://127.0.0.1:1", loopback=True)
    return Context(services, store, clock, BASE, hosts=own)


def test_slack_over_http(hook: str, context: Context, services: FakeServices) -> None:
    services.secrets["hook"] = f"{hook}/hook"
    slack.send(message("x"), CHANNEL, context)
    services.secrets["hook"] = f"{hook}/revoked"
    with pytest.raises(NotDelivered, match="Slack answered 403: invalid_token"):
        slack.send(message("x"), CHANNEL, context)
    services.secrets["hook"] = f"{hook}/moved"
    with pytest.raises(NotDelivered, match="Slack answered 302"):
        slack.send(message("x"), CHANNEL, context)


def test_slack_out_of_reach_does_not_tell_the_url(context: Context, services: FakeServices) -> None:
    services.secrets["hook"] = "http://127.0.0.1:1/services/hunter2"
    with pytest.raises(NotDelivered) as caught:
        slack.send(message("x"), CHANNEL, context)
    assert "ConnectError" in str(caught.value)
    assert "hunter2" not in str(caught.value)
