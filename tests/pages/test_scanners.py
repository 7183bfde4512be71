"""Whatever visits a link without being asked to decides nothing, and of those who may exactly one counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ferryman.approvals import wrong_words
from ferryman.records.writes import Save
from pages import asking
from pages.asking import SHORT
from pages.scanner import GUESSES, Page
from pages.site_world import GRACES, PERSONAL, SHARED, Answer, Site
from unit.fakes.dynamodb import FakeDynamoDb


def undecided(site: Site) -> bool:
    """Nothing was decided, neither in the approval nor in the deployment, and nobody was woken for it."""
    deployment = site.store.deployment("scr", "production", asking.ID)
    kept = site.approval.decisions == [] and site.approval.status == "Pending"
    return kept and deployment.approved_by == [] and site.nudged == []


def test_a_flood_of_looks_writes_nothing(site: Site) -> None:
    before = site.approval

    answers = [
        site.ask(method, path)
        for _ in range(50)
        for method in ("HEAD", "GET", "OPTIONS")
        for path in (PERSONAL, SHARED, GRACES, f"{PERSONAL}?decision=approve&version={SHORT}")
    ]

    assert {answer.status for answer in answers} == {200, 204}
    assert (site.approval, site.timeline(), site.nudged) == (before, [], [])


@pytest.mark.parametrize("status", ["Pending", "Approved", "Rejected", "Expired", "Superseded", "Aborted"])
@pytest.mark.parametrize("hours", [0, 25, 400], ids=["in-time", "expired", "long-ago"])
def test_a_look_writes_nothing_whatever_became_of_the_request(
    site: Site, status: str, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.store.write(Save(site.approval.but(status=status)))
    site.clock.forward(hours=hours)

    def written(*args: object, **how: object) -> None:
        pytest.fail("a look at a page wrote to the table")

    for operation in ("transact_write_items", "update_item", "put_item", "delete_item"):
        monkeypatch.setattr(FakeDynamoDb, operation, written)
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in (PERSONAL, SHARED, GRACES, f"{PERSONAL}x", f"{PERSONAL}?decision=approve&version={SHORT}"):
            assert site.ask(method, path).status in (200, 204, 404, 410)
    assert site.nudged == []


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests show what a page gives away; without this, most words would meet a pause."""
    monkeypatch.setattr(wrong_words, "MOST", 100_000)


@pytest.mark.parametrize("path", [PERSONAL, SHARED])
@pytest.mark.parametrize("unverified", [False, True], ids=["personal-only", "unverified-allowed"])
def test_every_form_with_everything_that_stands_on_the_page(site: Site, path: str, unverified: bool) -> None:
    site.store.write(Save(site.approval.but(allow_unverified=unverified)))
    page = Page(site.get(path).body)
    words = page.words()

    answers = [site.post(path, **fields) for fields in page.submissions([*GUESSES, *words])]

    assert page.forms
    assert len(words) > 20
    assert len(answers) > len(words)
    assert {answer.status for answer in answers} <= {303, 403, 413, 422}
    assert undecided(site)


def test_a_short_version_is_no_word_on_its_page_either(site: Site) -> None:
    """Where versions are as short as what has to be typed, it stands in more places."""
    again = "01K3SHORTVERSION0000000000"
    short = asking.approval(deployment=again, version=SHORT)
    why = f"release {SHORT} fixes it, see {SHORT}: ({SHORT})"
    site.store.write(Save(short), Save(asking.deployment(id=again, version=SHORT, why=why)))
    path = f"/a/{again}/{asking.ADA_NONCE}"

    wrong = site.post(path, decision="approve", version="x")
    page, after = Page(site.get(path).body), Page(wrong.body)

    for seen in (page, after):
        words = seen.words()
        assert "fixes" in words
        assert SHORT not in words
        assert not any(SHORT in text for text in seen.texts + seen.attributes)
        for fields in seen.submissions(words):
            site.post(path, **fields)
    assert undecided(site)


def test_a_form_that_was_refused_still_needs_a_person(site: Site) -> None:
    """A scanner that replays what a person got back, version field and all."""
    refused = site.post(PERSONAL, decision="reject", version=SHORT, reason="")
    page = Page(refused.body)

    for fields in page.submissions(page.words()):
        site.post(PERSONAL, **fields)

    assert undecided(site)


def test_links_on_the_page_lead_to_no_decision(site: Site) -> None:
    for path in (PERSONAL, SHARED):
        for link in Page(site.get(path).body).links:
            assert link.startswith(("https://github.com/", "?", "#", "../")), link
    assert undecided(site)


