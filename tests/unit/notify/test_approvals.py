"""Asking people: each approver's own link in one mail and nowhere else; shared messages that are no key."""

import json
import logging
import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from ferryman.approvals import link_tokens
from ferryman.clients.github.client import Means
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.messages import approval as messages_approval
from ferryman.messages import github as messages_github
from ferryman.notify import notify
from ferryman.notify.approval_links import open_request
from ferryman.notify.dispatch import Hands, deliverer
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, Approval, OutboxMessage, Phase
from ferryman.records.writes import Add, Save
from ferryman.store.table import Store
from unit import asked
from unit.builders import AT
from unit.conftest import FakeClock, FakeIds
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.github import SHA, TOKEN, FakeGitHub, arn
from unit.fakes.slack import BOT_TOKEN, FakeSlack

SWEEP = NotifyInput(sweep=True)
BASE = "https://approve.example"
WEBHOOK = "https://hooks.slack.com/services/T000/B000/hunter2"
PERSON = "approver/Ada Lovelace"
LINK = re.compile(rf"{BASE}/a/{asked.ID}/([A-Za-z0-9_-]{{43}})")


class Services:
    """Every boto3 client at once."""

    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.before_mail: Any = None
        self.secrets = {"token": TOKEN, "bot": BOT_TOKEN, "hook": WEBHOOK}

    def __call__(self, service: str) -> "Services":
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": self.secrets[SecretId.rpartition(":")[2]]}

    def send_email(self, **mail: Any) -> None:
        if self.before_mail is not None:
            self.before_mail(mail)
        self.mails.append(mail)

    def publish(self, **note: Any) -> None:
        self.notes.append(note)

    def texts(self) -> list[str]:
        return [mail["Content"]["Simple"]["Body"]["Text"]["Data"] for mail in self.mails]


@pytest.fixture
def dynamodb() -> FakeDynamoDb:
    return FakeDynamoDb()


@pytest.fixture
def store(dynamodb: FakeDynamoDb) -> Store:
    return Store(dynamodb, "ferryman")


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def slack() -> FakeSlack:
    return FakeSlack()


@pytest.fixture
def github() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def document(scr_document: dict[str, Any]) -> dict[str, Any]:
    bot = {"type": "slack", "botTokenSecretArn": arn("bot"), "channel": "C024BE91L"}
    scr_document["spec"]["channels"] |= {
        "team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"},
        "ops": {"type": "mail", "from": "ferryman@example.com", "to": ["ops@example.com"]},
        "hook": {"type": "slack", "webhookSecretArn": arn("hook")},
        "bot": bot,
        "buttons": {**bot, "signingSecretArn": arn("signing"), "team": "T024BE7LD"},
    }
    scr_document["spec"]["github"] = {"repository": "scr-platform/scr", "tokenSecretArn": arn("token")}
    scr_document["spec"]["environments"]["production"]["approval"]["from"] = "ferryman@example.com"
    return scr_document


class World:
    def __init__(self, store: Store, clock: FakeClock, document: dict[str, Any]) -> None:
        self.store, self.clock, self.document = store, clock, document
        self.posted: list[dict[str, Any]] = []
        self.counted: list[str] = []

    @property
    def parsed(self) -> Platform:
        return parse(self.document)

    @property
    def approval(self) -> Approval:
        found = self.store.approval(asked.ID)
        assert found is not None
        return found

    def ask(self, *channels: str, personal: tuple[str, ...] = (), approval: Approval | None = None) -> None:
        self.document["spec"]["environments"]["production"]["notify"] = list(channels)
        asking, deployment = approval or asked.approval(), asked.deployment()
        platform = AppliedPlatform(
            name="scr", generation=1, document=self.document, applied_by="anna", applied_at=AT
        )  # fmt: skip
        rows = messages_approval.for_request(asking, deployment, self.parsed, AT, personal=list(personal))
        wanted = [row for row in rows if channels or personal if _channel(row) != "github"]
        self.store.write(Save(platform), Save(asking), Save(deployment), *wanted)

    def remind(self) -> None:
        rows = messages_approval.for_reminder(self.approval, asked.deployment(), self.parsed, self.clock())
        self.store.write(*rows)

    def end(self, status: Any = "Approved", **changes: Any) -> None:
        if status in ("Approved", "Rejected"):
            verdict = "approve" if status == "Approved" else "reject"
            changes["decisions"] = [asked.decision(verdict, reason="because")]
        after = self.approval.but(status=status, **changes)
        rows = messages_approval.for_ended(after, asked.deployment(), self.parsed, self.clock())
        self.store.write(Save(after), *rows)

    def row(self, event: str, channel: str) -> OutboxMessage:
        found = self.store.message(asked.ID, event, channel)
        assert found is not None
        return found


