"""What keeps the page up and a link in the right hands: the domain's secret, the pause, and the end of each link."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.approvals import link_tokens, wrong_words
from ferryman.approvals.web.origin import HEADER, KEPT
from ferryman.records import Phase
from ferryman.records.writes import Save
from pages import asking
from pages.asking import SHORT
from pages.site_world import FORM, GRACES, PERSONAL, SHARED, Site, event, pressed, signed

DOMAIN = "https://approve.example.com/ferryman"
SECRET = "origin-AbCdEf"
FIRST, SECOND, THIRD = ("1" * 40, "2" * 40, "3" * 40)
BODY = b"decision=approve&version=" + SHORT.encode()


@pytest.fixture
def guarded(site: Site) -> Site:
    """Pages with a domain, whose secret was never rotated."""
    site.secrets.secrets[SECRET] = FIRST
    site.with_domain(DOMAIN, f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{SECRET}")
    return site


def over(value: str) -> dict[str, str]:
    return {HEADER: value}


# ── the domain ──


def test_a_request_over_the_domain_is_answered(guarded: Site) -> None:
    assert guarded.ask("GET", PERSONAL, headers=over(FIRST)).status == 200
    assert guarded.press(pressed(), **over(FIRST)).status == 200
    assert guarded.approval.status == "Approved"


@pytest.mark.parametrize("value", ["", FIRST[:-1], FIRST + "1", f"{FIRST},{FIRST}", SECOND, "\ud800", "ü" * 40])
def test_whatever_goes_around_it_changes_nothing(guarded: Site, value: str) -> None:
    headers = over(value) if value else {}
    for path in (PERSONAL, SHARED):
        answer = guarded.ask("POST", path, BODY, headers | {"content-type": FORM})
        assert (answer.status, "not the address of the approval pages" in answer.body) == (403, True)
    for method in ("PUT", "OPTIONS", "DELETE"):
        assert guarded.ask(method, PERSONAL, headers=headers).status == 403
    assert guarded.ask("POST", "/slack", b"payload=1", headers).status == 403
    assert guarded.press(pressed(), **headers).status == 403
    assert (guarded.approval.decisions, guarded.timeline(), guarded.slack_invoked) == ([], [], 0)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_old_link_leads_to_the_domain(guarded: Site, method: str) -> None:
    for path in (PERSONAL, SHARED):
        answer = guarded.ask(method, f"/before{path}?reload=off")
        assert (answer.status, answer.headers["location"]) == (308, DOMAIN + path)
    for path in ("/", "/a/x", f"/a/{asking.ID}/short", f"/a/{asking.ID}/{'x' * 20}%0d%0aset-cookie:1", "/slack"):
        answer = guarded.ask(method, path)
        assert answer.status == 403
        assert "location" not in answer.headers


def test_two_values_count_while_they_rotate(guarded: Site) -> None:
    def status(value: str) -> int:
        return guarded.ask("GET", PERSONAL, headers=over(value)).status

    assert (status(FIRST), status(SECOND)) == (200, 308)
    guarded.secrets.rotate(SECRET, SECOND)
    assert status(SECOND) == 308, "it was looked up a moment ago"
    guarded.clock.at += timedelta(seconds=11)
    assert (status(SECOND), status(FIRST)) == (200, 200)
    guarded.secrets.rotate(SECRET, THIRD)
    guarded.clock.at += KEPT + timedelta(seconds=1)
    assert (status(THIRD), status(SECOND), status(FIRST)) == (200, 200, 308)


def test_a_flood_of_wrong_values_reads_the_secret_once_in_ten_seconds(guarded: Site) -> None:
    for number in range(50):
        guarded.ask("GET", PERSONAL, headers=over(f"{number}" * 40))
    assert guarded.secrets.read == [SECRET] * 2


@pytest.mark.parametrize("value", ["", "short", "   ", "{}", '{"originSecret": ""}'])
def test_a_secret_that_anybody_could_guess_lets_nobody_in(guarded: Site, value: str) -> None:
    guarded.secrets.secrets[SECRET] = value
    for sent in ("", value, "short"):
        assert guarded.ask("GET", PERSONAL, headers=over(sent)).status == 503


def test_nobody_gets_in_while_the_secret_cannot_be_read_and_nobody_is_locked_out_later(guarded: Site) -> None:
    guarded.secrets.fails = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": FIRST}}, "GetSecretValue"
    )
    assert guarded.ask("GET", PERSONAL, headers=over(FIRST)).status == 503
    guarded.secrets.fails = None
    assert guarded.ask("GET", PERSONAL, headers=over(FIRST)).status == 200
    guarded.secrets.fails = ClientError({"Error": {"Code": "InternalServiceError", "Message": "?"}}, "GetSecretValue")
    guarded.clock.at += timedelta(hours=2)
    assert guarded.ask("GET", PERSONAL, headers=over(FIRST)).status == 200


def test_the_value_is_never_logged(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    test_nobody_gets_in_while_the_secret_cannot_be_read_and_nobody_is_locked_out_later(guarded)
    assert "cannot read the secret" in caplog.text
    assert FIRST not in caplog.text + str(guarded.log.said)


# ── Slack's own function ──


def test_a_press_at_the_pages_address_is_passed_on(site: Site) -> None:
    body = b"payload=" + b"%7B%22type%22%3A%22x%22%7D"
    answer = site.ask("POST", "/slack", body, signed(body, int(site.clock().timestamp())))

    assert (answer.status, site.slack_invoked) == (200, 1)
    assert any("SlackUrl" in said for said, _ in site.log.said)


@pytest.mark.parametrize("body", [b"x" * 70_000, b"payload=1"])
def test_what_slack_cannot_have_signed_is_not_passed_on(site: Site, body: bytes) -> None:
    headers = signed(body, int(site.clock().timestamp())) if len(body) > 100 else {"content-type": FORM}
    assert site.ask("POST", "/slack", body, headers).status in (401, 413)
    assert site.slack_invoked == 0


def test_slacks_function_shows_no_page(site: Site) -> None:
    assert site.serve_slack(event("GET", PERSONAL)).status == 405


# ── wrong words ──


def typed(site: Site, word: str, path: str = PERSONAL, **fields: str) -> int:
    return site.post(path, **({"decision": "approve", "version": word} | fields)).status


def test_more_than_twenty_different_wrong_words_pause_typing_on_that_link(site: Site) -> None:
    for number in range(20):
        assert typed(site, f"wrong-{number}") == 422
        assert typed(site, f" WRONG-{number} ") == 422, "the same word"
        assert typed(site, "") == 422
    assert typed(site, "one-too-many") == 429
    paused = site.post(PERSONAL, decision="approve", version=SHORT)
    page = site.get(PERSONAL)

    assert (paused.status, page.status) == (429, 200)
    for body in (paused.body, page.body):
        assert "Typing is paused on this link until 03:21 UTC" in body
        assert f'href="../{asking.ID}"' in body
        assert 'name="version"' not in body
    assert site.approval.decisions == []
    assert typed(site, SHORT, GRACES) == 303, "another link works at once"


def test_the_owner_is_told_once_and_gets_a_fresh_link(site: Site) -> None:
    again = link_tokens.new()
    link_tokens.remember(site.store, asking.ID, "Ada Lovelace", again[1], site.clock())
    for path in (PERSONAL, PERSONAL, f"/a/{asking.ID}/{again[0]}"):
        assert [typed(site, f"wrong-{number}", path) for number in range(21)][-1] == 429
        site.clock.at += wrong_words.PAUSE
    mails = [item for item in site.store.unsent() if item.event == "link-paused"]
    told = [line for line in site.store.timeline(asking.ID) if line.detail.get("refused") == "TypingPaused"]

    assert [(mail.channel, "{{link}}" in mail.text) for mail in mails] == [("approver/Ada Lovelace", True)]
    assert len(told) == 1
    assert told[0].detail["source"].startswith("203.0.113.7")


def test_a_pause_ends_by_itself_and_the_count_begins_anew(site: Site) -> None:
    for number in range(21):
        typed(site, f"wrong-{number}")
    site.clock.at += wrong_words.PAUSE - timedelta(seconds=1)
    assert typed(site, SHORT) == 429
    site.clock.at += timedelta(seconds=1)
    assert typed(site, "wrong-again") == 422
    assert typed(site, SHORT) == 303


def test_what_is_stored_is_bounded_and_tells_no_word(site: Site) -> None:
    for number in range(500):
        typed(site, f"hunter{number}")
    record = site.store.wrong_words(asking.ID, asking.hashed(asking.ADA_NONCE))

    assert record is not None
    assert record.rev == 21
    assert "hunter" not in record.model_dump_json()
    assert len(record.words) <= wrong_words.MOST


def test_a_guessed_link_is_not_counted(site: Site) -> None:
    for number in range(30):
        assert typed(site, f"wrong-{number}", f"/a/{asking.ID}/{'x' * 43}") == 404
    assert site.timeline() == []


def test_unverified_typing_pauses_on_the_shared_link_only(site: Site) -> None:
    site.store.write(Save(site.approval.but(allow_unverified=True)))
    statuses = [typed(site, f"wrong-{number}", SHARED, name="Eve") for number in range(22)]

    assert statuses == [422] * 20 + [429] * 2
    assert "A fresh link" not in site.get(SHARED).body
    assert typed(site, SHORT) == 303


# ── the end of a link ──


def ended(site: Site, ago: timedelta, **changes: Any) -> None:
    site.store.write(Save(site.approval.but(status="Approved", decided_at=site.clock())))
    deployment = site.store.deployment("scr", "production", asking.ID)
    site.store.write(Save(deployment.but(**{"phase": Phase.SUCCEEDED, "ended_at": site.clock() - ago} | changes)))


@pytest.mark.parametrize("path", [PERSONAL, SHARED])
def test_a_link_ends_a_day_after_its_deployment(site: Site, path: str) -> None:
    ended(site, timedelta(hours=23, minutes=59))
    assert site.get(path).status == 200
    site.clock.at += timedelta(minutes=1)
    for answer in (site.get(path), site.post(path, decision="approve", version=SHORT)):
        assert (answer.status, "This link has ended" in answer.body) == (410, True)
    assert SHORT not in site.get(path).body


def test_a_link_lasts_as_long_as_its_deployment(site: Site) -> None:
    ended(site, timedelta(), phase=Phase.RUNNING, ended_at=None)
    site.clock.at += timedelta(days=9)
    assert site.get(PERSONAL).status == 200


def test_a_deployment_of_an_earlier_version_that_noted_no_end(site: Site) -> None:
    ended(site, timedelta(), ended_at=None)
    assert site.get(PERSONAL).status == 200
    site.clock.at += timedelta(days=1)
    assert site.get(PERSONAL).status == 410


# ── who is no approver any more ──


def change(site: Site, **entry: str | None) -> None:
    """Apply a document in which Ada's entry is another one; none at all without keywords."""
    applied = site.store.platform("scr")
    document = copy.deepcopy(applied.document)
    people = document["spec"]["environments"]["production"]["approval"]["approvers"]
    people[0] = {name: value for name, value in (people[0] | entry).items() if value}
    if not entry:
        people.pop(0)
    site.store.write(Save(applied.but(document=document)))


