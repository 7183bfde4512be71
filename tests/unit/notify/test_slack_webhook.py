"""How a message looks in Slack: nothing in it can act, nothing is lost, limits hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.notify import slack_bot, slack_webhook
from ferryman.notify.errors import NotDelivered
from ferryman.platform.hosts import Hosts
from unit import asked
from unit.notify_world import message

ALLOWED = Hosts(slack="chat.example,http://127.0.0.1:4000", loopback=True)


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


def test_a_message_with_too_many_blocks_keeps_its_end() -> None:
    shown = texts(slack_webhook.payload(message("first\n" + "  | log\nprose\n" * 100 + "What to do next: push.")))
    assert len(shown) == 50
    assert shown[1] == "first"
    assert shown[-1].endswith("What to do next: push.")
    assert "[truncated: the command `events` shows the rest]" in shown


def test_a_slack_request_with_too_many_blocks_keeps_its_buttons() -> None:
    text = "  | log\nprose\n" * 100
    body = slack_bot.request_message(message(text), asked.approval(), "https://x/", buttons=True)
    assert len(body["blocks"]) == 50
    assert [block["type"] for block in body["blocks"][-3:]] == ["context", "input", "actions"]


@pytest.mark.parametrize("before", range(2_990, 3_001))
def test_slack_cuts_a_long_line_beside_an_escape(before: int) -> None:
    first, second = texts(slack_webhook.payload(message("x" * before + "&" * 10)))[1:]
    assert "&" not in first.replace("&amp;", "")
    assert (first + second).count("&amp;") == 10


def test_a_link_in_slack_can_not_break_out_of_its_markup() -> None:
    shown = texts(slack_webhook.payload(message("before\n{{link}}\nafter"), "https://x/|a>b"))
    assert shown[1:] == ["before", "<https://x/%7Ca&gt;b|Review the request>", "after"]


@pytest.mark.parametrize(
    ("secret", "url"),
    [
        ("https://hooks.slack.com/services/x\n", "https://hooks.slack.com/services/x"),
        ('{"url": "https://hooks.slack.com/services/x"}', "https://hooks.slack.com/services/x"),
        ('{"webhookUrl": "https://hooks.slack.com/services/x"}', "https://hooks.slack.com/services/x"),
        ("https://chat.example/hooks/x", "https://chat.example/hooks/x"),
        ("http://127.0.0.1:4000/hook", "http://127.0.0.1:4000/hook"),
    ],
    ids=["plain", "url", "webhookUrl", "allowed", "own-machine"],
)
def test_webhook_in(secret: str, url: str) -> None:
    assert slack_webhook.webhook_in(secret, ALLOWED) == url


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
        "https://hunter2.example/services/x",
        "https://hooks.slack.com.hunter2.example/services/x",
        "https://hooks.slack.com@hunter2.example/",
        "http://127.0.0.1:4001/hunter2",
    ],
)
def test_no_webhook_in(secret: str) -> None:
    with pytest.raises(NotDelivered) as caught:
        slack_webhook.webhook_in(secret, ALLOWED)
    assert "hunter2" not in str(caught.value)


def test_links_are_tapped() -> None:
    told = message("text").but(detail={"links": {"Log": "https://x.example/?a=1&b|c", "Commit": "https://x.example/2"}})
    section = slack_webhook.payload(told)["blocks"][-1]
    assert section["text"]["text"] == "<https://x.example/2|Commit>"
