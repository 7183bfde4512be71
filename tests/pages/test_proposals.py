"""What people meet behind a link about a proposed document."""

import json
from typing import Any

import pytest

from ferryman.records import Approval, Hold, Proposal
from ferryman.records.writes import Save
from pages.proposing import ASK, ID, PERSONAL, SHARED, propose
from pages.site_world import Site, pressed
from unit import builders as make


@pytest.fixture
def proposed(site: Site, scr_document: dict[str, Any]) -> Site:
    return propose(site, scr_document)


def proposal(site: Site) -> Proposal:
    found = site.store.proposal("scr", ID)
    assert found is not None
    return found


def approval(site: Site) -> Approval:
    found = site.store.approval(ASK)
    assert found is not None
    return found


def test_the_page_shows_what_becomes_weaker_and_for_whom(proposed: Site) -> None:
    page = proposed.get(PERSONAL)

    assert page.status == 200
    for text in (
        "Change the gates of production?",
        "jo (the requester is not an approver, as far as IAM can tell) wants to replace generation 1",
        "What becomes weaker in production",
        "production no longer asks for approval &lt;b&gt;",
        "What becomes weaker elsewhere, where others decide",
        "europe: soak 1h → 10m",
        "What becomes stricter",
        "What else changes",
        "Decide as Ada Lovelace",
        "0 of 1",
    ):
        assert text in page.body, text
    assert proposal(proposed).short not in page.body, "the word to type stands letter by letter"


def test_looking_decides_nothing(proposed: Site) -> None:
    before = approval(proposed)
    assert {proposed.ask(method, path).status for method in ("GET", "HEAD") for path in (PERSONAL, SHARED)} == {200}
    assert approval(proposed) == before
    assert proposed.nudged == []


def test_an_approval_is_recorded_and_reconcile_told(proposed: Site) -> None:
    answer = proposed.post(PERSONAL, decision="approve", version=proposal(proposed).short)

    assert answer.status == 303
    found = approval(proposed)
    assert (found.status, found.decisions[0].name, found.decisions[0].how) == ("Approved", "Ada Lovelace", "mail")
    assert proposed.nudged == [("scr", "production")]
    assert proposal(proposed).status == "Proposed", "the page's function may not write documents"
    page = proposed.get(PERSONAL)
    assert "was approved by Ada Lovelace" in page.body
    assert "<form" not in page.body


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"decision": "approve", "version": "0000000"}, 422, "does not match this request"),
        ({"decision": "reject"}, 422, "does not match this request"),
        ({}, 422, "Press either Approve or Reject."),
    ],
    ids=["wrong-word", "no-word", "no-button"],
)
def test_a_form_with_a_mistake_decides_nothing(proposed: Site, fields: dict[str, str], status: int, text: str) -> None:
    answer = proposed.post(PERSONAL, **fields)
    assert (answer.status, text in answer.body, approval(proposed).decisions) == (status, True, [])


def test_a_held_environment_is_no_reason_to_wait(proposed: Site) -> None:
    state = proposed.store.state("scr", "production")
    proposed.store.write(Save(state.but(hold=Hold(reason="the fair", who="jo", at=make.AT))))
    assert proposed.post(PERSONAL, decision="approve", version=proposal(proposed).short).status == 303


def test_a_superseded_proposal_can_no_longer_be_decided(proposed: Site) -> None:
    short = proposal(proposed).short
    proposed.store.write(Save(proposal(proposed).but(status="Superseded", reason="jo applied another document")))

    page, answer = proposed.get(PERSONAL), proposed.post(PERSONAL, decision="approve", version=short)

    assert "was replaced by another document" in page.body
    assert "<form" not in page.body
    assert (answer.status, approval(proposed).decisions) == (200, [])
    assert proposed.get(SHARED).status == 410


def test_the_shared_page_shows_little_and_sends_a_link(proposed: Site) -> None:
    page = proposed.get(SHARED)
    assert page.status == 200
    assert "no longer asks" not in page.body
    assert "A change of the gates of production is waiting for approval (0 of 1)." in page.body

    assert proposed.post(SHARED, email="ada@scr-platform.example").status == 303

    [mail] = [message for message in proposed.store.unsent() if message.owner == ASK]
    assert (mail.channel, mail.event) == ("approver/Ada Lovelace", "link-1")
    assert "document" in mail.subject


def test_a_button_in_slack_counts(proposed: Site) -> None:
    actions = [{"action_id": "approve", "type": "button", "value": ASK}]
    answer = proposed.press(pressed(actions=actions))
    assert answer.status == 200
    assert "It is applied in a moment." in json.loads(answer.body)["text"]
    assert approval(proposed).status == "Approved"
