"""What people are told about an approval: enough to decide, to whom it concerns, and never a key."""

from typing import Any

import pytest

from ferryman.decisions import approval_in_words
from ferryman.messages import approval as told
from ferryman.platform import Platform, parse
from ferryman.records import Actor, Approval, OutboxMessage, PlannedMigration
from ferryman.records.writes import Add
from unit import asked
from unit import builders as make

MIGRATION = PlannedMigration(
    component="api",
    container="api",
    digest=make.digest("a"),
    image="x",
    base_task_definition="x",
    command=["up"],
    timeout_seconds=1,
    subnets=[],
    security_groups=[],
)


@pytest.fixture
def document(scr_document: dict[str, Any]) -> Platform:
    scr_document["spec"]["channels"]["bot"] = {
        "type": "slack",
        "botTokenSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-bot-token-AbCdEf",
        "channel": "C024BE91L",
    }
    scr_document["spec"]["environments"]["production"]["notify"] = ["team", "bot"]
    scr_document["spec"]["github"] = {
        "repository": "scr-platform/scr",
        "tokenSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/github-AbCdEf",
    }
    return parse(scr_document)


def rows(adds: list[Add]) -> dict[str, OutboxMessage]:
    found = {}
    for add in adds:
        assert isinstance(add.record, OutboxMessage)
        assert add.expires_at is not None
        assert add.record.owner == asked.ID
        assert len(add.record.subject) <= 100
        found[add.record.channel] = add.record
    assert len(found) == len(adds)
    return found


def request(document: Platform, approval: Approval | None = None, **deployment: Any) -> dict[str, OutboxMessage]:
    return rows(
        told.for_request(
            approval or asked.approval(),
            asked.deployment(**deployment),
            document,
            make.AT,
            personal=["Ada Lovelace"],
        )
    )


def test_the_question_goes_to_each_named_to_every_channel_and_to_github(document: Platform) -> None:
    found = request(document)
    assert {name: row.event for name, row in found.items()} == {
        "approver/Ada Lovelace": "approval",
        "team": "approval",
        "bot": "approval",
        "github": "github-requested",
    }


@pytest.mark.parametrize("channel", ["approver/Ada Lovelace", "team"])
def test_the_question_says_what_who_until_when_and_what_to_do(document: Platform, channel: str) -> None:
    text = request(document, why="fixes the door", plan=make.plan(migration=MIGRATION))[channel].text
    for part in (
        "scr/production: v1.0.0 (abc1234def) is waiting for approval.",
        "Running now: 0001234\nTo be deployed: v1.0.0 (abc1234def)\nImages: api aaaaaaaaaaaa, web bbbbbbbbbbbb",
        "Database: migrated first",
        "Changes: https://github.com/scr-platform/scr/compare/0001234...abc1234def",
        "Requested by: arn:aws:iam::123456789012:user/jo (fixes the door)",
        "Expires: 2026-01-03 03:04 UTC",
        "What to do next: ",
    ):
        assert part in text
    assert text.split("\n").count(told.LINK) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"requester": "Alan"}, False),
        ({"requested_by": Actor(who="tag v1.0.0", automated=True)}, False),
    ],
    ids=["a-stranger", "an-approver", "automation"],
)
def test_whom_iam_does_not_know_as_an_approver_is_told_as_such(
    document: Platform, changes: dict[str, Any], said: bool
) -> None:
    approval = asked.approval(**changes)
    words = "the requester is not an approver, as far as IAM can tell"
    assert (f"; {words}\n" in request(document, approval)["team"].text) == said
    sentences = " ".join(approval_in_words.in_words(approval, make.AT))
    assert (words in sentences.replace("The requester", "the requester")) == said


def test_only_the_personal_mail_asks_to_type(document: Platform) -> None:
    found = request(document)
    assert "Type abc1234 to approve it, or to reject it with a reason" in found["approver/Ada Lovelace"].text
    assert "Do not forward" in found["approver/Ada Lovelace"].text
    assert "personal link in their mail" in found["team"].text
    assert "Approvers: Ada Lovelace, Grace <Hopper>, Alan" in found["team"].text
    open_to_all = request(document, asked.approval(allow_unverified=True))
    assert "anyone who opens the link can decide. Type abc1234" in open_to_all["team"].text


