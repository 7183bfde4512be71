"""The last gate: what speaks against a deployment, as a table."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman.contracts import AdmitDeploymentInput
from ferryman.decisions.admission import refusal_of
from ferryman.decisions.outcome import judge
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import ClaimLost, InvalidDocument, NotFound, Throttled, Unavailable
from ferryman.records import (
    AbortRequest,
    Actor,
    EnvironmentState,
    Freeze,
    Hold,
    Phase,
    Release,
    Running,
    Settled,
    Verified,
    Waiver,
    step_keys,
)
from ferryman.steps import admit_deployment as admit
from unit import builders as make
from unit.approving import ADA, DIGESTS, FENCE, ID, VERSION, World, deployment, document, release, state
from unit.fakes.ecr import FakeEcr, refused

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
OTHER = {"api": make.digest("a"), "web": make.digest("f")}
OTHERS = {"components": release().components | {"web": release().components["web"].but(digest=make.digest("f"))}}


def proven(digests: dict[str, str], where: str = "staging") -> dict[str, Any]:
    return {"verified": {where: Verified(deployment="01K0000000000000000STAGING", digests=digests, at=make.AT)}}


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
    pytest.param(FREE, {}, {}, None, None, id="needs-no-approval"),
    pytest.param({"kind": "rollback"}, {}, {}, {"status": "Pending"}, "NotApproved", id="a-rollback-that-needs-one"),
    pytest.param({"plan": None}, {}, {}, {}, "NotPlanned", id="not-planned"),
    # proof
    pytest.param({}, {}, {"verified": {}}, {}, "NotVerified", id="unproven"),
    pytest.param({}, {}, proven(OTHER), {}, "NotVerified", id="other-images-were-proven"),
    pytest.param({}, {}, proven(DIGESTS, "elsewhere"), {}, "NotVerified", id="proven-elsewhere"),
    pytest.param({"kind": "retry"}, {}, {"verified": {}}, {}, "NotVerified", id="a-retry-promotes-too"),
    pytest.param({"kind": "retry"}, RUNS, {"verified": {}}, {}, None, id="a-retry-of-what-runs"),
    pytest.param({"kind": "redeploy"}, {}, {"verified": {}}, {}, None, id="a-redeploy"),
    pytest.param({"kind": "rollback"}, {}, {"verified": {}}, {}, None, id="a-rollback"),
    pytest.param({"kind": "migrate"} | FREE, {}, {"verified": {}}, None, None, id="a-migration"),
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
        None if approvals is None else world.approval.but(**approvals),
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
        world.approval, LATER, source=source, scans=found,
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


class TestScans:
    EVENT = AdmitDeploymentInput(platform="scr", environment="production", deployment=ID, fence=FENCE)

    @pytest.fixture
    def ecr(self) -> FakeEcr:
        return FakeEcr("scr-api", "scr-web")

    @pytest.fixture
    def world(self, ecr: FakeEcr) -> World:
        world = World()
        digests = {name: ecr.push(f"scr-{name}", VERSION, name) for name in ("api", "web")}
        images = {name: image.but(digest=digests[name]) for name, image in release().components.items()}
        found = world.store.release("scr", VERSION)
        assert found is not None
        proof = found.verified["staging"].but(digests=digests)
        world.put(found.but(components=images, verified={"staging": proof}))
        world.edit(digests=digests)
        world.asked(**SCAN)
        world.decide()
        return world

    def admit(self, world: World, ecr: FakeEcr) -> str:
        return admit.admit(self.EVENT, store=world.store, ecr=ecr, clock=world.clock).reason

    def clean(self, world: World, ecr: FakeEcr) -> None:
        for name, digest in world.deployment.digests.items():
            ecr.scans[f"scr-{name}", digest] = {"imageScanStatus": {"status": "COMPLETE"}}

    def test_are_looked_at_once_more(self, world: World, ecr: FakeEcr) -> None:
        assert self.admit(world, ecr) == "ScanMissing"

    def test_clean_ones_let_it_pass_and_are_read_once(self, world: World, ecr: FakeEcr) -> None:
        self.clean(world, ecr)
        assert self.admit(world, ecr) == ""
        ecr.calls.clear()
        assert self.admit(world, ecr) == ""
        assert ecr.calls == []

    @pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
    def test_a_look_that_fails_is_no_verdict(self, world: World, ecr: FakeEcr, code: str) -> None:
        self.clean(world, ecr)
        ecr.trouble.before["DescribeImageScanFindings"] = [refused("DescribeImageScanFindings", code)]
        with pytest.raises((Throttled, Unavailable)):
            self.admit(world, ecr)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL
        assert self.admit(world, ecr) == ""

    def test_without_a_policy_nobody_looks(self, world: World, ecr: FakeEcr) -> None:
        world.apply(document())
        ecr.calls.clear()
        assert self.admit(world, ecr) == ""
        assert ecr.calls == []

    def test_what_staging_left_since_is_refused(self, world: World, ecr: FakeEcr) -> None:
        world.apply(document())
        world.put(EnvironmentState(platform="scr", environment="staging", settled={VERSION: LEFT}))
        assert self.admit(world, ecr) == "NotVerified"


class TestAdmit:
    EVENT = AdmitDeploymentInput(platform="scr", environment="production", deployment=ID, fence=FENCE)

    @pytest.fixture
    def world(self) -> World:
        world = World().asked()
        world.decide()
        return world

    def admit(self, world: World) -> tuple[str, str]:
        answer = admit.admit(self.EVENT, store=world.store, ecr=FakeEcr("scr-api", "scr-web"), clock=world.clock)
        return answer.verdict, answer.reason

    def test_flips_the_phase_and_says_the_same_again(self, world: World) -> None:
        for _ in range(2):
            assert self.admit(world) == ("Admitted", "")
        assert world.deployment.phase is Phase.RUNNING
        step = world.deployment.step(step_keys.ADMIT)
        assert step is not None
        assert step.status.passed

    def test_a_refusal_leaves_the_phase_and_stands(self, world: World) -> None:
        world.edit_state(**FREEZE)
        assert self.admit(world) == ("Refused", "Frozen")
        world.edit_state(freeze=None)
        assert self.admit(world) == ("Refused", "Frozen")
        assert world.deployment.phase is Phase.AWAITING_APPROVAL
        step = world.deployment.step(step_keys.ADMIT)
        assert step is not None
        assert "fair" in step.message

    def test_once_running_nothing_stops_it_here(self, world: World) -> None:
        self.admit(world)
        world.edit_state(**FREEZE)
        assert self.admit(world) == ("Admitted", "")

    def test_an_abort_between_look_and_write_counts(self, world: World) -> None:
        world.table.meanwhile = [lambda: world.edit(**ABORT)]
        assert self.admit(world) == ("Refused", "Aborted")

    def test_without_the_claim(self, world: World) -> None:
        world.edit_state(active=None)
        with pytest.raises(ClaimLost):
            self.admit(world)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL

    def test_with_other_images_than_those_that_were_approved(self, world: World) -> None:
        found = world.store.release("scr", VERSION)
        assert isinstance(found, Release)
        world.put(found.but(**OTHERS))
        assert self.admit(world) == ("Refused", "DigestsChanged")

    @pytest.mark.parametrize(
        ("broken", "error"),
        [
            pytest.param({"spec": "broken"}, InvalidDocument, id="unreadable"),
            pytest.param("staging only", NotFound, id="without-the-environment"),
        ],
    )
    def test_without_rules_nothing_is_admitted(self, world: World, broken: Any, error: type[Exception]) -> None:
        if isinstance(broken, str):
            broken = document().dump()
            del broken["spec"]["environments"]["production"]
        world.put(world.store.platform("scr").but(document=broken))
        with pytest.raises(error):
            self.admit(world)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL

    def test_who_approved_is_still_known(self, world: World) -> None:
        self.admit(world)
        assert world.deployment.approved_by == [ADA]


def test_the_event_fits_the_contract() -> None:
    for path in (Path(__file__).parents[3] / "events" / "admit_deployment").glob("*.json"):
        assert AdmitDeploymentInput.model_validate(json.loads(path.read_text())).fence