def _channel(row: Add) -> str:
    assert isinstance(row.record, OutboxMessage)
    return row.record.channel


@pytest.fixture
def world(store: Store, clock: FakeClock, document: dict[str, Any]) -> World:
    return World(store, clock, document)


@pytest.fixture
def run(world: World, services: Services, slack: FakeSlack, github: FakeGitHub, new_id: FakeIds) -> Any:
    def post(url: str, body: dict[str, Any]) -> tuple[int, str]:
        world.posted.append(body)
        return 200, "ok"

    def network(request: httpx.Request) -> httpx.Response:
        return slack(request) if request.url.host == "slack.com" else github(request)

    def once(event: NotifyInput = SWEEP, **hands: Any) -> NotifyOutput:
        means = Means(httpx.MockTransport(network), github.means.pause, github.means.monotonic)
        about: dict[str, Any] = {"approvals_url": f"{BASE}/", "post": post, "means": means, **hands}
        return notify.run(
            event,
            store=world.store,
            deliver=deliverer(Hands(services, world.store, world.clock, **about)),
            clock=world.clock,
            new_id=new_id,
            log=Logger(service="ferryman", level="DEBUG"),
            count=world.counted.append,
        )

    return once


# ── personal mail ──


def test_the_mail_holds_a_key_that_works(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))
    assert run() == NotifyOutput(sent=1)
    (mail,) = services.mails
    assert mail["FromEmailAddress"] == "ferryman@example.com"
    assert mail["Destination"] == {"ToAddresses": ["ada@example.com"]}
    body = mail["Content"]["Simple"]["Body"]
    (nonce,) = LINK.findall(body["Text"]["Data"])
    assert set(LINK.findall(body["Html"]["Data"])) == {nonce}
    assert f'<a href="{BASE}/a/{asked.ID}/{nonce}"' in body["Html"]["Data"]
    assert link_tokens.holder(world.approval, nonce) == "Ada Lovelace"
    assert messages_approval.LINK not in body["Text"]["Data"] + body["Html"]["Data"]


def test_each_approver_has_a_key_of_their_own(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace", "Grace <Hopper>"))
    assert run().sent == 2
    keys = {mail["Destination"]["ToAddresses"][0]: LINK.findall(text)[0] for mail, text in zip(
        services.mails, services.texts(), strict=True
    )}  # fmt: skip
    assert link_tokens.holder(world.approval, keys["ada@example.com"]) == "Ada Lovelace"
    assert link_tokens.holder(world.approval, keys["grace@example.com"]) == "Grace <Hopper>"


def test_the_hash_is_kept_before_the_mail_goes_out(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))
    known: list[str | None] = []

    def look(mail: dict[str, Any]) -> None:
        (nonce,) = LINK.findall(mail["Content"]["Simple"]["Body"]["Text"]["Data"])
        known.append(link_tokens.holder(world.approval, nonce))

    services.before_mail = look
    run()
    assert known == ["Ada Lovelace"]