def test_a_hundred_decisions_at_once_and_exactly_one_counts(crowded: Site) -> None:
    def attempt(number: int) -> Answer:
        path = (PERSONAL, GRACES)[number % 2]
        verdict = ("approve", "reject")[number // 2 % 2]
        return crowded.post(path, decision=verdict, version=SHORT, reason=f"number {number}")

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(attempt, range(100)))

    assert len(crowded.approval.decisions) == 1
    assert crowded.approval.status in ("Approved", "Rejected")
    assert {answer.status for answer in answers} <= {303, 409}
    decisions = [kind for kind in crowded.timeline() if kind in ("Approved", "Rejected")]
    assert len(decisions) == 1


def test_a_hundred_at_once_of_two_people_are_two_approvals(crowded: Site) -> None:
    crowded.store.write(Save(crowded.approval.but(required=2)))

    with ThreadPoolExecutor(100) as pool:
        answers = list(
            pool.map(
                lambda number: crowded.post((PERSONAL, GRACES)[number % 2], decision="approve", version=SHORT),
                range(100),
            )
        )

    assert sorted(crowded.approval.approved_by) == ["Ada Lovelace", "Grace Hopper"]
    assert len(crowded.approval.decisions) == 2
    assert {answer.status for answer in answers} == {303}


def test_a_decision_and_its_replay(site: Site) -> None:
    site.post(PERSONAL, decision="reject", version=SHORT, reason="no")

    for fields in ({"decision": "approve", "version": SHORT}, {"decision": "reject", "version": SHORT, "reason": "x"}):
        for path in (PERSONAL, GRACES):
            site.post(path, **fields)

    assert len(site.approval.decisions) == 1
    assert site.approval.status == "Rejected"


@pytest.mark.parametrize(
    ("status", "kind"), [("Superseded", "410"), ("Expired", "410"), ("Aborted", "410"), ("Rejected", "409")]
)
def test_a_decision_after_the_end(site: Site, status: str, kind: str) -> None:
    site.store.write(Save(site.approval.but(status=status, superseded_by="deadbee")))

    answer = site.post(PERSONAL, decision="approve", version=SHORT)

    assert str(answer.status) == kind
    assert (site.approval.status, site.approval.decisions) == (status, [])


def test_a_decision_without_the_claim(site: Site) -> None:
    state = site.store.state("scr", "production")
    site.store.write(Save(state.but(active=None, fence=asking.FENCE + 1)))

    answer = site.post(PERSONAL, decision="approve", version=SHORT)

    assert answer.status == 409
    assert "no longer active" in answer.body
    assert site.approval.decisions == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"decision=approve&decision=approve&version=3f9c2ab", id="twice"),
        pytest.param(b"decision=approve&version=3f9c2ab&version=3f9c2ab", id="version-twice"),
        pytest.param(b"decision=approve;version=3f9c2ab", id="semicolons"),
        pytest.param(b"\xff\xfe", id="not-utf8"),
        pytest.param(b"decision=approve&version=%ff", id="escaped-not-utf8"),
        pytest.param(b'{"decision":"approve","version":"3f9c2ab"}', id="json"),
        pytest.param(b"decision=approve&version=3f9c2ab&" + b"x" * 100_000, id="long"),
        pytest.param(b"&" * 50_000, id="ampersands"),
        pytest.param(b"%" * 60_000, id="percents"),
        pytest.param(b"decision=approve&version=" + "３f9c2ab".encode(), id="wide-digits"),
        pytest.param(b"decision=approve&version=3f9c2ab%00", id="nul"),
        pytest.param(b"decision%00=approve&version=3f9c2ab", id="nul-in-name"),
    ],
)
def test_bodies_that_are_no_form_of_ours(site: Site, body: bytes) -> None:
    for path in (PERSONAL, SHARED):
        answer = site.ask("POST", path, body, {"content-type": "application/x-www-form-urlencoded"})
        assert 400 <= answer.status < 500
    assert undecided(site)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/json", "\u00fc"])
def test_forms_of_another_type(site: Site, kind: str) -> None:
    answer = site.ask("POST", PERSONAL, f"decision=approve&version={SHORT}".encode(), {"content-type": kind})

    assert answer.status == 415
    assert undecided(site)


def test_hostile_headers_can_be_stored(site: Site) -> None:
    site.ask(
        "POST",
        PERSONAL,
        f"decision=approve&version={SHORT}".encode(),
        {"content-type": "application/x-www-form-urlencoded", "user-agent": "\ud800\x00<script>\u202e" + "x" * 5000},
    )

    source = site.approval.decisions[0].source
    assert source.startswith("203.0.113.7 <script>xxx")
    assert len(source) <= 200
    source.encode()
