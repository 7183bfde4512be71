"""The programs that stand for people: they know a page by its HTML, as a browser does."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from ferryman_local.standins.people import GUESSES, Page, Person, Scanner, personal_link

ASKS = """<!doctype html><html><head><style>form{color:red}</style></head><body><h1>Deploy <code>3f9</code>?</h1>
<a href="../other/x">elsewhere on it</a> <a href="https://github.com/x">away</a>
<form method="post"><input type="hidden" name="seen" value="7"><input name="version" value=""><textarea name="reason">
</textarea><button name="decision" value="approve">Yes</button><button name="decision" value="reject">No</button></form>
<form action="again"><input name="email" type="email"><button>Send</button></form></body></html>"""
DECIDED = "<h1>Thank you</h1>"


@pytest.fixture
def site() -> Iterator[Any]:
    """A page with two forms; what is posted to it is in `asked`, and leads back to it."""
    asked: list[tuple[str, str, dict[str, list[str]]]] = []

    class Site(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.reply(200, "")

        def do_OPTIONS(self) -> None:
            self.reply(204, "")

        def do_GET(self) -> None:
            asked.append(("GET", self.path, {}))
            self.reply(200, DECIDED if any(item[0] == "POST" and "ok" in str(item) for item in asked) else ASKS)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            asked.append(("POST", self.path, parse_qs(body, keep_blank_values=True)))
            self.send_response(303)
            self.send_header("location", "nonce")
            self.send_header("content-length", "0")
            self.end_headers()

        def reply(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked = asked  # type: ignore[attr-defined]
    server.url = f"http://127.0.0.1:{server.server_address[1]}/prefix/a/01ABC/nonce"  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    server.server_close()


def test_a_person_decides_through_the_form(site: Any) -> None:
    with Person() as person:
        page = person.decide(site.url, "reject", "3f9c2ab", "ok: it is late")
    assert page.text == "Thank you"
    (posted,) = [fields for method, _, fields in site.asked if method == "POST"]
    assert posted == {"seen": ["7"], "version": ["3f9c2ab"], "reason": ["ok: it is late"], "decision": ["reject"]}
    with Person() as person, pytest.raises(AssertionError, match="no button to approve"):
        person.decide(site.url, "approve", "3f9c2ab")


def test_a_scanner_tries_everything_that_a_page_offers(site: Any) -> None:
    with Scanner() as scanner:
        statuses = scanner.visit(site.url)
    assert set(statuses) == {200, 204, 303}
    posted = [fields for method, _, fields in site.asked if method == "POST"]
    # With each button and with none; every field empty, and with every guess.
    assert len(posted) == 3 * (1 + len(GUESSES))
    assert {"seen": ["7"], "version": [""], "reason": [""], "decision": ["approve"]} in posted
    assert {"seen": ["7"], "version": ["yes"], "reason": ["yes"]} in posted
    asked = [path for method, path, _ in site.asked if method == "GET"]
    assert any(path.startswith("/prefix/a/01ABC/again?email=") for path in asked), "a form that asks with GET"
    assert "/prefix/a/other/x" in asked, "a link to the same site, and none to another"


def test_a_page_is_read_as_text() -> None:
    page = Page("http://x/a/1/n", 200, {}, ASKS)
    assert page.heading == "Deploy 3f9?"
    assert page.text.startswith("Deploy 3f9 ? elsewhere on it away")
    assert page.links == ["http://x/a/other/x", "https://github.com/x"]


@pytest.mark.parametrize(
    ("mail", "link"),
    [
        ({"BodyText": "Open http://127.0.0.1:1/_aws/lambda-url/x1/a/01M852WHP151HFTYTGNH95RVXK/aB-_9 now."}, True),
        (
            {
                "BodyText": "",
                "BodyHtml": '<a href="http://127.0.0.1:1/_aws/lambda-url/x1/a/01M852WHP151HFTYTGNH95RVXK/aB-_9">x</a>',
            },
            True,
        ),
        ({"BodyText": "Ask for your link: http://127.0.0.1:1/_aws/lambda-url/x1/a/01M852WHP151HFTYTGNH95RVXK"}, False),
        ({"BodyText": "See https://github.com/a/b/c"}, False),
    ],
    ids=["text", "html", "shared", "another-site"],
)
def test_the_personal_link_of_a_mail(mail: dict[str, str], link: bool) -> None:
    wanted = "http://127.0.0.1:1/_aws/lambda-url/x1/a/01M852WHP151HFTYTGNH95RVXK/aB-_9"
    found = personal_link(mail)
    assert found == (wanted if link else None)
