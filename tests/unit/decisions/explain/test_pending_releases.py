"""What a production waits for, in words: a tag, staging, a soak, a scan, a freeze, a yes."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.explain.environment import Explanation, explain
from ferryman.decisions.explain.pending_releases import Newer
from ferryman.platform import Platform, parse
from ferryman.records import (
    Actor,
    Approval,
    ApproverRecord,
    Decision,
    Deployment,
    Freeze,
    Hold,
    Phase,
    Publication,
    Release,
    ReleaseStatus,
    Request,
    Running,
    Settled,
    Verified,
    WaitingFor,
    Waiver,
)
from unit import builders as make

AT = make.AT
NOW = AT + timedelta(minutes=5)
HOUR = timedelta(hours=1)
JO = "arn:aws:iam::1:user/jo"
ID = "01K00000000000000000000DEP"
RUNS = Running(version="0000001", deployment=f"01K{1:023d}", digests={}, at=AT)
ONE = make.deployment(
    id=f"01K{1:023d}", environment="production", version="0000001", phase=Phase.SUCCEEDED, ended_at=AT
)
HOLD = Hold(reason="fair", who=JO, at=AT)
FREEZE = Freeze(reason="fair", who=JO, at=AT, until=NOW + HOUR)


def release(number: int, *, verified: bool = False, tag: str | None = None, **changes: Any) -> Release:
    at = AT + timedelta(seconds=number)
    made = make.release(f"{number:07d}", components=make.images(f"{number:07d}", f"{number:x}")).but(
        first_seen_at=at, ready_at=at, ulid=f"01K{number:023d}"
    )
    if verified:
        made = made.but(verified={"staging": Verified(deployment="D", digests=made.digests, at=AT)})
    if tag:
        made = made.but(names=[tag], named_at=AT)
    return made.but(**changes)


def document(scr: dict[str, Any], **changes: Any) -> Platform:
    scr["spec"]["environments"]["production"].update(changes)
    return parse(scr)


def told(
    platform: Platform,
    releases: list[Release],
    *,
    deployments: list[Deployment] | None = None,
    source: dict[str, Any] | None = None,
    approval: Approval | None = None,
    **state: Any,
) -> Explanation:
    there = make.state(active=None, current=RUNS, environment="production").but(**state)
    return explain(
        platform, there, releases, deployments or [ONE], NOW, source=make.state(**(source or {})), approval=approval
    )


def only(found: Explanation) -> Newer:
    (item,) = found.newer
    return item


SETTLED = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=AT)
SCANNED = WaitingFor(
    version="0000002", reason="ScanBlocked",
    message="0000002: api has 2 CRITICAL findings; fix it and push, or `ferryman waive …`",
)  # fmt: skip
SCAN: dict[str, Any] = {"scan": {"block": ["CRITICAL"]}}
TAGGED = release(2, verified=True, tag="v1.0.0")


@pytest.mark.parametrize(
    ("candidate", "policy", "state", "reason", "words"),
    [
        pytest.param(
            release(2), {}, {}, "WaitsForSource", "0000002 is waiting for staging to verify it.", id="nothing-has-begun"
        ),
        pytest.param(
            release(2, verified=True), {}, {}, "WaitsForTag",
            "0000002 is verified in staging. To deploy it, put a semver tag such as v1.2.3 on all its images, "
            "or run `ferryman deploy production --release 0000002 --confirm DEPLOY -p scr`.", id="no-tag-yet",
        ),
        pytest.param(
            release(2, tag="v1.0.0"), {}, {}, "WaitsForSource",
            "v1.0.0 (0000002) is waiting for staging to verify it and then starts automatically; the tag is refused "
            "after 24h.", id="tagged-before-staging-was-through",
        ),
        pytest.param(
            TAGGED, {}, {}, "Next", "0000002 (tagged v1.0.0) is ready and about to start", id="about-to-start"
        ),
        pytest.param(
            TAGGED, {"soak": "1h"}, {}, "Soaking", "0000002 must soak in staging for another 55m", id="soaking"
        ),
        pytest.param(
            TAGGED, SCAN, {}, "ScanPending", "is waiting for its image scans to be checked", id="scans-unread"
        ),
        pytest.param(
            TAGGED, SCAN, {"waiting_for": SCANNED}, "ScanBlocked",
            "0000002: api has 2 CRITICAL findings; fix it and push, or `ferryman waive …`.", id="scan-blocked",
        ),
        pytest.param(
            TAGGED, SCAN, {"waivers": {"0000002": Waiver(reason="x", who=JO, at=AT, until=NOW + HOUR)}}, "Next",
            "about to start", id="scan-waived",
        ),
        pytest.param(TAGGED, {}, {"hold": HOLD}, "Held", "starts when the hold is lifted", id="held"),
        pytest.param(
            TAGGED, {}, {"freeze": FREEZE}, "Frozen",
            "is ready, but production is frozen by jo until Fri 2026-01-02 04:09 UTC: fair.", id="frozen",
        ),
        pytest.param(
            TAGGED, {}, {"settled": {"0000002": Settled(phase=Phase.REJECTED, reason="Rejected", at=AT)}}, "Settled",
            "0000002 ended Rejected 5m ago (Rejected). Automation will not start it again; to retry it, run `ferryman "
            "retry", id="rejected",
        ),
        pytest.param(
            release(2, tag="v1.0.0"), {},
            {"settled": {"0000002": Settled(phase=Phase.REJECTED, reason="TagRefused", at=AT + HOUR)}}, "Settled",
            "the semver tag on 0000002 was refused", id="tag-refused",
        ),
        pytest.param(
            release(2, verified=True), {"triggers": ["manual"]}, {}, "NoTrigger",
            "nothing starts it automatically in production (triggers: `manual`). To deploy it, run `ferryman deploy "
            "production --release 0000002 --confirm DEPLOY -p scr`.", id="by-hand-only",
        ),
        pytest.param(
            release(2, verified=True), {"triggers": ["promotion"]}, {}, "Next", "about to start", id="promotion"
        ),
        pytest.param(
            release(2, verified=True, tag="v1", status=ReleaseStatus.BASELINE, ready_at=AT - HOUR), {},
            {"adopted_at": AT - timedelta(minutes=1)}, "Next", "about to start", id="named-after-adoption",
        ),
    ],
)  # fmt: skip
def test_what_a_release_waits_for(
    scr_document: dict[str, Any],
    candidate: Release,
    policy: dict[str, Any],
    state: dict[str, Any],
    reason: str,
    words: str,
) -> None:
    found = told(document(scr_document, **policy), [release(1), candidate], **state)

    item = only(found)
    assert (item.reason, words in item.message) == (reason, True), item.message
    assert item.message in found.sentences
    assert all(sentence.endswith((".", "!", "?")) for sentence in found.sentences), found.sentences


def test_says_when_the_source_is_done_with_it(scr_document: dict[str, Any]) -> None:
    releases = [release(1), release(2, tag="v1.0.0")]
    found = told(document(scr_document), releases, source={"settled": {"0000002": SETTLED}})

    assert (
        only(found).message == "v1.0.0 (0000002) cannot be deployed here: it ended Failed in staging (SmokeTestFailed)."
    )
    assert found.headline == "runs 0000001; v1.0.0 is waiting for staging to verify it"


def test_many_that_wait_for_the_same_are_one_line(scr_document: dict[str, Any]) -> None:
    releases = [release(1), *(release(n, verified=True) for n in (2, 3, 4)), release(5), release(6)]
    found = told(document(scr_document), releases)

    assert [(item.version, item.reason, item.like_it) for item in found.newer] == [
        ("0000006", "WaitsForSource", 1),
        ("0000004", "WaitsForTag", 2),
    ]
    assert found.sentences[-1].endswith("(2 older releases are waiting for the same.)")


def test_a_named_release_is_not_passed_over_for_newer_ones_without_a_name(scr_document: dict[str, Any]) -> None:
    releases = [release(1), release(2, verified=True, tag="v1.0.0"), release(3, verified=True)]
    found = told(document(scr_document), releases)

    assert [(item.version, item.reason) for item in found.newer] == [("0000003", "WaitsForTag"), ("0000002", "Next")]
    assert found.headline == "runs 0000001; 0000002 is about to start"


def test_a_named_release_is_passed_over_for_a_newer_named_one(scr_document: dict[str, Any]) -> None:
    releases = [release(1), release(2, verified=True, tag="v1.0.0"), release(3, verified=True, tag="v1.1.0")]
    found = told(document(scr_document), releases)

    assert [(item.version, item.reason) for item in found.newer] == [("0000003", "Next"), ("0000002", "Superseded")]


def test_an_older_release_that_was_named_after_a_newer_one_was_decided_comes(scr_document: dict[str, Any]) -> None:
    rejected = Settled(phase=Phase.REJECTED, reason="Rejected", at=AT + HOUR)
    older = release(2, verified=True, tag="v1.0.1").but(named_at=AT + 2 * HOUR)
    releases = [release(1), older, release(3, verified=True, tag="v1.1.0")]
    found = told(document(scr_document), releases, settled={"0000003": rejected})

    assert [(item.version, item.reason) for item in found.newer] == [("0000003", "Settled"), ("0000002", "Next")]


def test_one_that_soaks_passes_nothing_over(scr_document: dict[str, Any]) -> None:
    soaking = release(4, tag="v1.2.0").but(
        verified={"staging": Verified(deployment="D", digests=release(4).digests, at=NOW - timedelta(seconds=1))}
    )
    ready, older = release(3, verified=True, tag="v1.1.0"), release(2, verified=True, tag="v1.0.0")
    found = told(document(scr_document, soak="1m"), [release(1), older, ready, soaking])

    assert [(item.version, item.reason) for item in found.newer] == [
        ("0000004", "Soaking"),
        ("0000003", "Next"),
        ("0000002", "Superseded"),
    ]
    assert found.newer[-1].message == "0000002 is superseded by 0000003, which is newer."


def test_a_window_that_freezes_is_told_without_a_way_to_thaw(scr_document: dict[str, Any]) -> None:
    window = {"timeZone": "UTC", "windows": [{"name": "week-end", "weekly": "Fri 00:00 - Mon 08:00"}]}
    found = told(document(scr_document, freeze=window), [release(1)])

    assert found.summary == "Frozen"
    assert found.sentences[1] == (
        "No deployment can start: production is frozen until Mon 2026-01-05 08:00 UTC: freeze window week-end. "
        "Rollbacks are allowed."
    )


def asked_for(**changes: Any) -> Approval:
    approvers = [
        ApproverRecord(name="Ada Lovelace", email="ada@x.example"),
        ApproverRecord(name="Grace Hopper", email="grace@x.example", slack="U1", arn="arn:grace"),
        ApproverRecord(name="Jo", arn=JO),
    ]
    made = Approval(
        platform="scr", environment="production", deployment=ID, fence=7, version="0000002", digests={},
        requested_by=Actor(who="tag v1.0.0", automated=True), approvers=approvers, requested_at=AT,
        expires_at=NOW + 2 * HOUR, token="AQC-token",
    )  # fmt: skip
    return made.but(**changes)


def awaiting() -> Deployment:
    return make.deployment(
        environment="production", version="0000002", phase=Phase.AWAITING_APPROVAL, tag="v1.0.0",
        steps={"begin_deployment": make.step(), "approval": make.step("Running")},
    )  # fmt: skip


ACTIVE = make.state().active


def waiting(scr: dict[str, Any], approval: Approval, *more: Release, **policy: Any) -> Explanation:
    assert ACTIVE is not None
    return told(
        document(scr, **policy), [release(1), release(2, verified=True, tag="v1.0.0"), *more],
        deployments=[awaiting(), ONE], approval=approval, active=ACTIVE.but(version="0000002"),
    )  # fmt: skip


def test_says_who_may_approve_how_and_until_when(scr_document: dict[str, Any]) -> None:
    found = waiting(scr_document, asked_for(requester="Jo"))

    assert found.sentences[1:] == [
        f"Deployment {ID} of 0000002 (v1.0.0) has been AwaitingApproval for 5m, at approval for 5m.",
        "0 of 1 approvals received; the request expires in 120m (2026-01-02 05:09 UTC).",
        (
            "Can approve: Ada Lovelace, Grace Hopper, with the link in their mail or the buttons in Slack or "
            "`ferryman approve production --release 0000002 -p scr`."
        ),
        "Jo requested it and cannot approve it.",
    ]
    assert (found.summary, found.headline) == (
        "AwaitingApproval",
        "runs 0000001; 0000002 is waiting for approval (0 of 1, expires in 120m)",
    )
    assert only(found).reason == "AwaitingApproval"


def test_who_has_approved_need_not_do_so_again(scr_document: dict[str, Any]) -> None:
    ada = Decision(name="Ada Lovelace", verdict="approve", how="mail", identity="ada@x.example", at=AT)
    found = waiting(scr_document, asked_for(required=2, decisions=[ada], requester_may_approve=True, requester="Jo"))

    assert found.sentences[2].startswith("1 of 2 approvals received (Ada Lovelace); the request expires")
    assert found.sentences[3].startswith("Can approve: Grace Hopper, Jo, with")
    assert "cannot approve it" not in " ".join(found.sentences)


@pytest.mark.parametrize(
    ("on_newer", "words"),
    [
        pytest.param("replace", "is ready and about to replace 0000002, which has not been approved.", id="replace"),
        pytest.param("keep", f"is ready and starts next, once deployment {ID} has been decided.", id="keep"),
    ],
)
def test_a_newer_one_meanwhile(scr_document: dict[str, Any], on_newer: str, words: str) -> None:
    found = waiting(scr_document, asked_for(), release(3, verified=True, tag="v1.1.0"), onNewer=on_newer)

    assert (found.newer[0].reason, words in found.newer[0].message) == ("Next", True), found.newer[0].message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"kind": "migrate", "command": "down", "revision": "0042"},
            "(migrate down to 0042 with the image of 0000002) has been Running", id="migrate",
        ),
        pytest.param(
            {"kind": "rollback", "command": "down"}, "(rollback to 0000002, the database first) has been Running",
            id="rollback",
        ),
    ],
)  # fmt: skip
def test_says_what_is_under_way_by_hand(scr_document: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    assert ACTIVE is not None
    under_way = make.deployment(environment="production", version="0000002").but(**changes)
    found = told(
        document(scr_document), [release(1)], deployments=[under_way, ONE], active=ACTIVE.but(version="0000002")
    )

    assert words in found.sentences[1]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        pytest.param("rollback", {}, "asked to roll back to 0000001 5m ago; it starts within seconds", id="rollback"),
        pytest.param(
            "migrate", {"command": "down", "revision": "0042"},
            "asked to migrate down to 0042 with the image of 0000001 5m ago; it starts once the later hold is lifted",
            id="migrate-before-a-hold",
        ),
    ],
)  # fmt: skip
def test_says_what_a_person_asked_for(scr_document: dict[str, Any], kind: Any, more: Any, words: str) -> None:
    wish = Request(version="0000001", kind=kind, reason="x", who=JO, at=AT, **more)
    found = told(document(scr_document), [release(1)], requested=wish, hold=HOLD.but(at=AT + HOUR))

    assert any(words in sentence for sentence in found.sentences), found.sentences


def test_says_who_approved_what_runs_and_that_github_has_no_release_of_it(scr_document: dict[str, Any]) -> None:
    failed = Publication(status="Failed", message="GitHub answered 403.", at=AT)
    runs = ONE.but(approved_by=["Ada Lovelace"], publication=failed, tag="v1.0.0")
    found = told(document(scr_document), [release(1)], deployments=[runs])

    assert "deployed by Ferryman (push), approved by Ada Lovelace (deployment" in found.sentences[0]
    assert "The GitHub release v1.0.0 was not published: GitHub answered 403." in found.sentences


def test_waivers_that_count_are_told(scr_document: dict[str, Any]) -> None:
    waivers = {
        "0000002": Waiver(reason="not reachable", who=JO, at=AT, until=NOW + HOUR),
        "0000003": Waiver(reason="over", who=JO, at=AT, until=NOW),
    }
    found = told(document(scr_document), [release(1), release(2), release(3)], waivers=waivers)

    assert [sentence for sentence in found.sentences if "waived" in sentence] == [
        "jo waived the image scans of 0000002 until 2026-01-02 04:09 UTC: not reachable."
    ]
