"""A CloudFront distribution in front of the approval pages, as docs/production.md describes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from ferryman.approvals.web.origin import HEADER

_OWN = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", HEADER}


class Domain:
    """Sends `/slack` to one function and all else to the other, with the secret header and whatever the viewer sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages = self.slack = ""
        """URLs of the functions."""
        self.secret = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Forward one request. A header of the viewer with the secret's name is replaced."""
        origin = self.slack if path.split("?")[0] == "/slack" else self.pages
        passed = {name: value for name, value in headers.items() if name.lower() not in _OWN}
        passed[HEADER] = self.secret
        url = origin.rstrip("/") + path
        return httpx.request(method, url, headers=passed, content=body, timeout=30, trust_env=False)


@contextmanager
def distribution() -> Iterator[Domain]:
    """Run one on loopback."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            found = domain.answer(self.command, self.path, dict(self.headers.items()), body)
            self.send_response(found.status_code)
            for name, value in found.headers.items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing: a path holds a nonce."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    domain = Domain(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield domain
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
