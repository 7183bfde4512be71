"""How a message looks in Slack and in mail: nothing in it can act, nothing is lost, limits hold."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.clients.slack import post_webhook
from ferryman.notify import mail, slack_webhook
from ferryman.notify.errors import NotDelivered
from ferryman.notify.message_parts import Part, parts_of
from ferryman.records import OutboxMessage
from unit import builders as make


def message(text: str, subject: str = "[Failed] scr/staging: abc failed") -> OutboxMessage:
    return OutboxMessage(
        owner="01DEP",
        event="outcome",
        channel="team",
        platform="scr",
        environment="staging",
        subject=subject,
        text=text,
        created_at=make.AT,
    )


def test_log_lines_are_set_apart() -> None:
    assert parts_of("What failed: web\n\nLast log lines:\n  | one\n  |   two\n\nNext: push") == [
        Part("What failed: web\n\nLast log lines:", False),
        Part("one\n  two", True),
        Part("Next: push", False),
    ]
    assert parts_of("\n\n") == []


def texts(payload: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in payload["blocks"]]


def test_slack_escapes_and_never_mentions_or_unfurls() -> None:
    payload = slack_webhook.payload(message("<!channel> <@U1> a & b\n  | ```\n  | <https://evil|x>", "<!here>"))
    assert payload["unfurl_links"] is payload["unfurl_media"] is False
    assert payload["text"] == "&lt;!here&gt;"
    header, prose, log = texts(payload)
    assert header == "<!here>"  # plain_text: shown as it is
    assert prose == "&lt;!channel&gt; &lt;@U1&gt; a &amp; b"
    assert log.startswith("```\n")
    assert log.endswith("\n```")
    assert "```" not in log[4:-4]
    assert "<" not in log


@given(some.text(alphabet=some.sampled_from("ab &<\n`|  é"), max_size=9_000), some.booleans())
def test_slack_limits_hold_and_no_escape_is_cut(text: str, log: bool) -> None:
    if log:
        text = "\n".join("  | " + line for line in text.split("\n"))
    payload = slack_webhook.payload(message(text))
    assert len(payload["blocks"]) <= 50
    for shown in texts(payload)[1:]:
        assert 0 < len(shown) <= 3_000
        assert "<" not in shown
        rest = shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert "&" not in rest


@pytest.mark.parametrize("before", range(2_990, 3_001))
def test_slack_cuts_a_long_line_beside_an_escape(before: int) -> None:
    first, second = texts(slack_webhook.payload(message("x" * before + "&" * 10)))[1:]
    assert "&" not in first.replace("&amp;", "")
    assert (first + second).count("&amp;") == 10


@pytest.mark.parametrize(
    ("secret", "url"),
    [
        ("https://hooks.slack.com/services/x\n", "https://hooks.slack.com/services/x"),
        ('{"url": "https://hooks.slack.com/services/x"}', "https://hooks.slack.com/services/x"),
        ('{"webhookUrl": "https://hooks.slack.com/services/x"}', "https://hooks.slack.com/services/x"),
        ("http://127.0.0.1:4000/hook", "http://127.0.0.1:4000/hook"),
    ],
    ids=["plain", "url", "webhookUrl", "own-machine"],
)
def test_webhook_in(secret: str, url: str) -> None:
    assert slack_webhook.webhook_in(secret) == url


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        "http://hooks.slack.com/hunter2",
        "{hunter2",
        "{}",
        '{"url": 5}',
        "file:///hunter2",
        "https://[hunter2",
    ],
)
def test_no_webhook_in(secret: str) -> None:
    with pytest.raises(NotDelivered) as caught:
        slack_webhook.webhook_in(secret)
    assert "hunter2" not in str(caught.value)


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


def test_slack_over_http(hook: str) -> None:
    slack_webhook.send(message("x"), f"{hook}/hook", post_webhook)
    with pytest.raises(NotDelivered, match="Slack answered 403: invalid_token"):
        slack_webhook.send(message("x"), f"{hook}/revoked", post_webhook)
    with pytest.raises(NotDelivered, match="Slack answered 302"):
        slack_webhook.send(message("x"), f"{hook}/moved", post_webhook)


def test_slack_out_of_reach_does_not_tell_the_url() -> None:
    with pytest.raises(NotDelivered) as caught:
        slack_webhook.send(message("x"), "http://127.0.0.1:1/services/hunter2", post_webhook)
    assert "ConnectError" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_mail_is_escaped_and_loads_nothing() -> None:
    html = mail.html(message("<script>alert(1)</script>\n  | <img src=x>", '"><b>'))
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "<pre" in html
    assert "http" not in html


def test_a_link_in_a_mail_is_escaped_and_stands_where_the_text_wants_it() -> None:
    shown = mail.html(message("before\n{{link}}\nafter"), 'https://x/"><script>')
    assert "<script" not in shown
    assert shown.index("before") < shown.index('href="https://x/&quot;&gt;&lt;script&gt;"') < shown.index("after")
    assert "{{link}}" not in shown


def test_a_link_in_slack_can_not_break_out_of_its_markup() -> None:
    shown = texts(slack_webhook.payload(message("before\n{{link}}\nafter"), "https://x/|a>b"))
    assert shown[1:] == ["before", "<https://x/%7Ca&gt;b|Look at it>", "after"]
