"""An HTTP server on loopback that records its requests and can simulate failures. Base of GitHub's and Slack's."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["down", "slow", "nonsense", "error", "forbidden"]
"""down: the connection ends without a response. slow: the response is late. nonsense: 200 and a page instead of JSON.
error: 503. forbidden: 401."""


@dataclass(frozen=True)
class Call:
    """One request, and the status of its response."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    """JSON or a form, decoded; text otherwise."""
    raw: str
    status: int


@dataclass
class Trouble:
    """A failure of the next requests; `times` None means until `remove` or `calm`."""

    kind: Kind
    times: int | None = None
    matches: Callable[[str, str], bool] = lambda _method, _path: True
    seconds: float = 30.0
    """Delay of a slow response, in seconds."""
    hits: int = 0


@dataclass(frozen=True)
class Answer:
    """Status and body of a response: JSON or plain text."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class StandIn:
    """Listens as soon as it is created, so that its URL can be used in documents; serves once started."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The URL, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Serve, in a thread."""
        name = f"{type(self).__name__.lower()}-stand-in"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        self._stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._thread = None
        self._server.server_close()

    # ── what tests steer ──

    def trouble(
        self,
        kind: Kind,
        *,
        times: int | None = None,
        matches: Callable[[str, str], bool] = lambda _method, _path: True,
        seconds: float = 30.0,
    ) -> Trouble:
        """Simulate a failure from now on, for requests whose (method, path) match."""
        made = Trouble(kind, times, matches, seconds)
        with self._lock:
            self._troubles.append(made)
        return made

    def calm(self) -> None:
        """End all failures."""
        with self._lock:
            self._troubles.clear()

    def asked(self, method: str, part: str) -> list[Call]:
        """Requests with this method whose path contains a text."""
        return [call for call in list(self.calls) if call.method == method and part in call.path]

    # ── one request ──

    def respond(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        """Respond like the real service."""
        raise NotImplementedError

    def _take_trouble(self, method: str, path: str) -> Trouble | None:
        with self._lock:
            for trouble in self._troubles:
                if trouble.matches(method, path) and (trouble.times is None or trouble.hits < trouble.times):
                    trouble.hits += 1
                    return trouble
        return None

    def serve(self, request: "_Handler") -> None:
        """Handle one request."""
        parts = urlsplit(request.path)
        path = unquote(parts.path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = request.rfile.read(int(headers.get("content-length") or 0)).decode(errors="replace")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = _decoded(raw, headers.get("content-type", ""))
        trouble = self._take_trouble(request.command, path)
        answer = None
        if trouble is None or trouble.kind == "slow":
            with self._lock:  # one at a time: what they keep is plain lists
                answer = self.respond(request.command, path, query, headers, body)
        if trouble is not None and answer is None:
            answer = _TROUBLED.get(trouble.kind)
        status = answer.status if answer is not None else 0
        self.calls.append(Call(request.command, path, query, headers, body, raw, status))
        if trouble is not None and trouble.kind == "slow":
            self._stopping.wait(trouble.seconds)
        if answer is None:
            with contextlib.suppress(OSError):
                request.connection.shutdown(socket.SHUT_RDWR)
            request.close_connection = True
            return
        request.answer(answer)

    def wait_for(self, look: Callable[[Call], bool], seconds: float = 10.0) -> Call:
        """Wait for such a request; raise TimeoutError if none arrives."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = next((call for call in list(self.calls) if look(call)), None)
            if found is not None:
                return found
            time.sleep(0.05)
        raise TimeoutError(f"{type(self).__name__} did not receive that request within {seconds:.0f} s")


_TROUBLED = {
    "nonsense": Answer(200, "<html><body>Sign in to the guest network</body></html>", {"content-type": "text/html"}),
    "error": Answer(503, {"message": "No server is currently available to service your request."}),
    "forbidden": Answer(401, {"message": "Bad credentials"}),
}


def _decoded(raw: str, content_type: str) -> Any:
    if "json" in content_type:
        with contextlib.suppress(ValueError):
            return json.loads(raw)
    if "form-urlencoded" in content_type:
        return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}
    return raw


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_arguments: object) -> None:
        """Print nothing; requests are recorded."""

    def answer(self, answer: Answer) -> None:
        text = isinstance(answer.body, str)
        data = (answer.body if text else json.dumps(answer.body)).encode()
        headers = {"content-type": "text/plain" if text else "application/json; charset=utf-8", **answer.headers}
        with contextlib.suppress(OSError):
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(0 if answer.status == 204 else len(data)))
            self.end_headers()
            if answer.status != 204 and self.command != "HEAD":
                self.wfile.write(data)


def _handler_of(stand_in: StandIn) -> type[_Handler]:
    def take(self: _Handler) -> None:
        stand_in.serve(self)

    methods = {f"do_{verb}": take for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")}
    return type("Handler", (_Handler,), methods)
