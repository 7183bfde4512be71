"""The website behind a small HTTP server on loopback, which turns requests into events as a function URL does."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pages.site_world import Site

PREFIX = "/prod/approvals"
"""Stands before every path, as it may in front of a function URL; cut off before the handler sees it."""
_LONGEST = 1_000_000


class Server:
    """The server's address, and what it has seen."""

    def __init__(self, site: Site, address: str) -> None:
        self.site, self.address = site, address
        self.statuses: list[tuple[str, str, int]] = []
        self.times: list[float] = []

    def url(self, path: str) -> str:
        """Return the address of a path of the site."""
        return f"{self.address}{PREFIX}{path}"


@contextmanager
def serving(site: Site) -> Iterator[Server]:
    """Serve until left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            began = time.perf_counter()
            length = min(int(self.headers.get("content-length") or 0), _LONGEST)
            body = self.rfile.read(length) if length else b""
            path, _, query = self.path.partition("?")
            answer = site.serve(
                {
                    "version": "2.0",
                    "rawPath": path.removeprefix(PREFIX),
                    "rawQueryString": query,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "requestContext": {"http": {"method": self.command, "sourceIp": self.client_address[0]}},
                    "body": base64.b64encode(body).decode() if body else None,
                    "isBase64Encoded": bool(body),
                }
            )
            data = answer.body.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            server.statuses.append((self.command, path, answer.status))
            server.times.append(time.perf_counter() - began)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(site, f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