@pytest.mark.parametrize(
    ("approval", "deployment", "part"),
    [
        ({}, {"from_version": None}, "Running now: no release yet"),
        ({"tag": None}, {}, "To be deployed: abc1234def"),
        ({}, {"kind": "rollback"}, "Kind: rollback"),
        ({"required": 2}, {}, "Approvals needed: 2 (so far: none yet)"),
        ({"required": 2, "decisions": [asked.decision()]}, {}, "Approvals needed: 2 (so far: Ada Lovelace)"),
    ],
    ids=["first", "no-tag", "rollback", "two-needed", "one-of-two"],
)
def test_facts(document: Platform, approval: Any, deployment: Any, part: str) -> None:
    found = request(document, asked.approval(**approval), **deployment)
    assert part in found["team"].text
    label, _, value = part.partition(": ")
    assert [label, value] in found["team"].detail["facts"]


def test_what_people_wrote_can_not_place_a_second_link(document: Platform) -> None:
    text = request(document, why=f"x\n{told.LINK}\ny")["approver/Ada Lovelace"].text
    assert text.split("\n").count(told.LINK) == 1


def test_an_environment_that_is_gone_from_the_document(document: Platform) -> None:
    gone = asked.approval(environment="elsewhere")
    assert set(rows(told.for_reminder(gone, asked.deployment(), document, make.AT))) == {
        "approver/Ada Lovelace",
        "approver/Grace <Hopper>",
    }


@pytest.mark.parametrize(
    ("changes", "reminded"),
    [
        ({}, ["Ada Lovelace", "Grace <Hopper>"]),
        ({"required": 2, "decisions": [asked.decision()]}, ["Grace <Hopper>"]),
        ({"requester": "Ada Lovelace"}, ["Grace <Hopper>"]),
        ({"requester": "Ada Lovelace", "requester_may_approve": True}, ["Ada Lovelace", "Grace <Hopper>"]),
    ],
    ids=["all-with-mail", "one-decided", "who-asked-may-not", "who-asked-may"],
)
def test_reminded_is_who_can_still_decide(document: Platform, changes: Any, reminded: list[str]) -> None:
    found = rows(told.for_reminder(asked.approval(**changes), asked.deployment(), document, make.AT))
    assert [name.removeprefix("approver/") for name in found if name.startswith("approver/")] == reminded
    assert {row.event for row in found.values()} == {"reminder"}
    assert "expires at 2026-01-03 03:04 UTC" in found["team"].text


def test_another_link_goes_to_one(document: Platform) -> None:
    (row,) = rows(told.for_link(asked.approval(), "Grace <Hopper>", 3, make.AT)).values()
    assert (row.channel, row.event) == ("approver/Grace <Hopper>", "link-3")
    assert told.LINK in row.text.split("\n")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"status": "Approved", "decisions": [asked.decision(reason="looks good")]},
            "Approved by Ada Lovelace (mail) at 2026-01-02 03:04 UTC: looks good",
        ),
        (
            {"status": "Rejected", "decisions": [asked.decision("reject", reason="too late")]},
            "Rejected by Ada Lovelace (mail) at 2026-01-02 03:04 UTC: too late",
        ),
        ({"status": "Expired", "reason": "not approved in time"}, "Expired: not approved in time"),
        ({"status": "Superseded", "reason": "def is newer"}, "Superseded: def is newer"),
        ({"status": "Aborted", "reason": "jo aborted it"}, "Aborted: jo aborted it"),
    ],
    ids=["approved", "rejected", "expired", "superseded", "aborted"],
)
def test_the_end_changes_what_a_bot_posted_and_nothing_else(document: Platform, changes: Any, words: str) -> None:
    found = rows(told.for_ended(asked.approval(**changes), asked.deployment(), document, make.AT))
    assert {name: row.event for name, row in found.items()} == {"bot": "approval-ended"}
    assert words in found["bot"].text
    assert found["bot"].detail["phase"] == changes["status"]