def test_a_crash_before_the_mail_is_made_up_for(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))

    def crash(mail: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    services.before_mail = crash
    with pytest.raises(KeyboardInterrupt):
        run()
    services.before_mail = None
    world.clock.forward(minutes=2)
    assert run().sent == 1
    (nonce,) = LINK.findall(services.texts()[0])
    assert link_tokens.holder(world.approval, nonce) == "Ada Lovelace"


def test_no_key_in_the_table_nor_in_any_log(
    world: World,
    run: Any,
    services: Services,
    slack: FakeSlack,
    dynamodb: FakeDynamoDb,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    world.ask("team", "ops", "hook", "buttons", personal=("Ada Lovelace", "Grace <Hopper>"))
    seen: list[str] = []

    def refuse(mail: dict[str, Any]) -> None:
        text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
        seen.extend(LINK.findall(text))
        error = {"Error": {"Code": "MessageRejected", "Message": f"not verified; you sent {text}"}}
        raise ClientError(error, "SendEmail")  # type: ignore[arg-type]

    services.before_mail = refuse
    # The two personal ones, and ops'.
    assert run().failed == 3
    services.before_mail = None
    world.clock.forward(minutes=2)
    run()
    world.remind()
    run()
    world.end()
    run()
    texts = [*services.texts(), *map(str, services.notes), *map(str, world.posted), *map(str, slack.calls)]
    seen += [nonce for text in services.texts() for nonce in LINK.findall(text)]
    assert len(set(seen)) >= 6
    logged = caplog.text + "".join(capsys.readouterr())
    assert "message sent" in logged
    for nonce in seen:
        assert nonce not in str(dynamodb.items)
        assert nonce not in logged
        assert nonce not in "".join(texts[len(services.mails) :])
    for secret in (BOT_TOKEN, "hunter2"):
        assert secret not in str(dynamodb.items) + logged


def test_what_ses_says_is_told_without_the_key(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))

    def refuse(mail: dict[str, Any]) -> None:
        raise ValueError(f"can't send {LINK.findall(str(mail))[0]}")

    services.before_mail = refuse
    assert run().failed == 1
    assert world.row("approval", PERSON).last_error == "SES did not take the mail: can't send [hidden]"


@pytest.mark.parametrize("status", ["Approved", "Rejected", "Expired", "Superseded", "Aborted"])
def test_an_approval_that_ended_meanwhile_sends_nothing(
    world: World, run: Any, services: Services, slack: FakeSlack, status: str
) -> None:
    world.ask("team", "ops", "hook", "buttons", personal=("Ada Lovelace",))
    world.end(status)
    assert run() == NotifyOutput()
    assert (services.mails, services.notes, world.posted, slack.calls) == ([], [], [], [])
    row = world.row("approval", PERSON)
    assert (row.gave_up, row.last_error) == (True, f"the request ended meanwhile: {status}")
    # Nobody missed anything: no alarm, no line in the timeline.
    assert (world.counted, world.store.timeline(asked.ID), world.approval.nonces) == ([], [], [])


def test_one_that_expired_by_the_clock_sends_nothing(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))
    world.clock.at = asked.EXPIRES
    assert run() == NotifyOutput()
    assert services.mails == []


