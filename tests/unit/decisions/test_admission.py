"""The last gate: what speaks against a deployment, as a table."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.admission import refusal_of
from ferryman.decisions.outcome import judge
from ferryman.decisions.plan_hash import plan_hash
from ferryman.decisions.snapshot import ImageScan
from ferryman.records import (
    AbortRequest,
    Actor,
    Approval,
    EnvironmentState,
    Freeze,
    Hold,
    Phase,
    Running,
    Settled,
    Verified,
    Waiver,
    step_keys,
)
from unit import builders as make
from unit.approving import DIGESTS, VERSION, World, deployment, document, release, state

PERSON = {"initiated_by": Actor(who="arn:jo")}
LATER = make.AT + timedelta(minutes=1)

HOLD = {"hold": Hold(reason="load test", who="kim", at=make.AT)}
LATER_HOLD = {"hold": Hold(reason="load test", who="kim", at=LATER)}
FREEZE = {"freeze": Freeze(reason="fair", who="kim", at=make.AT)}
THAWED = {"freeze": Freeze(reason="fair", who="kim", at=make.AT, until=LATER)}
RUNS = {"current": Running(version=VERSION, deployment=None, digests={}, at=make.AT)}
ABORT = {"abort": AbortRequest(reason="no", who="kim", at=make.AT)}
FREE = {"plan": make.plan()}
"""Needs no approval."""
UP = {"kind": "migrate", "command": "up"}
CURRENT = {"kind": "migrate", "command": "current"}
DOWN = {"kind": "rollback", "command": "down", "revision": "0001"}
OTHER = {"api": make.digest("a"), "web": make.digest("f")}
OTHERS = {"components": release().components | {"web": release().components["web"].but(digest=make.digest("f"))}}


def proven(digests: dict[str, str], where: str = "staging") -> dict[str, Any]:
    return {"verified": {where: Verified(deployment="01K0000000000000000STAGING", digests=digests, at=make.AT)}}


def covering(approval: Approval, **changes: Any) -> Approval:
    """The approval as if it had been given for a deployment with these changes."""
    return approval.but(plan_hash=plan_hash(deployment(**changes)))


CASES: list[Any] = [
    # deployment, state, release, approval, refusal
    pytest.param({}, {}, {}, {}, None, id="approved-and-verified"),
    pytest.param(ABORT, {}, {}, {}, "Aborted", id="aborted"),
    # hold
    pytest.param({}, HOLD, {}, {}, "Held", id="held"),
    pytest.param({}, LATER_HOLD, {}, {}, "Held", id="held-since"),
    pytest.param(PERSON, HOLD, {}, {}, None, id="a-person-may-while-held"),
    pytest.param(PERSON, LATER_HOLD, {}, {}, "Held", id="a-person-could-not-know-of-a-later-hold"),
    pytest.param(PERSON | {"kind": "rollback"}, LATER_HOLD, {}, {}, None, id="a-rollback-passes-a-hold"),
    pytest.param(PERSON | {"kind": "migrate"}, LATER_HOLD, {}, {}, "Held", id="a-migration-does-not"),
    # freeze
    pytest.param({}, FREEZE, {}, {}, "Frozen", id="frozen"),
    pytest.param(PERSON, FREEZE, {}, {}, "Frozen", id="a-person-may-not-while-frozen"),
    pytest.param(PERSON | {"kind": "redeploy"}, FREEZE | RUNS, {}, {}, "Frozen", id="frozen-redeploy"),
    pytest.param(PERSON | {"kind": "migrate"}, FREEZE, {}, {}, "Frozen", id="frozen-migration"),
    pytest.param(PERSON | {"kind": "rollback"}, FREEZE, {}, {}, None, id="a-rollback-passes-a-freeze"),
    pytest.param({}, THAWED, {}, {}, None, id="thawed-by-now"),
    # images
    pytest.param({}, {}, OTHERS, {}, "DigestsChanged", id="other-images"),
    pytest.param({}, {}, {"components": {}}, {}, "DigestsChanged", id="no-images"),
    pytest.param({}, {}, None, {}, "DigestsChanged", id="no-release"),
    # approval
    pytest.param({}, {}, {}, None, "NotApproved", id="nobody-was-asked"),
    pytest.param({}, {}, {}, {"status": "Pending"}, "NotApproved", id="pending"),
    pytest.param({}, {}, {}, {"status": "Rejected"}, "NotApproved", id="rejected"),
    pytest.param({}, {}, {}, {"status": "Superseded"}, "NotApproved", id="superseded"),
    pytest.param({}, {}, {}, {"decisions": []}, "NotApproved", id="approved-by-nobody"),
    pytest.param({}, {}, {}, {"required": 2}, "NotApproved", id="approved-by-too-few"),
    pytest.param({}, {}, {}, {"digests": OTHER}, "NotApproved", id="other-images-were-approved"),
    pytest.param({}, {}, {}, {"version": "fffffff"}, "NotApproved", id="another-version-was-approved"),
    pytest.param(FREE, {}, {}, None, "ApprovalVoid", id="approval-is-required-since"),
    pytest.param(FREE | {"kind": "rollback"}, {}, {}, None, None, id="a-rollback-that-needs-none"),
    pytest.param({}, {}, {}, {"plan_hash": "sha256:other"}, "ApprovalVoid", id="another-plan-was-approved"),
    pytest.param({}, {}, {}, {"plan_hash": ""}, None, id="an-approval-of-an-earlier-version-has-no-hash"),
    pytest.param({"kind": "rollback"}, {}, {}, {"status": "Pending"}, "NotApproved", id="a-rollback-that-needs-one"),
    pytest.param({"plan": None}, {}, {}, {}, "NotPlanned", id="not-planned"),
    # database commands: planned by an operator that did not ask, or while the document had no approvers
    pytest.param(PERSON | UP | FREE, {}, {}, None, "NotApproved", id="an-unapproved-command"),
    pytest.param(PERSON | UP | FREE | {"override": "x"}, {}, {}, None, None, id="an-overridden-command"),
    pytest.param(PERSON | CURRENT | FREE, {}, {}, None, None, id="a-look-at-the-revision"),
    pytest.param(PERSON | DOWN | FREE, {}, {}, None, "NotApproved", id="a-rollback-with-a-downgrade"),
    pytest.param(PERSON | DOWN | FREE | {"command": None}, {}, {}, None, None, id="a-rollback-without-one"),
    pytest.param(PERSON | UP, {}, {}, {}, None, id="an-approved-command-of-an-earlier-version"),
    pytest.param(PERSON | UP, {}, {}, {"command_hash": "0" * 64}, "NotApproved", id="another-command-was-approved"),
    # proof
    pytest.param({}, {}, {"verified": {}}, {}, "NotVerified", id="unproven"),
    pytest.param({}, {}, proven(OTHER), {}, "NotVerified", id="other-images-were-proven"),
    pytest.param({}, {}, proven(DIGESTS, "elsewhere"), {}, "NotVerified", id="proven-elsewhere"),
    pytest.param({"kind": "retry"}, {}, {"verified": {}}, {}, "NotVerified", id="a-retry-promotes-too"),
    pytest.param({"kind": "retry"}, RUNS, {"verified": {}}, {}, None, id="a-retry-of-what-runs"),
    pytest.param({"kind": "redeploy"}, {}, {"verified": {}}, {}, None, id="a-redeploy"),
    pytest.param({"kind": "rollback"}, {}, {"verified": {}}, {}, None, id="a-rollback"),
    pytest.param({"kind": "migrate"}, {}, {"verified": {}}, {}, None, id="a-migration"),
]


@pytest.mark.parametrize(("changes", "states", "releases", "approvals", "reason"), CASES)
def test_judge(changes: Any, states: Any, releases: Any, approvals: Any, reason: str | None) -> None:
    world = World().asked()
    world.decide()
    refusal = refusal_of(
        deployment(**changes),
        state(**states),
        document().environment("production"),
        None if releases is None else release(**releases),
        None if approvals is None else covering(world.approval, **changes).but(**approvals),
        LATER,
    )
    assert (refusal and refusal[0]) == reason


def test_where_nothing_is_promoted_from_nothing_has_to_be_proven() -> None:
    staging = document().environment("staging")
    found = refusal_of(deployment(**FREE), state(), staging, make.release(VERSION), None, LATER)
    assert found is None


SCAN: dict[str, Any] = {"scan": {"block": ["CRITICAL"]}}
WAIVER = Waiver(reason="no exploit", who="kim", at=make.AT, until=LATER + timedelta(seconds=1))
WAIVED = {"waivers": {VERSION: WAIVER}}
LEFT = Settled(phase=Phase.ROLLED_BACK, reason="LeftByRollback", at=make.AT + timedelta(seconds=1))


def scanned(status: Any = "Complete", **findings: int) -> tuple[ImageScan, ...]:
    return tuple(ImageScan(name, status, findings) for name in ("api", "web"))


@pytest.mark.parametrize(
    ("fields", "changes", "states", "left", "found", "reason"),
    [
        pytest.param({}, {}, {}, LEFT, None, "NotVerified", id="staging-went-back-from-it"),
        pytest.param({}, {}, {}, LEFT.but(at=make.AT), None, None, id="and-verified-it-again"),
        pytest.param({}, {}, {}, LEFT.but(phase=Phase.ERRORED), None, None, id="staging-errored"),
        pytest.param({}, {"kind": "rollback"}, {}, LEFT, None, None, id="a-way-back-needs-no-proof"),
        pytest.param({"soak": "1m"}, {}, {}, None, None, None, id="soaked"),
        pytest.param({"soak": "61s"}, {}, {}, None, None, "Soaking", id="soaks"),
        pytest.param(SCAN, {}, {}, None, None, "ScanMissing", id="nobody-looked"),
        pytest.param(SCAN, {}, {}, None, scanned(), None, id="clean"),
        pytest.param(SCAN, {}, {}, None, scanned(CRITICAL=1), "ScanBlocked", id="findings"),
        pytest.param(SCAN, {}, {}, None, scanned("Pending"), "ScanPending", id="under-way"),
        pytest.param(SCAN, {}, WAIVED, None, scanned(CRITICAL=1), None, id="waived"),
        pytest.param(
            SCAN, {}, {"waivers": {VERSION: WAIVER.but(until=LATER)}}, None, scanned(CRITICAL=1), "ScanBlocked",
            id="the-waiver-expired",
        ),
        pytest.param(SCAN, {"kind": "redeploy"}, {}, None, None, None, id="a-redeploy-needs-no-scan"),
    ],
)  # fmt: skip
def test_what_let_it_begin_must_still_hold(
    fields: Any, changes: Any, states: Any, left: Settled | None, found: Any, reason: str | None
) -> None:
    source = EnvironmentState(platform="scr", environment="staging", settled={VERSION: left} if left else {})
    world = World().asked()
    world.decide()
    refusal = refusal_of(
        deployment(**changes), state(**states), document(**fields).environment("production"), release(),
        covering(world.approval, **changes), LATER, source=source, scans=found,
    )  # fmt: skip
    assert (refusal and refusal[0]) == reason
    if refusal is not None:
        assert "ENV" not in refusal[1]
        step = make.step("Aborted", refusal[0], refusal[1])
        over = judge(
            deployment(steps={step_keys.BEGIN: make.step(), step_keys.APPROVAL: make.step(), step_keys.ADMIT: step}),
            None,
        )
        assert (over.phase, over.settle) == (Phase.ABORTED, reason == "NotVerified")