GONE = {
    "removed": {},
    "renamed": {"name": "Ada King"},
    "another-address": {"email": "ada@elsewhere.example"},
    "no-address": {"email": None},
    "a-reference-that-is-gone": {"email": "ssm:/ferryman/scr/nobody"},
    "a-reference-to-another": {"email": "ssm:/ferryman/scr/eve"},
}


@pytest.mark.parametrize("entry", GONE.values(), ids=GONE)
@pytest.mark.parametrize("decided", [False, True], ids=["open", "decided"])
def test_a_changed_or_removed_address_revokes_at_once(site: Site, entry: dict[str, Any], decided: bool) -> None:
    site.parameters["ssm:/ferryman/scr/eve"] = "eve@scr-platform.example"
    if decided:
        ended(site, timedelta(), phase=Phase.RUNNING, ended_at=None)
    change(site, **entry)
    for answer in (site.get(PERSONAL), site.post(PERSONAL, decision="approve", version=SHORT)):
        assert (answer.status, "This link was revoked" in answer.body) == (410, True)
        assert asking.VERSION not in answer.body
    assert site.approval.decisions == []
    assert site.get(GRACES).status == 200


@pytest.mark.parametrize("email", ["ADA@scr-platform.example", "ssm:/ferryman/scr/ada"])
def test_the_same_address_is_the_same_however_it_is_written(site: Site, email: str) -> None:
    site.parameters["ssm:/ferryman/scr/ada"] = "ada@scr-platform.example"
    change(site, email=email)
    assert typed(site, SHORT) == 303


def test_another_slack_id_is_another_person(site: Site) -> None:
    change(site, slack="U0EVE")
    site.press(pressed())
    site.press(pressed(user="U0EVE"))
    assert site.approval.decisions == []
    assert typed(site, SHORT) == 303, "the mail's link is Ada's still"
