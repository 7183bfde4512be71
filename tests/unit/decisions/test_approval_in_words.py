"""Who may still decide about an approval, and by which ways."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.approval_in_words import deciders, in_words, stranger
from ferryman.records import Actor
from unit.asked import EXPIRES, approval, decision

ALAN = "arn:aws:iam::123456789012:user/alan"
NOW = EXPIRES - timedelta(hours=4)
EVERYBODY = [("Ada Lovelace", ["mail", "slack"]), ("Grace <Hopper>", ["mail"]), ("Alan", ["cli"])]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, EVERYBODY, id="everybody-with-what-proves-who-they-are"),
        pytest.param({"decisions": [decision()]}, EVERYBODY[1:], id="who-decided-has-decided"),
        pytest.param({"requester": "Alan"}, EVERYBODY[:2], id="who-asked-may-not"),
        pytest.param({"requester": "Alan", "requester_may_approve": True}, EVERYBODY, id="unless-the-policy-lets-them"),
        pytest.param({"approvers": []}, [], id="nobody-is-listed"),
    ],
)
def test_who_may_still_say_yes(changes: dict[str, Any], expected: list[tuple[str, list[str]]]) -> None:
    assert [(person.name, person.ways) for person in deciders(approval(**changes))] == expected


@pytest.mark.parametrize(
    ("by", "requester", "unknown"),
    [
        pytest.param(Actor(who="push", automated=True), None, False, id="automation-is-no-stranger"),
        pytest.param(Actor(who=ALAN), "Alan", False, id="an-approver"),
        pytest.param(Actor(who="arn:aws:iam::123456789012:user/eve"), None, True, id="somebody-else"),
    ],
)
def test_who_asked_may_be_a_stranger(by: Actor, requester: str | None, unknown: bool) -> None:
    assert (stranger(approval(requested_by=by, requester=requester)) is not None) is unknown


@pytest.mark.parametrize(
    ("changes", "words", "none_of"),
    [
        pytest.param(
            {"required": 2, "decisions": [decision()]},
            ["1 of 2", "(Ada Lovelace)", "Grace <Hopper>, Alan", "the link in their mail", "ferryman approve"],
            ["Slack"],
            id="names-those-who-are-left-and-their-ways",
        ),
        pytest.param(
            {"approvers": []}, ["0 of 1", "ferryman reject production"], ["ferryman approve"], id="nobody-left"
        ),
        pytest.param({"approvers": [], "allow_unverified": True}, ["Unverified"], ["ferryman reject"], id="unverified"),
        pytest.param({"requester": "Alan"}, ["Alan requested it"], ["ferryman approve"], id="names-who-is-barred"),
    ],
)
def test_is_told_in_sentences(changes: dict[str, Any], words: list[str], none_of: list[str]) -> None:
    told = " ".join(in_words(approval(requested_by=Actor(who="push", automated=True), **changes), NOW))

    assert [word for word in words if word not in told] == []
    assert [word for word in none_of if word in told] == []
    assert "2026-01-03 03:04 UTC" in told