def test_it_ends_just_before_the_key_is_kept(
    world: World, run: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(personal=("Ada Lovelace",))

    def ends(message: OutboxMessage, store: Store, clock: Any) -> Approval:
        before = open_request(message, store, clock)
        world.end("Superseded")
        return before

    monkeypatch.setattr("ferryman.notify.personal_mail.open_request", ends)
    assert run() == NotifyOutput()
    assert services.mails == []


def test_who_decided_is_not_reminded(world: World, run: Any, services: Services) -> None:
    world.ask(personal=())
    world.remind()
    world.store.write(Save(world.approval.but(required=2, decisions=[asked.decision()])))
    run()
    assert [mail["Destination"]["ToAddresses"] for mail in services.mails] == [["grace@example.com"]]
    assert world.row("reminder", PERSON).last_error == "they have decided meanwhile"


def test_a_link_that_was_asked_for(world: World, run: Any, services: Services) -> None:
    world.ask(personal=())
    world.store.write(*messages_approval.for_link(world.approval, "Ada Lovelace", 1, world.clock()))
    assert run().sent == 1
    assert link_tokens.holder(world.approval, LINK.findall(services.texts()[0])[0]) == "Ada Lovelace"


@pytest.mark.parametrize(
    ("break_it", "result"),
    [
        (lambda document: document["spec"]["environments"]["production"].pop("approval"), NotifyOutput(gave_up=1)),
        (lambda document: document["spec"]["environments"].pop("production"), NotifyOutput(gave_up=1)),
        # Whatever else is wrong with the document: the mail goes out.
        (lambda document: document["spec"].update(nonsense=1), NotifyOutput(sent=1)),
    ],
    ids=["no-policy", "no-environment", "elsewhere"],
)
def test_the_sender_comes_from_the_document(world: World, run: Any, break_it: Any, result: NotifyOutput) -> None:
    world.ask(personal=("Ada Lovelace",))
    applied = world.store.platform("scr")
    break_it(applied.document)
    world.store.write(Save(applied))
    assert run() == result
    assert len(world.store.timeline(asked.ID)) == result.gave_up


def test_without_the_address_of_the_page_nothing_is_sent(world: World, run: Any, services: Services) -> None:
    world.ask("team", personal=("Ada Lovelace",))
    assert run(approvals_url="").failed == 2
    assert (services.mails, services.notes) == ([], [])
    assert "APPROVALS_URL" in str(world.row("approval", PERSON).last_error)


def test_the_mail_escapes_what_people_wrote(world: World, run: Any, services: Services) -> None:
    evil = '"><script>alert(1)</script><img src=https://evil.example>'
    world.ask(personal=("Ada Lovelace",), approval=asked.approval(version=evil, tag=None))
    run()
    html = services.mails[0]["Content"]["Simple"]["Body"]["Html"]["Data"]
    assert "<script" not in html
    assert "<img" not in html
    assert "<script>alert(1)</script>" in unescape(html)
    assert re.findall(r'href="([^"]*)"', html) == [match[0] for match in [LINK.search(html)] if match]
    assert not re.search(r"src=\"|url\(|<form|<input", html)


# ── shared messages ──


def test_shared_messages_hold_the_shared_link(world: World, run: Any, services: Services) -> None:
    world.ask("team", "ops", "hook")
    assert run().sent == 3
    shared = f"{BASE}/a/{asked.ID}"
    assert f"\n{shared}\n" in services.notes[0]["Message"]
    (mail,) = services.mails
    assert f"\n{shared}\n" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert f'<a href="{shared}"' in mail["Content"]["Simple"]["Body"]["Html"]["Data"]
    (posted,) = world.posted
    assert f"<{shared}|Look at it>" in [block["text"]["text"] for block in posted["blocks"]]
    assert posted["unfurl_links"] is posted["unfurl_media"] is False
    assert messages_approval.LINK not in str(services.notes + services.mails + world.posted)
    assert world.approval.nonces == []


def test_httpx_does_not_log_addresses(world: World, run: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    run()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


# ── Slack's bot ──


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
        assert "*Runs now*\n0001234" in str([f["text"] for b in body["blocks"] for f in b.get("fields", [])]).replace(
            "\\n", "\n"
        )
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
        (httpx.Response(429, headers={"retry-after": "30"}), "429: too many messages; it wants a pause of 30 s"),
        (httpx.Response(429, headers={"retry-after": "soon"}), "429: too many messages"),
        (httpx.Response(503, html="<h1>sorry</h1>"), "Slack answered 503 with what is not its API's"),
        (httpx.Response(200, html="<h1>login</h1>"), "Slack answered 200 with what is not its API's"),
        (httpx.Response(200, json={"ok": True}), "did not say where it is"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "Slack answered 302"),
        (httpx.ReadTimeout("with the token"), "did not answer in time (ReadTimeout)"),
        (httpx.ConnectError("with the token"), "could not be reached"),
        (httpx.Response(200, content=b"[" * 100_000), "not its API's"),
    ],
    ids=["no", "odd", "429", "429-odd", "503", "html", "no-ts", "redirect", "slow", "down", "nested"],
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


@pytest.mark.parametrize("secret", ["", "{}", "{hunter2", "hunter2\nx", "hünter2"])
def test_a_secret_that_is_no_token(world: World, run: Any, services: Services, secret: str) -> None:
    services.secrets["bot"] = secret
    world.ask("buttons")
    assert run().failed == 1
    assert "hunter2" not in str(world.row("approval", "buttons").last_error)


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


# ── GitHub ──


def on_github(world: World, **changes: Any) -> None:
    world.ask()
    deployment = world.store.deployment("scr", "production", asked.ID).but(version="abc1234", **changes)
    world.store.write(Save(deployment), *messages_github.for_change(deployment, world.parsed, AT, "ended"))


def test_github_is_shown_the_deployment(world: World, run: Any, github: FakeGitHub) -> None:
    on_github(world, phase=Phase.SUCCEEDED)
    assert run().sent == 1
    assert [(item["sha"], item["state"]) for item in github.statuses] == [(SHA, "success")]


def test_an_unknown_commit_is_given_up_quietly(world: World, run: Any, github: FakeGitHub) -> None:
    github.commits = {}
    on_github(world, phase=Phase.SUCCEEDED)
    assert run() == NotifyOutput()
    row = world.row("github-ended", "github")
    assert (row.gave_up, row.last_error) == (True, "abc1234 is no commit of https://github.com/scr-platform/scr")
    assert (world.counted, world.store.timeline(asked.ID)) == ([], [])


def test_github_down_is_tried_again_then_seen(
    world: World, run: Any, github: FakeGitHub, dynamodb: FakeDynamoDb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    on_github(world, phase=Phase.SUCCEEDED)
    github.always = lambda request: httpx.Response(500)
    for _ in range(12):
        run()
        world.clock.forward(hours=1, seconds=1)
    (told,) = world.store.timeline(asked.ID)
    assert told.message == "the message `github-ended` to github was given up after 10 attempts: GitHub answered 500"
    assert world.store.deployment("scr", "production", asked.ID).phase is Phase.SUCCEEDED
    assert TOKEN not in str(dynamodb.items) + caplog.text


def test_a_release_that_github_did_not_take_is_made_hours_later(world: World, run: Any, github: FakeGitHub) -> None:
    world.ask()
    deployment = world.store.deployment("scr", "production", asked.ID)
    deployment = deployment.but(version="abc1234", tag="v1.0.0", phase=Phase.SUCCEEDED)
    world.store.write(Save(deployment), messages_github.for_release(deployment, AT))
    github.always = lambda request: httpx.Response(503)
    for _ in range(5):
        run()
        world.clock.forward(hours=1)
    github.always = None
    run()
    assert list(github.releases) == ["v1.0.0"]
    done = world.store.deployment("scr", "production", asked.ID).publication
    assert done is not None
    assert done.status == "Published"
    assert world.row("github-release", "github").sent_at is not None


def test_a_release_that_no_try_can_help_is_not_tried_for_hours(world: World, run: Any, github: FakeGitHub) -> None:
    world.ask()
    deployment = world.store.deployment("scr", "production", asked.ID)
    deployment = deployment.but(version="abc1234", tag="v1.0.0", phase=Phase.SUCCEEDED)
    world.store.write(Save(deployment), messages_github.for_release(deployment, AT))
    github.commits = {}
    run()
    assert world.row("github-release", "github").gave_up
    done = world.store.deployment("scr", "production", asked.ID).publication
    assert done is not None
    assert "is no commit of" in done.message


def test_mails_that_fail_kill_no_link_that_arrived(world: World, run: Any, services: Services) -> None:
    world.ask(personal=("Ada Lovelace",))
    run()
    (arrived,) = LINK.findall(services.texts()[0])

    def down(mail: Any) -> None:
        raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "SendEmail")

    services.before_mail = down
    for number in (1, 2):
        world.store.write(*messages_approval.for_link(world.approval, "Ada Lovelace", number, world.clock()))
    for _ in range(25):
        run()
        world.clock.forward(minutes=30)
    assert world.row("link-2", PERSON).attempts == 10
    assert link_tokens.holder(world.approval, arrived) == "Ada Lovelace"


def test_a_channel_of_the_document_may_be_named_github(world: World, run: Any, services: Services) -> None:
    world.document["spec"]["channels"]["github"] = world.document["spec"]["channels"]["team"]
    world.ask()
    row = OutboxMessage(
        owner=asked.ID, event="outcome", channel="github", platform="scr", environment="production",
        subject="[Failed] x", text="x", created_at=AT + timedelta(0),
    )  # fmt: skip
    world.store.write(Add(row))
    assert run().sent == 1
    assert len(services.notes) == 1
