"""Staging and production side by side, on fakes: what is verified here goes there, and what is not does not."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import FinishDeploymentInput
from ferryman.decisions.explain.environment import explain
from ferryman.platform import parse
from ferryman.records import Actor, Approval, Deployment, EnvironmentState, Hold, Phase, Request, Waiver
from ferryman.records.writes import Save
from ferryman.steps.finish_deployment import finish
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import refused
from unit.operating import World, document

V1, V2, V3 = "aaaaaaa1", "aaaaaaa2", "aaaaaaa3"
CLEAN = {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findingSeverityCounts": {"LOW": 1}}}
BAD = {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findingSeverityCounts": {"CRITICAL": 2}}}


def state(world: World, environment: str = "production") -> EnvironmentState:
    return world.store.state("scr", environment)


def told(world: World, environment: str = "production") -> list[tuple[str, str]]:
    found = world.store.deployments("scr", environment, limit=500)[::-1]
    return [(item.version, str(item.phase)) for item in found]


def latest(world: World, environment: str = "production") -> Deployment:
    return world.store.deployments("scr", environment, limit=1)[0]


def nudge(world: World, environment: str = "production") -> None:
    body = json.dumps({"platform": "scr", "environment": environment})
    assert world.wake({"Records": [{"messageId": "1", "body": body}]}) == {"batchItemFailures": []}


def end(world: World, environment: str, steps: dict[str, Any] | None = None, *, wake: bool = True) -> None:
    """The machine runs to its end: with success, unless other steps are given; its event arrives."""
    active = state(world, environment).active
    assert active is not None
    ref = FinishDeploymentInput(
        platform="scr", environment=environment, deployment=active.deployment, fence=active.fence
    )
    plan, found = make.plan(), make.passed() if steps is None else steps
    world.store.update_deployment(ref, lambda before: before.but(phase=Phase.RUNNING, plan=plan, steps=found))
    world.clock.forward(seconds=30)
    assert active.execution_arn is not None
    world.states.end(active.execution_arn, "SUCCEEDED", world.clock())
    finish(ref, store=world.store, clock=world.clock, new_id=world.new_id, count=lambda name: None)
    if wake:
        detail = {"name": active.execution_name, "input": active.input, "status": "SUCCEEDED"}
        world.wake({"source": "aws.states", "detail": detail})


FAILED = {
    "begin_deployment": make.step(),
    "admit_deployment": make.step(),
    "migration": make.step("Failed", "NonZeroExit"),
}


def verify(world: World, version: str) -> None:
    """Push a release and have staging verify it."""
    world.release(version)
    world.reconcile()
    end(world, "staging")


def finish_is_lost(world: World) -> None:
    """Staging's steps all passed, and its execution died before it could say so."""
    active = state(world, "staging").active
    assert active is not None
    assert active.execution_arn is not None
    ref = FinishDeploymentInput(platform="scr", environment="staging", deployment=active.deployment, fence=active.fence)
    world.store.update_deployment(ref, lambda before: before.but(plan=make.plan(), steps=make.passed()))
    world.states.end(active.execution_arn, "FAILED", world.clock())


def made(store: Store, clock: FakeClock, new_id: FakeIds, **production: Any) -> World:
    world = World(store, clock, new_id)
    world.run_services()
    for name in ("prod-api", "prod-web"):
        world.ecs.new_service(name, world.ecs.new_definition(name, f"registry.example/{name}:old"))
    world.apply(document(production=production))
    return world


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return made(store, clock, new_id)


