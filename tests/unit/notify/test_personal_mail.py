"""Each approver's own link: in one mail and nowhere else."""

import logging
import re
from html import unescape
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.approvals import link_tokens
from ferryman.contracts import NotifyOutput
from ferryman.messages import approval as messages_approval
from ferryman.notify.approval_links import pending_approval
from ferryman.notify.context import Context
from ferryman.records import Approval, OutboxMessage
from ferryman.records.writes import Save
from unit import asked
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.services import FakeServices
from unit.fakes.slack import BOT_TOKEN, FakeSlack
from unit.notify_world import BASE, LINK, PERSON, World


def test_the_mail_holds_a_key_that_works(world: World, run: Any, services: FakeServices) -> None:
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


def test_each_approver_has_a_key_of_their_own(world: World, run: Any, services: FakeServices) -> None:
    world.ask(personal=("Ada Lovelace", "Grace <Hopper>"))
    assert run().sent == 2
    keys = {mail["Destination"]["ToAddresses"][0]: LINK.findall(text)[0] for mail, text in zip(
        services.mails, services.texts(), strict=True
    )}  # fmt: skip
    assert link_tokens.holder(world.approval, keys["ada@example.com"]) == "Ada Lovelace"
    assert link_tokens.holder(world.approval, keys["grace@example.com"]) == "Grace <Hopper>"


def test_the_hash_is_kept_before_the_mail_goes_out(world: World, run: Any, services: FakeServices) -> None:
    world.ask(personal=("Ada Lovelace",))
    known: list[str | None] = []

    def look(mail: dict[str, Any]) -> None:
        (nonce,) = LINK.findall(mail["Content"]["Simple"]["Body"]["Text"]["Data"])
        known.append(link_tokens.holder(world.approval, nonce))

    services.before_mail = look
    run()
    assert known == ["Ada Lovelace"]


def test_a_crash_before_the_mail_is_made_up_for(world: World, run: Any, services: FakeServices) -> None:
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
    services: FakeServices,
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
    texts = [*services.texts(), *map(str, services.notes), *map(str, slack.posted), *map(str, slack.calls)]
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


def test_what_ses_says_is_told_without_the_key(world: World, run: Any, services: FakeServices) -> None:
    world.ask(personal=("Ada Lovelace",))

    def refuse(mail: dict[str, Any]) -> None:
        raise ValueError(f"can't send {LINK.findall(str(mail))[0]}")

    services.before_mail = refuse
    assert run().failed == 1
    assert world.row("approval", PERSON).last_error == "SES did not accept the mail: can't send [hidden]"


@pytest.mark.parametrize("status", ["Approved", "Rejected", "Expired", "Superseded", "Aborted"])
def test_an_approval_that_ended_meanwhile_sends_nothing(
    world: World, run: Any, services: FakeServices, slack: FakeSlack, status: str
) -> None:
    world.ask("team", "ops", "hook", "buttons", personal=("Ada Lovelace",))
    world.end(status)
    assert run() == NotifyOutput()
    assert (services.mails, services.notes, slack.posted, slack.calls) == ([], [], [], [])
    row = world.row("approval", PERSON)
    assert (row.gave_up, row.last_error) == (True, f"the request has already ended: {status}")
    # Nobody missed anything: no alarm, no line in the timeline.
    assert (world.counted, world.store.timeline(asked.ID), world.approval.nonces) == ([], [], [])


def test_one_that_expired_by_the_clock_sends_nothing(world: World, run: Any, services: FakeServices) -> None:
    world.ask(personal=("Ada Lovelace",))
    world.clock.at = asked.EXPIRES
    assert run() == NotifyOutput()
    assert services.mails == []


def test_it_ends_just_before_the_key_is_kept(
    world: World, run: Any, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(personal=("Ada Lovelace",))

    def ends(message: OutboxMessage, context: Context) -> Approval:
        before = pending_approval(message, context)
        world.end("Superseded")
        return before

    monkeypatch.setattr("ferryman.notify.personal_mail.pending_approval", ends)
    assert run() == NotifyOutput()
    assert services.mails == []


def test_who_decided_is_not_reminded(world: World, run: Any, services: FakeServices) -> None:
    world.ask(personal=())
    world.remind()
    world.store.write(Save(world.approval.but(required=2, decisions=[asked.decision()])))
    run()
    assert [mail["Destination"]["ToAddresses"] for mail in services.mails] == [["grace@example.com"]]
    assert world.row("reminder", PERSON).last_error == "the approver has already decided"


def test_a_link_that_was_asked_for(world: World, run: Any, services: FakeServices) -> None:
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


def test_without_the_address_of_the_page_nothing_is_sent(
    world: World, run: Any, services: FakeServices, slack: FakeSlack
) -> None:
    world.ask("team", "ops", "hook", "bot", "buttons", personal=("Ada Lovelace",))
    assert run(approvals_url="").failed == 6
    assert (services.mails, services.notes, slack.posted, slack.calls) == ([], [], [], [])
    assert "APPROVALS_URL" in str(world.row("approval", PERSON).last_error)


def test_the_mail_escapes_what_people_wrote(world: World, run: Any, services: FakeServices) -> None:
    evil = '"><script>alert(1)</script><img src=https://evil.example>'
    world.ask(personal=("Ada Lovelace",), approval=asked.approval(version=evil, tag=None))
    run()
    html = services.mails[0]["Content"]["Simple"]["Body"]["Html"]["Data"]
    assert "<script" not in html
    assert "<img" not in html
    assert "<script>alert(1)</script>" in unescape(html)
    assert re.findall(r'href="([^"]*)"', html) == [match[0] for match in [LINK.search(html)] if match]
    assert not re.search(r"src=\"|url\(|<form|<input", html)


@pytest.mark.parametrize(("code", "attempts"), [("MessageRejected", 10), ("TooManyRequestsException", 40)])
def test_mails_that_fail_kill_no_link_that_arrived(
    world: World, run: Any, services: FakeServices, code: str, attempts: int
) -> None:
    world.ask(personal=("Ada Lovelace",))
    run()
    (arrived,) = LINK.findall(services.texts()[0])

    def down(mail: Any) -> None:
        raise ClientError({"Error": {"Code": code}}, "SendEmail")

    services.before_mail = down
    for number in (1, 2):
        world.store.write(*messages_approval.for_link(world.approval, "Ada Lovelace", number, world.clock()))
    for _ in range(60):
        run()
        world.clock.forward(minutes=5)
    assert world.row("link-1", PERSON).attempts >= attempts
    assert link_tokens.holder(world.approval, arrived) == "Ada Lovelace"
