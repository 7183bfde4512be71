"""What people meet behind their links, before and after the decision."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.approvals.web import shared_page
from ferryman.errors import Unavailable
from ferryman.records import AbortRequest, Actor, ApproverRecord, Freeze, Hold, Phase, step_keys
from ferryman.records.writes import Save
from pages import asking
from pages.asking import SHORT
from pages.site_world import GRACES, PERSONAL, SHARED, Site
from unit import builders as make


def change(site: Site, **changes: Any) -> None:
    site.store.write(Save(site.approval.but(**changes)))


def deployment(site: Site) -> Any:
    return site.store.deployment("scr", "production", asking.ID)


# ── looking ──


def test_the_page_shows_what_one_decides_on(site: Site) -> None:
    page = site.get(PERSONAL)

    assert page.status == 200
    for text in (
        "Deploy to production?",
        "Decide as Ada Lovelace",
        "v1.0.0",
        "v0.9.3",
        "91d0e4c5aa0b",
        "444444444444",
        f"https://github.com/scr-platform/scr/compare/{asking.RUNS}...3f9%63{asking.VERSION[4:]}",
        "0003_drop_legacy_totals",
        "not rollback-safe",
        "01K3STAGING0000000000STAGE",
        "ran for 3h7m",
        "not frozen",
        "are rolled back to 91d0e4c5aa0b automatically",
        "ferryman rollback production --downgrade",
        "automation (the tag v1.0.0)",
        "Sat 3 Jan 2026, 03:04 UTC",
        "in 23h",
        "0 of 1",
    ):
        assert text in page.body, text
    assert "0001_users" not in page.body, "it ran with what runs now"
    assert "refresh" not in page.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [PERSONAL, SHARED, f"{SHARED}?asked=1"])
def test_looking_writes_nothing(site: Site, method: str, path: str) -> None:
    before = site.approval

    answers = [site.ask(method, path) for _ in range(20)]

    assert {answer.status for answer in answers} == {204 if method == "OPTIONS" else 200}
    assert site.approval == before
    assert (site.timeline(), site.nudged) == ([], [])
    if method != "GET":
        assert {answer.body for answer in answers} == {""}


def test_the_shared_page_shows_little(site: Site) -> None:
    page = site.get(SHARED)

    assert page.status == 200
    assert "Waiting for approval" in page.body
    for text in ("Ada", "Grace", "@", SHORT, "444444444444", "decision"):
        assert text not in page.body.partition("<form")[0].partition("</style>")[2], text


def test_nothing_of_the_request_is_logged(site: Site) -> None:
    for path in (PERSONAL, f"/a/{asking.ID}/{'x' * 43}", f"/{asking.ADA_NONCE}", f"/a/{asking.ADA_NONCE}", SHARED):
        for method in ("GET", "HEAD", "OPTIONS", "POST", asking.ADA_NONCE):
            site.ask(method, path)
    site.post(PERSONAL, decision="reject", version=SHORT, reason=f"see {PERSONAL}")

    said = json.dumps(site.log.said, default=str)
    assert asking.ADA_NONCE.upper() not in said.upper()
    assert "x" * 43 not in said
    stored = str([item.dump() for item in site.store.timeline(asking.ID)]) + str(site.approval.dump())
    assert asking.ADA_NONCE not in stored


# ── deciding ──


def test_an_approval_leads_back_to_the_link_which_shows_the_progress(site: Site) -> None:
    answer = site.post(PERSONAL, decision="approve", version=SHORT, reason="")

    assert (answer.status, answer.headers["location"]) == (303, asking.ADA_NONCE)
    assert (site.approval.status, site.approval.approved_by) == ("Approved", ["Ada Lovelace"])
    assert site.nudged == [("scr", "production")]
    page = site.get(PERSONAL)
    assert (page.status, page.headers["refresh"]) == (200, "5")
    assert "Approved: the deployment is starting" in page.body
    assert "<form" not in page.body
    quiet = site.get(f"{PERSONAL}?reload=off")
    assert "refresh" not in quiet.headers
    assert "refresh" not in page.body.lower(), "a meta element could not be stopped"


def test_the_progress_ends_with_the_outcome(site: Site) -> None:
    site.post(PERSONAL, decision="approve", version=SHORT)
    done = {
        **make.passed(upto=step_keys.MIGRATION),
        **{step_keys.rollout(name, "forward"): make.rollout(name) for name in asking.SERVICES},
        step_keys.APPROVAL: make.step(),
        step_keys.PROMOTION: make.step(),
        step_keys.SMOKE_TEST: make.step(),
    }
    ended = deployment(site).but(
        phase=Phase.SUCCEEDED, message="It runs on 3 of 3 services.", ended_at=site.clock(), steps=done
    )
    running = asking.state().current
    assert running is not None
    after = site.store.state("scr", "production")
    site.store.write(
        Save(ended),
        Save(
            after.but(
                active=None,
                current=running.but(version=asking.VERSION, deployment=asking.ID, digests=asking.NEW),
                previous=after.last_succeeded,
            )
        ),
    )

    page = site.get(PERSONAL)

    assert page.status == 200
    assert "refresh" not in page.headers
    for text in ("Deployed and verified", "It runs on 3 of 3 services.", "Rollout of scr-web-production"):
        assert text in page.body
    assert "222222222222" in page.body, "what ran before is still told"


def test_a_rejection_says_who_and_why(site: Site) -> None:
    answer = site.post(PERSONAL, decision="reject", version=SHORT, reason="not during <b>the</b> sale")

    assert answer.status == 303
    assert site.approval.status == "Rejected"
    for path in (PERSONAL, GRACES):
        page = site.get(path)
        assert page.status == 200
        assert "The deployment was rejected" in page.body
        assert "not during &lt;b&gt;the&lt;/b&gt; sale" in page.body
        assert "refresh" not in page.headers


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        pytest.param({"decision": "approve"}, 422, "does not match this", id="nothing-typed"),
        pytest.param({"decision": "approve", "version": "abc1234"}, 422, "does not match this", id="another-version"),
        pytest.param({"decision": "approve", "version": asking.VERSION}, 422, "does not match this", id="full-version"),
        pytest.param({"decision": "approve", "version": SHORT[:6]}, 422, "does not match this", id="cut-off"),
        pytest.param({"decision": "reject", "version": SHORT}, 422, "Give a reason", id="no-reason"),
        pytest.param({"decision": "reject", "reason": "x"}, 422, "does not match this", id="reject-untyped"),
        pytest.param({"version": SHORT, "reason": "x"}, 422, "Press either", id="no-button"),
        pytest.param({"decision": "yes", "version": SHORT}, 422, "Press either", id="another-button"),
        pytest.param({}, 422, "Press either", id="empty"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(site: Site, fields: dict[str, str], status: int, text: str) -> None:
    answer = site.post(PERSONAL, **fields)

    assert answer.status == status
    assert text in answer.body
    assert 'role="alert"' in answer.body
    assert site.approval.status == "Pending"
    assert site.nudged == []


def test_what_was_typed_as_the_version_is_never_filled_in(site: Site) -> None:
    page = site.post(PERSONAL, decision="reject", version=SHORT, reason="")

    assert page.status == 422
    field = page.body.partition('id="version" name="version"')[2].partition(">")[0]
    assert "value=" not in field
    assert SHORT not in page.body


def test_a_reason_is_kept_when_something_else_was_wrong(site: Site) -> None:
    page = site.post(PERSONAL, decision="reject", version="x", reason='"><script>alert(1)</script>')

    assert "&lt;script&gt;alert(1)" in page.body
    assert "<script" not in page.body


def test_the_second_one_sees_who_decided(site: Site) -> None:
    site.post(PERSONAL, decision="approve", version=SHORT)

    late = site.post(GRACES, decision="reject", version=SHORT, reason="no")

    assert late.status == 409
    assert "Your decision came too late." in late.body
    assert "was approved by Ada Lovelace" in late.body
    assert "Progress" in late.body
    assert site.approval.status == "Approved"


def test_pressing_twice_counts_once(site: Site) -> None:
    answers = [site.post(PERSONAL, decision="approve", version=SHORT) for _ in range(2)]

    assert [answer.status for answer in answers] == [303, 303]
    assert len(site.approval.decisions) == 1


def test_two_approvals_are_waited_for(site: Site) -> None:
    change(site, required=2)
    site.post(PERSONAL, decision="approve", version=SHORT)

    mine, hers = site.get(PERSONAL), site.get(GRACES)

    assert "1 of 2" in mine.body
    assert "1 more approval is needed" in mine.body
    assert 'value="approve"' not in mine.body
    assert 'value="approve"' in hers.body
    assert "<strong>Ada Lovelace</strong> approved" in hers.body
    site.post(GRACES, decision="approve", version=SHORT)
    assert site.approval.status == "Approved"


def test_who_asked_can_only_reject(site: Site) -> None:
    change(site, requester="Ada Lovelace", requested_by=Actor(who="arn:aws:iam::123456789012:user/ada"))

    page = site.get(PERSONAL)
    answer = site.post(PERSONAL, decision="approve", version=SHORT)

    assert "somebody else must approve it" in page.body
    assert 'value="approve"' not in page.body
    assert answer.status == 403
    assert site.approval.status == "Pending"


def test_a_stranger_to_iam_is_told_as_such(site: Site) -> None:
    words = "the requester is not an approver, as far as IAM can tell"
    assert words not in site.get(PERSONAL).body
    change(site, requested_by=Actor(who="arn:aws:sts::123456789012:assumed-role/Admin/jo"))
    assert f"jo ({words})" in site.get(PERSONAL).body


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("how", ["ended", "aborting", "expired"])
def test_a_shared_link_tells_neither_who_stopped_it_nor_why(site: Site, allowed: bool, how: str) -> None:
    who, why = "arn:aws:sts::123456789012:assumed-role/Admin/joan", "wrong ticket"
    change(site, allow_unverified=allowed)
    if how == "aborting":
        site.store.write(Save(deployment(site).but(abort=AbortRequest(reason=why, who=who, at=make.AT))))
    else:
        status = "Aborted" if how == "ended" else "Expired"
        change(site, status=status, reason=f"{who} aborted it: {why}")

    answers = [site.get(SHARED), *([site.post(SHARED, decision="approve", version=SHORT, name="x")] if allowed else [])]

    for answer in answers:
        assert answer.status == 410
        assert ("has expired" if how == "expired" else "was stopped") in answer.body
        for hidden in ("joan", "arn:aws", why):
            assert hidden not in answer.body


@pytest.mark.parametrize(
    ("gate", "text"),
    [
        pytest.param({"freeze": Freeze(reason="big sale", who="kim", at=make.AT)}, "big sale", id="frozen"),
        pytest.param({"hold": Hold(reason="looking into it", who="kim", at=make.AT)}, "looking into it", id="held"),
    ],
)
def test_nothing_is_approved_while_nothing_may_start(site: Site, gate: dict[str, Any], text: str) -> None:
    site.store.write(Save(site.store.state("scr", "production").but(**gate)))

    page = site.get(PERSONAL)
    refused = site.post(PERSONAL, decision="approve", version=SHORT)
    rejected = site.post(PERSONAL, decision="reject", version=SHORT, reason="another time")

    assert text in page.body
    assert 'value="approve"' not in page.body
    assert 'value="reject"' in page.body
    assert refused.status == 409
    assert text in refused.body
    assert rejected.status == 303


# ── links that lead nowhere any more ──


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"/a/{asking.ID}/{'x' * 43}", id="unknown"),
        pytest.param(PERSONAL[:-1], id="truncated"),
        pytest.param(PERSONAL[:-1] + "b", id="tampered"),
        pytest.param(PERSONAL + "a", id="longer"),
        pytest.param(PERSONAL.swapcase(), id="other-case"),
        pytest.param(f"/a/{asking.ID}/", id="no-nonce"),
        pytest.param(f"/a/{asking.ID}/{asking.hashed(asking.ADA_NONCE)}", id="the-hash-itself"),
        pytest.param(f"/a/01K3NOTHING000000000000ADA/{asking.ADA_NONCE}", id="no-such-approval"),
        pytest.param(PERSONAL + "/", id="slash"),
        pytest.param(f"/a/{asking.ADA_NONCE}", id="no-approval"),
        pytest.param(f"/a/{asking.ID.lower()}/{asking.ADA_NONCE}", id="lower-case"),
        pytest.param("/a/%00/%00", id="nul"),
        pytest.param("/", id="root"),
        pytest.param("/robots.txt", id="robots"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_links_that_lead_nowhere(site: Site, path: str, method: str) -> None:
    fields = b"decision=approve&version=" + SHORT.encode()
    answer = site.ask(method, path, fields if method == "POST" else None, {"content-type": "x"})

    assert answer.status == 404
    assert site.approval.decisions == []
    if method == "GET":
        assert "link" in answer.body


def test_a_nonce_opens_its_own_approval_only(site: Site) -> None:
    other = "01K3STAGINGASKS0000000STAG"
    nonce = "Other-" + "c" * 37
    again = asking.approval(
        deployment=other,
        environment="staging",
        nonces=[asking.approval().nonces[0].but(hash=asking.hashed(nonce))],
    )
    site.store.write(Save(again), Save(asking.deployment(id=other, environment="staging")))

    assert site.get(f"/a/{other}/{nonce}").status == 200
    for path in (f"/a/{other}/{asking.ADA_NONCE}", f"/a/{asking.ID}/{nonce}"):
        assert site.get(path).status == 404
        assert site.post(path, decision="approve", version=SHORT).status == 404
    assert site.approval.status == "Pending"


def test_an_expired_link_says_so(site: Site) -> None:
    site.clock.forward(hours=25)

    for answer in (site.get(PERSONAL), site.get(SHARED), site.post(PERSONAL, decision="approve", version=SHORT)):
        assert answer.status == 410
        assert "ferryman retry production" in answer.body
    assert site.approval.decisions == []


def test_a_superseded_link_says_what_goes_instead(site: Site) -> None:
    instead = "01K3INSTEAD000000000000NEW"
    state = site.store.state("scr", "production")
    assert state.active is not None
    change(site, status="Superseded", superseded_by="deadbee", reason="deadbee is newer")
    site.store.write(Save(state.but(active=state.active.but(deployment=instead, version="deadbee"))))
    without = site.get(PERSONAL)
    site.store.write(
        Save(asking.approval(deployment=instead, version="deadbee")),
        Save(asking.deployment(id=instead, version="deadbee")),
    )

    for answer in (site.get(PERSONAL), site.get(SHARED), site.post(PERSONAL, decision="approve", version=SHORT)):
        assert answer.status == 410
        assert "Replaced by another release" in answer.body
        assert f'href="../a/{instead}"' in answer.body
    assert "deadbee" in site.get(PERSONAL).body
    assert "deadbee" not in site.get(SHARED).body
    assert "href=" not in without.body
    # Where a browser gets to from a personal page and from the shared one.
    for path in (f"/a/a/{instead}", f"/a/{instead}"):
        assert "Waiting for approval" in site.get(path).body
    assert site.approval.decisions == []


def test_a_deployment_that_is_gone_is_no_fault(site: Site) -> None:
    site.store.write(Save(asking.approval(deployment="01K3LOST")))

    assert site.get("/a/01K3LOST").status == 404
    assert site.get(f"/a/01K3LOST/{asking.ADA_NONCE}").status == 404


def test_an_aborted_one_says_by_whom(site: Site) -> None:
    change(site, status="Aborted", reason="jo aborted it: wrong ticket")

    answer = site.get(PERSONAL)

    assert answer.status == 410
    assert "wrong ticket" in answer.body


# ── the shared page ──


@pytest.mark.parametrize(
    "email", ["ada@scr-platform.example", " ADA@scr-platform.example ", "eve@example.com", "x\0\n"]
)
def test_asking_for_a_link_is_always_answered_the_same(site: Site, email: str) -> None:
    answer = site.post(SHARED, email=email)

    assert (answer.status, answer.headers["location"]) == (303, f"{asking.ID}?asked=1")
    assert shared_page.SENT in site.get(f"{SHARED}?asked=1").body
    assert ("Ada Lovelace" in site.approval.links_asked) == ("ada" in email.lower())
    assert "ada@" not in site.get(f"{SHARED}?asked=1").body


def test_a_link_needs_an_address(site: Site) -> None:
    answer = site.post(SHARED, email=" ")

    assert answer.status == 422
    assert 'aria-invalid="true"' in answer.body


def test_the_shared_link_decides_nothing(site: Site) -> None:
    answer = site.post(SHARED, decision="approve", version=SHORT, name="Ada Lovelace")

    assert answer.status == 403
    assert site.approval.decisions == []


def test_unverified_approvals_carry_the_name_that_was_typed(site: Site) -> None:
    change(site, allow_unverified=True)

    page = site.get(SHARED)
    nameless = site.post(SHARED, decision="approve", version=SHORT, name=" ")
    done = site.post(SHARED, decision="approve", version=SHORT, name="Eve <b>")

    assert "Your name" in page.body
    assert "Send my personal link" in page.body
    assert nameless.status == 422
    assert (done.status, done.headers["location"]) == (303, asking.ID)
    decision = site.approval.decisions[0]
    assert (decision.how, decision.identity, decision.name) == ("shared link", "unverified", "Eve <b>")
    assert "Eve &lt;b&gt; (unverified)" in site.get(SHARED).body


@pytest.mark.parametrize(
    ("status", "text"),
    [("Approved", "was approved. Status of the deployment: AwaitingApproval"), ("Rejected", "was rejected")],
)
def test_the_shared_page_tells_how_it_went(site: Site, status: str, text: str) -> None:
    change(site, status=status)

    page = site.get(SHARED)

    assert page.status == 200
    assert text in page.body
    assert "<form" not in page.body


# ── whatever else arrives ──


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "", "GET\n", "é"])
@pytest.mark.parametrize("path", [PERSONAL, SHARED, "/slack"])
def test_other_methods_are_refused(site: Site, method: str, path: str) -> None:
    answer = site.ask(method, path)

    if method:
        assert answer.status == 405
        assert "POST" in answer.headers["allow"]
    assert site.approval.decisions == []


def test_an_outage_is_told_and_may_be_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise Unavailable("no")

    monkeypatch.setattr(site.store, "approval", fails)
    answer = site.get(PERSONAL)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "Try again" in answer.body


def test_a_fault_of_ours_shows_no_stack(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(site.store, "approval", fails)
    with pytest.raises(AssertionError):
        site.get(PERSONAL)

    assert len(site.log.failed) == 1


def test_a_page_opens_even_without_a_document(site: Site) -> None:
    applied = site.store.platform("scr")
    site.store.write(Save(applied.but(document={"apiVersion": "ferryman/v9"})))

    page = site.get(PERSONAL)
    refused = site.post(PERSONAL, decision="approve", version=SHORT)

    assert page.status == 200
    assert "document cannot be read" in page.body
    assert refused.status == 409
    assert site.approval.decisions == []


def test_long_lists_stay_small(site: Site) -> None:
    many = [f"{number:04d}_{'x' * 100}" for number in range(1000)]
    plan = asking.plan(migrations=many, unsafe_migrations=many)
    site.store.write(Save(deployment(site).but(plan=plan, why="y" * 500)))
    people = [ApproverRecord(name=f"Person {n}", email=f"p{n}@example.com") for n in range(50)]
    change(site, approvers=[*site.approval.approvers, *people])

    page = site.get(PERSONAL)

    assert "and 900 more" in page.body
    assert len(page.body.encode()) < 60_000


def test_all_pages_are_small(site: Site) -> None:
    assert len(site.get(PERSONAL).body.encode()) < 20_000
    site.post(PERSONAL, decision="approve", version=SHORT)
    site.clock.at += timedelta(minutes=1)
    assert len(site.get(PERSONAL).body.encode()) < 20_000