class TestTag:
    def test_a_tag_on_a_verified_release_starts_it(self, world: World) -> None:
        verify(world, V1)
        assert told(world) == []
        world.name(V1, "v1.0.0")
        assert ("scr", "production", 0) in world.nudges.sent
        nudge(world)
        started = latest(world)
        assert (started.version, started.tag, started.kind) == (V1, "v1.0.0", "deploy")
        assert (started.initiated_by.who, started.initiated_by.automated) == ("tag v1.0.0", True)
        assert started.digests == world.store.release("scr", V1).digests  # type: ignore[union-attr]

    def test_before_staging_has_decided_it_is_remembered_and_starts_when_verified(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        world.name(V1, "v1.0.0")
        nudge(world)
        assert told(world) == []
        events = world.store.timeline("scr#production")
        assert [str(event.type) for event in events][-2:] == ["Named", "Waiting"]
        assert world.store.unsent() == []
        # No sweep, no nudge: the end of staging's execution is enough.
        end(world, "staging")
        assert told(world) == [(V1, "Pending")]

    def test_it_is_refused_when_staging_fails_it(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        world.name(V1, "v1.0.0")
        end(world, "staging", FAILED)
        assert told(world) == []
        settled = state(world).settled[V1]
        assert (settled.phase, settled.reason) == (Phase.REJECTED, "TagRefused")
        mails = [message for message in world.store.unsent() if message.environment == "production"]
        assert [message.event for message in mails] == ["tag-refused-v1.0.0"]
        assert "it ended Failed in staging (NonZeroExit)" in mails[0].text
        for _ in range(2):
            world.sweep()
        assert world.counted.count("TagRefused") == 1

    def test_it_is_refused_when_it_waited_too_long(self, world: World) -> None:
        world.release(V1)
        world.store.update_state(
            "scr", "staging", lambda before: before.but(hold=Hold(reason="audit", who="ada", at=world.clock()))
        )
        world.name(V1, "v1.0.0")
        world.clock.forward(hours=23, minutes=50)
        world.sweep()
        assert state(world).settled == {}
        world.sweep()
        assert state(world).settled[V1].reason == "TagRefused"

    def test_a_refused_one_starts_when_it_is_tagged_anew(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        world.name(V1, "v1.0.0")
        end(world, "staging", FAILED)
        world.store.update_state("scr", "staging", lambda before: before.but(settled={}))
        nudge(world, "staging")
        end(world, "staging")
        assert told(world) == []
        world.name(V1, "v1.0.1")
        nudge(world)
        assert (told(world), latest(world).tag) == ([(V1, "Pending")], "v1.0.1")

    def test_one_that_was_passed_over_is_recorded_with_what_had_brought_it(self, world: World) -> None:
        for version in (V1, V2):
            verify(world, version)
        for version, name in ((V1, "v1.0.0"), (V2, "v2.0.0")):
            world.name(version, name)
        nudge(world)
        assert sorted(told(world)) == [(V1, "Superseded"), (V2, "Pending")]
        skipped = next(item for item in world.store.deployments("scr", "production") if item.version == V1)
        assert (skipped.initiated_by.who, skipped.tag, skipped.superseded_by) == ("tag v1.0.0", "v1.0.0", V2)


class TestPromotion:
    def test_what_staging_verified_comes_by_itself(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = made(store, clock, new_id, triggers=["promotion"])
        verify(world, V1)
        assert told(world) == [(V1, "Pending")]
        assert latest(world).initiated_by.who == "promotion"

    def test_also_when_only_reconcile_recorded_it(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        """The finish of staging's execution was lost: the nudge that completes it tells production, too."""
        world = made(store, clock, new_id, triggers=["promotion"])
        world.release(V1)
        world.reconcile()
        finish_is_lost(world)
        world.reconcile()
        assert told(world, "staging") == [(V1, "Succeeded")]
        assert told(world) == [(V1, "Pending")]

    def test_a_sweep_reaches_it_whatever_the_order_of_the_document(
        self, store: Store, clock: FakeClock, new_id: FakeIds
    ) -> None:
        world = made(store, clock, new_id, triggers=["promotion"])
        data = world.document.dump()
        data["spec"]["environments"] = dict(reversed(data["spec"]["environments"].items()))
        from ferryman.platform import parse

        world.apply(parse(data))
        world.release(V1)
        world.reconcile()
        finish_is_lost(world)
        world.nudges.sent.clear()
        world.sweep()
        assert ("scr", "production", 0) in world.nudges.sent
        nudge(world)
        assert told(world) == [(V1, "Pending")]

    def test_it_soaks_first(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = made(store, clock, new_id, triggers=["promotion"], soak="10m")
        world.nudges.sent.clear()
        verify(world, V1)
        assert told(world) == []
        assert world.nudges.sent[-1] == ("scr", "production", 600)
        assert world.store.state("scr", "production").condition("Ready").reason == "Soaking"  # type: ignore[union-attr]
        world.clock.forward(minutes=10)
        nudge(world)
        assert told(world) == [(V1, "Pending")]
        assert state(world).waiting_since == world.clock()

    def test_a_release_that_staging_failed_never_comes(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = made(store, clock, new_id, triggers=["promotion"])
        world.release(V1)
        world.reconcile()
        end(world, "staging", FAILED)
        world.sweep()
        assert told(world) == []


class TestScans:
    @pytest.fixture
    def world(self, store: Store, clock: FakeClock, new_id: FakeIds) -> World:
        return made(store, clock, new_id, triggers=["promotion"], scan={"block": ["CRITICAL"]})

    def scanned(self, world: World, version: str, answer: dict[str, Any]) -> None:
        for component in ("api", "web"):
            world.ecr.scans[f"scr-{component}", world.ecr.tags[f"scr-{component}"][version]] = answer

    def test_a_clean_one_goes(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        world.reconcile()
        end(world, "staging")
        assert told(world) == [(V1, "Pending")]

    def test_an_architecture_that_nobody_runs_holds_nothing_back(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        index = world.ecr.push_index(
            "scr-api", V1, [("sha256:amd", "linux", "amd64"), ("sha256:arm", "linux", "arm64")]
        )
        known = world.store.release("scr", V1)
        assert known is not None
        image = known.components["api"].but(digest=index)
        world.store.write(Save(known.but(components={**known.components, "api": image})))
        world.ecr.scans["scr-api", "sha256:amd"] = CLEAN
        for service in world.ecs.services.values():
            world.ecs.definitions[service["taskDefinition"]]["requiresCompatibilities"] = ["FARGATE"]
        world.reconcile()
        end(world, "staging")
        assert told(world) == [(V1, "Pending")]

    @pytest.mark.parametrize(
        ("answer", "reason", "said"), [(BAD, "ScanBlocked", "2 CRITICAL"), (None, "ScanMissing", "no scan")]
    )
    def test_findings_and_missing_scans_hold_and_are_told_once(
        self, world: World, answer: dict[str, Any] | None, reason: str, said: str
    ) -> None:
        world.release(V1)
        if answer is not None:
            self.scanned(world, V1, answer)
        world.reconcile()
        end(world, "staging")
        for _ in range(3):
            world.sweep()
        assert told(world) == []
        mails = [message for message in world.store.unsent() if message.event.startswith("waiting-")]
        assert [message.event for message in mails] == [f"waiting-{V1}-{reason}"]
        assert said in mails[0].text
        assert f"`ferryman waive production --release {V1} --reason REASON -p scr`" in mails[0].text
        assert state(world).waiting_since is None

    def test_what_scans_said_is_explained_without_another_look(self, world: World) -> None:
        verify(world, V1)
        self.scanned(world, V1, BAD)
        world.sweep()
        looks = world.ecr.calls.count("DescribeImageScanFindings")
        document = parse(world.store.platform("scr").document)
        there, source = state(world), state(world, "staging")
        found = explain(document, there, world.store.releases("scr"), [], world.clock(), source=source)
        (told,) = found.newer
        assert told.reason == "ScanBlocked"
        assert told.message == (
            f"{V1}: api has 2 CRITICAL findings, web has 2 CRITICAL findings; fix it and push, or "
            f"`ferryman waive production --release {V1} --reason REASON -p scr`."
        )
        assert world.ecr.calls.count("DescribeImageScanFindings") == looks
        self.scanned(world, V1, CLEAN)
        world.sweep()
        assert state(world).waiting_for is None

    def test_each_reason_is_told_once_however_often_they_change(self, world: World) -> None:
        verify(world, V1)
        for _ in range(2):
            self.scanned(world, V1, BAD)
            world.sweep()
            world.ecr.scans.clear()
            world.sweep()
        events = [str(event.type) for event in world.store.timeline("scr#production")]
        assert events.count("Waiting") == 2

    def test_a_waiver_opens_and_expires(self, world: World) -> None:
        verify(world, V1)
        at = world.clock()
        waiver = Waiver(reason="ok", who="ada", at=at, until=at.replace(year=at.year + 1))
        expired = waiver.but(until=at)
        world.store.update_state("scr", "production", lambda before: before.but(waivers={V1: expired}))
        nudge(world)
        assert told(world) == []
        world.store.update_state("scr", "production", lambda before: before.but(waivers={V1: waiver}))
        nudge(world)
        assert told(world) == [(V1, "Pending")]

    def test_one_that_has_not_ended_is_looked_at_when_it_ends(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, {"imageScanStatus": {"status": "IN_PROGRESS"}})
        world.reconcile()
        end(world, "staging")
        assert ("scr", "production", 60) not in world.nudges.sent
        self.scanned(world, V1, CLEAN)
        world.wake({"detail": {"scan-status": "COMPLETE", "repository-name": "scr-web", "image-digest": "sha256:1"}})
        assert told(world) == [(V1, "Pending")]

    def test_a_look_that_is_refused_is_told_with_the_missing_permission(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        world.reconcile()
        world.ecr.trouble.before["DescribeImageScanFindings"] = [
            refused("DescribeImageScanFindings", "AccessDeniedException")
        ] * 9
        end(world, "staging")
        nudge(world)
        assert told(world) == []
        ready = state(world).condition("Ready")
        assert ready is not None
        assert ready.reason == "ScanDenied"
        assert "inspector2:ListFindings" in ready.message
        assert [message for message in world.store.unsent() if message.event.startswith("waiting-")]
        world.ecr.trouble.before.clear()
        nudge(world)
        assert told(world) == [(V1, "Pending")]

    @pytest.mark.parametrize("code", ["ThrottlingException", "InvalidParameterException"])
    def test_a_look_that_fails_stops_that_release_and_nothing_else(self, world: World, code: str) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        world.reconcile()
        broken = [refused("DescribeImageScanFindings", code)] * 9
        world.ecr.trouble.before["DescribeImageScanFindings"] = broken
        end(world, "staging")
        nudge(world)
        assert told(world) == []
        ready = state(world).condition("Ready")
        assert ready is not None
        assert (ready.reason, "could not be read" in ready.message) == ("ScanPending", True)
        assert not [message for message in world.store.unsent() if message.event.startswith("waiting-")]
        world.ecr.trouble.before.clear()
        nudge(world)
        assert told(world) == [(V1, "Pending")]

    @pytest.mark.parametrize("by", ["rollback", "decision"])
    def test_nobody_looks_for_a_way_back_nor_once_people_decided(self, world: World, by: str) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        world.reconcile()
        end(world, "staging")
        verify(world, V2)
        active = state(world).active
        assert active is not None
        question = Approval(
            platform="scr", environment="production", deployment=active.deployment, fence=active.fence, version=V1,
            digests={}, requested_by=Actor(who="promotion", automated=True), approvers=[], requested_at=world.clock(),
            expires_at=world.clock() + timedelta(days=1), status="Approved" if by == "decision" else "Pending",
        )  # fmt: skip
        deployment = world.store.deployment("scr", "production", active.deployment)
        world.store.write(Save(question), Save(deployment.but(phase=Phase.AWAITING_APPROVAL)))
        if by == "rollback":
            wish = Request(version=V1, kind="rollback", reason="bad", who="ada", at=world.clock())
            world.store.update_state("scr", "production", lambda before: before.but(requested=wish))
        world.ecr.calls.clear()
        nudge(world)
        assert "DescribeImageScanFindings" not in world.ecr.calls

    @pytest.mark.parametrize(
        "repository", ["scr-web", "arn:aws:ecr:eu-west-1:123456789012:repository/scr-web"], ids=["basic", "enhanced"]
    )
    def test_an_ended_scan_is_looked_at(self, world: World, repository: str) -> None:
        world.release(V1)
        self.scanned(world, V1, {"imageScanStatus": {"status": "IN_PROGRESS"}})
        world.reconcile()
        end(world, "staging")
        self.scanned(world, V1, CLEAN)
        world.wake({"detail": {"scan-status": "COMPLETE", "repository-name": "somebody-elses"}})
        assert told(world) == []
        world.wake({"detail": {"scan-status": "COMPLETE", "repository-name": repository}})
        assert told(world) == [(V1, "Pending")]

    def test_a_sweep_finds_a_scan_whose_event_was_lost(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, {"imageScanStatus": {"status": "IN_PROGRESS"}})
        world.reconcile()
        end(world, "staging")
        world.nudges.sent.clear()
        for _ in range(20):
            world.sweep()
        assert world.nudges.sent == [], "no chain of nudges"
        self.scanned(world, V1, CLEAN)
        world.sweep()
        assert told(world) == [(V1, "Pending")]

    def test_while_something_runs_nobody_looks(self, world: World) -> None:
        world.release(V1)
        self.scanned(world, V1, CLEAN)
        world.reconcile()
        end(world, "staging")
        verify(world, V2)
        world.ecr.calls.clear()
        nudge(world)
        assert "DescribeImageScanFindings" not in world.ecr.calls


class TestWayBackInStaging:
    def go_back(self, world: World) -> None:
        wish = Request(version=V1, kind="rollback", reason="it is bad", who="ada", at=world.clock())
        world.store.update_state("scr", "staging", lambda before: before.but(requested=wish))
        world.reconcile()
        end(world, "staging")
        assert state(world, "staging").settled[V2].reason == "LeftByRollback"

    def test_what_staging_left_does_not_go_on(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = made(store, clock, new_id)
        for version in (V1, V2):
            verify(world, version)
        self.go_back(world)
        world.name(V2, "v2.0.0")
        nudge(world)
        assert told(world) == []
        assert state(world).settled[V2].reason == "TagRefused"

    def test_nor_by_itself_until_it_is_verified_again(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = made(store, clock, new_id, triggers=["promotion"], soak="10m")
        for version in (V1, V2):
            verify(world, version)
        self.go_back(world)
        world.clock.forward(hours=1)
        nudge(world)
        assert (V2, "Pending") not in told(world)
        world.store.update_state(
            "scr", "staging",
            lambda before: before.but(
                requested=Request(version=V2, kind="retry", reason="", who="ada", at=world.clock()), hold=None
            ),
        )  # fmt: skip
        if state(world).active is not None:
            end(world, "production")
        world.reconcile()
        end(world, "staging")
        world.clock.forward(minutes=10)
        nudge(world)
        assert (V2, "Pending") in told(world)


class TestMovingTags:
    def tags(self, world: World, component: str = "api") -> dict[str, str]:
        versions = {digest: tag for tag, digest in world.ecr.tags[f"scr-{component}"].items() if tag.startswith("aaa")}
        found = world.ecr.tags[f"scr-{component}"]
        return {tag: versions[digest] for tag, digest in found.items() if tag.startswith("production-")}

    def promoted(self, world: World, version: str) -> None:
        for component in ("api", "web"):
            tags = world.ecr.tags[f"scr-{component}"]
            tags["production-latest"] = tags[version]

    def test_after_a_failed_deployment_every_tag_is_back(self, world: World) -> None:
        for version, name in ((V1, "v1.0.0"), (V2, "v2.0.0"), (V3, "v3.0.0")):
            verify(world, version)
            world.name(version, name)
            nudge(world)
            self.promoted(world, version)
            end(world, "production", FAILED if version == V3 else None)
        assert told(world) == [(V1, "Succeeded"), (V2, "Succeeded"), (V3, "Failed")]
        for component in ("api", "web"):
            assert self.tags(world, component) == {
                "production-latest": V2,
                "production-current": V2,
                "production-previous": V1,
            }

    def test_while_it_is_on_its_way_the_promoted_tag_stays(self, world: World) -> None:
        for version, name in ((V1, "v1.0.0"), (V2, "v2.0.0")):
            verify(world, version)
            world.name(version, name)
            nudge(world)
            self.promoted(world, version)
            if version == V1:
                end(world, "production")
        world.sweep()
        assert self.tags(world)["production-latest"] == V2
        assert self.tags(world)["production-current"] == V1

    def test_when_nothing_ran_before_there_is_nowhere_to_go_back_to(self, world: World) -> None:
        verify(world, V1)
        world.name(V1, "v1.0.0")
        nudge(world)
        self.promoted(world, V1)
        end(world, "production", FAILED)
        world.sweep()
        assert told(world) == [(V1, "Failed")]
        assert self.tags(world) == {"production-latest": V1}

    def test_the_operators_own_tags_come_back_as_events_and_wake_nothing(self, world: World) -> None:
        verify(world, V1)
        world.name(V1, "v1.0.0")
        nudge(world)
        end(world, "production")
        world.nudges.sent.clear()
        for component in ("api", "web"):
            for tag in self.tags(world, component):
                assert world.receive(world.event(f"scr-{component}", tag)) == ["scr: Ignored (moving tag)"]
        assert world.nudges.sent == []
