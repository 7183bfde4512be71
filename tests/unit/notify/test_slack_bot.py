"""An approval in Slack, through a bot: posted with buttons, updated when it ends."""

import json
import logging
from typing import Any

import httpx
import pytest

from ferryman.contracts import NotifyOutput
from ferryman.records import OutboxMessage
from ferryman.records.writes import Add, Save
from unit import asked
from unit.builders import AT
from unit.fakes.services import FakeServices
from unit.fakes.slack import BOT_TOKEN, FakeSlack
from unit.notify_world import BASE, World


def elements(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        item["action_id"]: item for block in body["blocks"] for item in block.get("elements", []) if "action_id" in item
    }


def test_buttons_only_where_their_presses_can_be_verified(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("bot", "buttons")
    assert run().sent == 2
    without, with_them = sorted(slack.calls, key=lambda call: len(elements(call[1])))
    assert set(elements(without[1])) == {"page"}
    found = elements(with_them[1])
    assert set(found) == {"approve", "reject", "page"}
    assert {found[name]["value"] for name in ("approve", "reject")} == {asked.ID}
    assert (found["approve"]["style"], found["reject"]["style"]) == ("primary", "danger")
    assert all("abc1234" in found[name]["confirm"]["title"]["text"] for name in ("approve", "reject"))
    assert found["page"]["url"] == f"{BASE}/a/{asked.ID}"
    (reason,) = [block for block in with_them[1]["blocks"] if block["type"] == "input"]
    assert (reason["block_id"], reason["optional"], reason["element"]["type"]) == ("reason", True, "plain_text_input")
    for _, body in slack.calls:
        assert (body["channel"], body["unfurl_links"], body["unfurl_media"]) == ("C024BE91L", False, False)
        shown = str([f["text"] for b in body["blocks"] for f in b.get("fields", [])]).replace("\\n", "\n")
        assert "*Running now*\n0001234" in shown
    assert slack.tokens == {f"Bearer {BOT_TOKEN}"}


def test_what_was_posted_changes_when_the_approval_ends(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    run()
    (posted,) = world.approval.messages
    assert (posted.channel, posted.conversation) == ("buttons", "C024BE91L")
    world.end("Rejected")
    assert run().sent == 1
    method, body = slack.calls[-1]
    assert (method, body["channel"], body["ts"]) == ("chat.update", posted.conversation, posted.timestamp)
    assert elements(body) == {}
    assert "Rejected by Ada Lovelace (mail) at 2026-01-02 03:04 UTC: because" in json.dumps(body)
    assert body["text"].startswith("[Rejected] scr/production")


def test_the_end_of_what_was_never_posted_is_no_news(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask()
    world.document["spec"]["environments"]["production"]["notify"] = ["buttons"]
    world.end()
    assert run() == NotifyOutput()
    assert slack.calls == []


def test_it_ends_while_it_is_posted(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    slack.meanwhile = lambda: world.end("Superseded", reason="def is newer")
    assert run().sent == 1
    assert [method for method, _ in slack.calls] == ["chat.postMessage", "chat.update"]
    assert "Superseded: def is newer" in json.dumps(slack.calls[-1][1])


def test_it_ends_while_it_is_posted_and_changing_it_fails_first(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    slack.meanwhile = lambda: world.end("Superseded", reason="def is newer")
    slack.faults = {"chat.update": [httpx.Response(200, json={"ok": False, "error": "fatal_error"})]}
    assert run().failed == 1
    assert run().sent == 1  # The row of the end, which finds it.
    world.clock.forward(minutes=2)
    assert run().sent == 1
    assert {method for method, _ in slack.calls[-2:]} == {"chat.update"}


def test_a_try_that_posted_and_got_no_farther_does_not_post_again(
    world: World, run: Any, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask("buttons")
    real, calls = world.store.mark, []

    def lost(message: OutboxMessage, **how: Any) -> bool:
        calls.append(message)
        if len(calls) == 2:
            raise RuntimeError("crash")
        return real(message, **how)

    monkeypatch.setattr(world.store, "mark", lost)
    run()
    world.clock.forward(minutes=2)
    assert run().sent == 1
    assert [method for method, _ in slack.calls] == ["chat.postMessage"]


def test_a_reminder_goes_into_the_thread(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    run()
    world.remind()
    run()
    method, body = slack.calls[-1]
    assert (method, body["thread_ts"], body["reply_broadcast"]) == (
        "chat.postMessage", world.approval.messages[0].timestamp, True,
    )  # fmt: skip
    assert elements(body) == {}


def test_a_deleted_message_is_left_alone(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    run()
    slack.faults = {"chat.update": [httpx.Response(200, json={"ok": False, "error": "message_not_found"})]}
    world.end()
    assert run().sent == 1


def test_decisions_meanwhile_do_not_keep_it_from_being_remembered(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask("buttons")
    slack.meanwhile = lambda: world.store.write(Save(world.approval.but(refused=1)))
    assert run().sent == 1
    assert (len(world.approval.messages), world.approval.refused) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, json={"ok": False, "error": "channel_not_found"}), "Slack answered channel_not_found"),
        (httpx.Response(200, json={"ok": False, "error": ["odd"]}), "Slack answered ['odd']"),
        (httpx.Response(503, html="<h1>sorry</h1>"), "Slack answered 503, but not with an API response"),
        (httpx.Response(200, html="<h1>login</h1>"), "Slack answered 200, but not with an API response"),
        (httpx.Response(200, json={"ok": True}), "did not return its channel and timestamp"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "Slack answered 302"),
        (httpx.ReadTimeout("with the token"), "did not answer in time (ReadTimeout)"),
        (httpx.ConnectError("with the token"), "could not be reached"),
        (httpx.Response(200, content=b"[" * 100_000), "not with an API response"),
    ],
    ids=["no", "odd", "503", "html", "no-ts", "redirect", "slow", "down", "nested"],
)
def test_slack_has_a_bad_day(
    world: World, run: Any, slack: FakeSlack, answer: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.ask("buttons")
    slack.faults = {"chat.postMessage": [answer]}
    assert run() == NotifyOutput(failed=1)
    told = str(world.row("approval", "buttons").last_error)
    assert words in told
    assert BOT_TOKEN not in told + caplog.text
    world.clock.forward(minutes=2)
    assert run().sent == 1


@pytest.mark.parametrize(
    ("answer", "words", "seconds"),
    [
        (httpx.Response(429, headers={"retry-after": "30"}), "429: too many messages; retry after 30 s", 30),
        (httpx.Response(429, headers={"retry-after": "soon"}), "429: too many messages", 1),
        (httpx.Response(200, json={"ok": False, "error": "ratelimited"}), "200: too many messages", 1),
    ],
    ids=["429", "429-odd", "word"],
)
def test_slack_asks_to_slow_down(
    world: World, run: Any, slack: FakeSlack, answer: httpx.Response, words: str, seconds: float
) -> None:
    world.ask("buttons")
    slack.faults = {"chat.postMessage": [answer]}
    asked_at = world.clock()
    world.clock.sleep = lambda pause: told.append((pause, world.row("approval", "buttons")))  # type: ignore[method-assign]
    told: list[tuple[float, Any]] = []
    assert run().sent == 1
    ((pause, waiting),) = told
    assert words in waiting.last_error
    assert seconds <= pause <= seconds * 1.5
    assert (waiting.attempts, waiting.postponed, waiting.sent_at) == (1, 1, None)
    assert world.clock() == asked_at


@pytest.mark.parametrize("secret", ["", "{}", "{hunter2", "hunter2\nx", "hünter2"])
def test_a_secret_that_is_no_token(world: World, run: Any, services: FakeServices, secret: str) -> None:
    services.secrets["bot"] = secret
    world.ask("buttons")
    assert run().failed == 1
    assert "hunter2" not in str(world.row("approval", "buttons").last_error)


def test_no_token_is_read_for_another_host(
    world: World, run: Any, services: FakeServices, document: dict[str, Any], slack: FakeSlack
) -> None:
    document["spec"]["channels"]["buttons"]["apiUrl"] = "https://slack.com.evil.example/api"
    world.ask("buttons")
    run()
    assert "slack.com.evil.example is not a host of Slack" in str(world.row("approval", "buttons").last_error)
    assert "bot" not in services.read
    assert slack.calls == []


def test_long_names_and_reasons_stay_within_block_kits_limits(world: World, run: Any, slack: FakeSlack) -> None:
    people = [*asked.approval().approvers] * 15
    long = asked.approval(version="&" * 128, approvers=people, required=2, decisions=[asked.decision(name="<" * 80)])
    world.ask("buttons", approval=long)
    assert run().sent == 1
    for block in slack.calls[0][1]["blocks"]:
        assert all(len(field["text"]) <= 2_000 for field in block.get("fields", []))
        for item in block.get("elements", []):
            assert len(item["text"]) <= 2_000 if isinstance(item["text"], str) else len(item["text"]["text"]) <= 75
            if "confirm" in item:
                assert len(item["confirm"]["title"]["text"]) <= 100
                assert len(item["confirm"]["text"]["text"]) <= 300


def test_any_other_message_of_a_bot_is_posted_as_it_is(world: World, run: Any, slack: FakeSlack) -> None:
    world.ask()
    row = OutboxMessage(
        owner=asked.ID, event="outcome", channel="bot", platform="scr", environment="production",
        subject="[Failed] x", text="failed <!channel>", created_at=AT,
    )  # fmt: skip
    world.store.write(Add(row, expires_at=1_900_000_000))
    assert run().sent == 1
    ((method, body),) = slack.calls
    assert (method, body["channel"], body["text"]) == ("chat.postMessage", "C024BE91L", "[Failed] x")
    assert "<!channel>" not in json.dumps(body)
