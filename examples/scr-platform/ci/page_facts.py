"""What is true of the page, whoever renders it: the Next.js app and scr_web are held to this one list.

With an API that answers as it is told. Of the standard library only.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

VERSION = "3f9c2ab"
HEALTH = {"status": "ok", "version": "5d01c77", "revision": "0003"}
PROJECTS = [{"name": "<b>Wind</b>", "stage": "review"}, {"name": "Sun & sea", "stage": "draft"}]


@dataclass(frozen=True)
class Situation:
    """What the API answers, and what the page then shows; everything that it shows `hides` out of is a bug."""

    name: str
    health: tuple[int, Any]
    projects: Any
    shows: tuple[str, ...]
    hides: tuple[str, ...] = ()


ALWAYS = (
    "<title>SCR platform</title>",
    "<h1>SCR platform</h1>",
    '<p class="quiet">Projects that look for funding</p>',
    f'<code id="web-version">{VERSION}</code>',
    "color-scheme: light dark",
)
HEADERS = {"Cache-Control": "no-store", "X-App-Version": VERSION, "Content-Type": "text/html; charset=utf-8"}
NOT_JSON = "api returned an unexpected response"
WITHOUT_API = ("Projects cannot be loaded while the api is unavailable.",)
NO_API_VERSION = ('id="api-version"',)
UNREACHABLE = ("api unreachable (Connection refused)", *WITHOUT_API)

SITUATIONS = (
    Situation(
        "well",
        (200, HEALTH),
        PROJECTS,
        shows=(
            '<code id="api-version">5d01c77</code>',
            "database revision 0003",
            "<li><span>&lt;b&gt;Wind&lt;/b&gt;</span>",
            "<li><span>Sun &amp; sea</span>",
        ),
        hides=("<b>", "api unreachable"),
    ),
    Situation("empty", (200, HEALTH | {"revision": None}), [], shows=("None yet.", "database not migrated")),
    Situation("unhealthy", (503, {}), [], ("api returned 503 Service Unavailable", *WITHOUT_API), NO_API_VERSION),
    Situation("html", (200, "<html>"), [], (NOT_JSON, *WITHOUT_API), NO_API_VERSION),
    Situation("other json", (200, []), [], (NOT_JSON,), NO_API_VERSION),
    Situation("no version", (200, {}), [], (NOT_JSON,), NO_API_VERSION),
    Situation("other projects", (200, HEALTH), ["a"], (NOT_JSON,), NO_API_VERSION),
)


def problems(shows: tuple[str, ...], hides: tuple[str, ...], headers: Mapping[str, str], text: str) -> list[str]:
    """What of the page is not as it should be, in words; nothing when all is well."""
    found = [f"it lacks {wanted}" for wanted in ALWAYS + shows if wanted not in text]
    found += [f"it has {unwanted}" for unwanted in hides if unwanted in text]
    found += [
        f"its {name} is {headers.get(name)!r}, not {value!r}"
        for name, value in HEADERS.items()
        if (headers.get(name) or "").lower() != value.lower()
    ]
    return found


class StubApi:
    """An API that answers what `situation` says; while `held`, it takes requests and doesn't answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.situation = SITUATIONS[0]
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.created: list[Any] = []

    def hold(self) -> None:
        self.asked.clear()
        self.go_on.clear()

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.set()
        self.go_on.wait(5)
        status, body = self.situation.health if path == "/api/health" else (200, self.situation.projects)
        return status, body.encode() if isinstance(body, str) else json.dumps(body).encode()


@contextmanager
def stub_api() -> Iterator[StubApi]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*api.answer(self.path.partition("?")[0]))

        def do_POST(self) -> None:
            project = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.created.append(project)
            self._send(201, json.dumps(project).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = StubApi(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            api.go_on.set()
            server.shutdown()
            thread.join()
