"""admit_deployment: the last gate before anything changes, against a table and what ECR scanned."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman.contracts import AdmitDeploymentInput
from ferryman.errors import ClaimLost, InvalidDocument, NotFound, NotItsTurn, Throttled, Unavailable
from ferryman.records import (
    AbortRequest,
    Actor,
    EnvironmentState,
    Freeze,
    Hold,
    Phase,
    PlannedImage,
    Release,
    Settled,
    step_keys,
)
from ferryman.steps import admit_deployment as admit
from unit import builders as make
from unit.approving import ADA, FENCE, ID, VERSION, World, document, release
from unit.fakes.ecr import FakeEcr, refused

HOLD = Hold(reason="audit", who="kim", at=make.AT)
ALWAYS = {"timeZone": "UTC", "windows": [{"name": "always", "dates": "2020-01-01 00:00 - 2040-01-01 00:00"}]}
FREEZE = {"freeze": Freeze(reason="fair", who="kim", at=make.AT)}
ABORT = {"abort": AbortRequest(reason="no", who="kim", at=make.AT)}
OTHERS = {"components": release().components | {"web": release().components["web"].but(digest=make.digest("f"))}}
SCAN: dict[str, Any] = {"scan": {"block": ["CRITICAL"]}}
LEFT = Settled(phase=Phase.ROLLED_BACK, reason="LeftByRollback", at=make.AT + timedelta(seconds=1))

PERSON = {"initiated_by": Actor(who="arn:jo")}
LATER = make.AT + timedelta(minutes=1)


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
        return admit.admit(self.EVENT, store=world.store, ecs=lambda: world.ecs, ecr=ecr, clock=world.clock).reason

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

    def test_only_the_images_that_the_plan_runs_are_looked_at(self, world: World, ecr: FakeEcr) -> None:
        plan = world.deployment.require_plan()
        services = {
            name: service.but(digest=world.deployment.digests[service.component], platform_digest="sha256:arm")
            for name, service in plan.services.items()
        }
        world.edit(plan=plan.but(services=services))
        world.cover()
        for name in world.deployment.digests:
            ecr.scans[f"scr-{name}", "sha256:arm"] = {"imageScanStatus": {"status": "COMPLETE"}}
        assert self.admit(world, ecr) == ""

    def test_the_images_of_additional_components_are_looked_at_as_they_are_planned(
        self, world: World, ecr: FakeEcr
    ) -> None:
        plan, digests = world.deployment.require_plan(), world.deployment.digests
        one = next(service for service in plan.services.values() if service.component == "api")
        one = one.but(
            digest=digests["api"],
            platform_digest="sha256:arm",
            additional=[
                PlannedImage(
                    component="web", containers=["edge"], image="x", digest=digests["web"], platform_digest="sha256:arm"
                )
            ],
        )
        world.edit(plan=plan.but(services={one.name: one}))
        world.cover()
        for name in digests:
            ecr.scans[f"scr-{name}", "sha256:arm"] = {"imageScanStatus": {"status": "COMPLETE"}}
        assert self.admit(world, ecr) == ""

    def test_a_look_that_is_not_permitted_refuses_with_what_is_missing(self, world: World, ecr: FakeEcr) -> None:
        self.clean(world, ecr)
        ecr.trouble.before["DescribeImageScanFindings"] = [
            refused("DescribeImageScanFindings", "AccessDeniedException")
        ]
        assert self.admit(world, ecr) == "ScanDenied"
        assert "inspector2:ListFindings" in world.deployment.steps[step_keys.ADMIT].message

    @pytest.mark.parametrize("code", ["ThrottlingException", "InvalidParameterException"])
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
        answer = admit.admit(
            self.EVENT, store=world.store, ecs=lambda: world.ecs, ecr=FakeEcr("scr-api", "scr-web"), clock=world.clock
        )
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

    def test_a_call_while_people_decide_changes_nothing(self) -> None:
        world = World().asked()
        before = world.deployment
        with pytest.raises(NotItsTurn, match="approval comes first"):
            self.admit(world)
        assert world.deployment == before

    def test_a_call_before_anybody_was_asked_changes_nothing(self) -> None:
        world = World()
        before = world.deployment
        with pytest.raises(NotItsTurn, match="approval comes first"):
            self.admit(world)
        assert world.deployment == before

    def test_what_goes_back_is_not_running_again(self, world: World) -> None:
        self.admit(world)
        world.edit(phase=Phase.ROLLING_BACK)
        assert self.admit(world) == ("Admitted", "")
        assert world.deployment.phase is Phase.ROLLING_BACK

    def test_an_abort_between_look_and_write_counts(self, world: World) -> None:
        world.table.meanwhile = [lambda: world.edit(**ABORT)]
        assert self.admit(world) == ("Refused", "Aborted")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            pytest.param(lambda world: world.edit_state(**FREEZE), "Frozen", id="freeze"),
            pytest.param(lambda world: world.edit_state(hold=HOLD), "Held", id="hold"),
            pytest.param(
                lambda world: world.put(
                    EnvironmentState(platform="scr", environment="staging", settled={VERSION: LEFT})
                ),
                "NotVerified",
                id="source",
            ),
            pytest.param(lambda world: world.apply(document(freeze=ALWAYS)), "Frozen", id="document"),
        ],
    )
    def test_whatever_changes_between_look_and_write_counts(
        self, world: World, change: Callable[[World], None], reason: str
    ) -> None:
        world.table.meanwhile = [lambda: change(world)]
        assert self.admit(world) == ("Refused", reason)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL

    def test_a_claim_that_is_lost_between_look_and_write(self, world: World) -> None:
        world.table.meanwhile = [lambda: world.edit_state(active=None)]
        with pytest.raises(ClaimLost):
            self.admit(world)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL

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

    def test_a_frozen_revision_that_is_gone_voids_the_approval(self, world: World) -> None:
        world.ecs.gone = {make.definition("scr-api", 1)}
        world.ecs.deregistered = {make.definition("scr-web", 1)}
        assert self.admit(world) == ("Refused", "ApprovalVoid")
        step = world.deployment.steps[step_keys.ADMIT]
        assert step.message.endswith(
            "cannot run any more: task definition scr-api:1 was deleted and task definition scr-web:1 was deregistered"
        )

    def test_one_that_was_deregistered_when_it_was_planned_is_no_obstacle(self, world: World) -> None:
        arn = make.definition("scr-web", 1)
        world.ecs.deregistered = {arn}
        world.edit(plan=world.deployment.require_plan().but(deregistered=[arn]))
        world.cover()
        assert self.admit(world) == ("Admitted", "")

    def test_an_image_that_is_gone_voids_the_approval(self, world: World) -> None:
        world.edit(plan=world.deployment.require_plan().but(repositories={"api": "scr-api", "web": "scr-web"}))
        world.cover()
        assert self.admit(world) == ("Refused", "ApprovalVoid")
        assert "image aaaaaaaaaaaa of api is no longer in scr-api" in world.deployment.steps[step_keys.ADMIT].message

    def test_another_plan_than_the_approved_one_never_runs(self, world: World) -> None:
        world.edit(plan=world.deployment.require_plan().but(waves=[]))
        assert self.admit(world) == ("Refused", "ApprovalVoid")

    def test_a_later_document_and_a_later_base_are_told_and_change_nothing(self, world: World) -> None:
        world.put(world.store.platform("scr").but(generation=9))
        arn, at = make.definition("scr-api", 5), make.AT + timedelta(hours=1)
        world.ecs.newer["scr-api"] = {"taskDefinitionArn": arn, "family": "scr-api", "registeredAt": at}
        at = make.AT - timedelta(seconds=1)
        older = {"taskDefinitionArn": make.definition("scr-web", 9), "family": "scr-web", "registeredAt": at}
        world.ecs.newer["scr-web"] = older
        assert self.admit(world) == ("Admitted", "")
        assert world.deployment.steps[step_keys.ADMIT].message == (
            "changed since this was planned, and counts for the next deployment: the platform document, "
            "task definition scr-api:5"
        )

    def test_what_an_earlier_version_asked_goes_on_as_before(self, world: World) -> None:
        world.put(world.approval.but(plan_hash=""))
        world.ecs.gone = {make.definition("scr-api", 1)}
        assert self.admit(world) == ("Admitted", "")
        assert world.ecs.calls == 0

    def test_ecs_that_does_not_answer_is_no_verdict(self, world: World) -> None:
        world.ecs.throttled = 1
        with pytest.raises(Throttled):
            self.admit(world)
        assert world.deployment.phase is Phase.AWAITING_APPROVAL
        assert self.admit(world) == ("Admitted", "")

    def test_who_approved_is_still_known(self, world: World) -> None:
        self.admit(world)
        assert world.deployment.approved_by == [ADA]


def test_the_event_fits_the_contract() -> None:
    for path in (Path(__file__).parents[3] / "events" / "admit_deployment").glob("*.json"):
        assert AdmitDeploymentInput.model_validate(json.loads(path.read_text())).fence
