"""The loop as a whole, on fakes: what is claimed, started, completed and released, whatever goes wrong meanwhile."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ferryman.clients import stepfunctions
from ferryman.contracts import DeploymentRef, ExecutionInput, FinishDeploymentInput
from ferryman.controller import claims, execute, reconcile
from ferryman.controller.context import Context
from ferryman.decisions.actions import RepairTags
from ferryman.decisions.outcome import Judgement, judge
from ferryman.decisions.snapshot import Snapshot, TagSetting
from ferryman.errors import InvalidInput, Unavailable
from ferryman.records import (
    Active,
    Actor,
    AppliedPlatform,
    Deployment,
    Hold,
    OutboxMessage,
    Phase,
    ReleaseStatus,
    Request,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.records.writes import Add, Save
from ferryman.releases import moving_tags
from ferryman.steps import record_outcome
from ferryman.steps.finish_deployment import finish
from ferryman.store.table import Store
from unit import builders as make
from unit import refused_documents
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import refused
from unit.operating import MUTATION_TIMEOUT, World, document

V1, V2, V3, V4 = "aaaaaaa1", "aaaaaaa2", "aaaaaaa3", "aaaaaaa4"


def claim(world: World) -> Active:
    active = world.state.active
    assert active is not None
    return active


def ref(world: World) -> FinishDeploymentInput:
    active = claim(world)
    return FinishDeploymentInput(
        platform="scr", environment="staging", deployment=active.deployment, fence=active.fence
    )  # fmt: skip


def record_steps(world: World, steps: dict[str, Step]) -> None:
    plan = make.plan()
    world.store.update_deployment(
        ref(world), lambda before: before.but(phase=Phase.RUNNING, plan=plan, steps=steps)
    )  # fmt: skip


def succeed(world: World) -> Deployment:
    """The machine runs to its end as it should."""
    record_steps(world, make.passed())
    deployment = claim(world).deployment
    for service in ("scr-api", "scr-web"):
        world.ecs.services[service]["taskDefinition"] = make.definition(service, 2)
    world.clock.forward(seconds=30)
    world.end_execution()
    finish(ref(world), store=world.store, clock=world.clock, new_id=world.new_id, count=lambda name: None)
    return world.store.deployment("scr", "staging", deployment)


def settle(world: World, phase: Phase) -> None:
    """The machine ends with a verdict of its own."""
    judgement = Judgement(phase, "Because", "It did.")
    world.end_execution()
    record_outcome.record(ref(world), judgement, store=world.store, clock=world.clock, new_id=world.new_id)


def void(world: World) -> None:
    """The last gate finds that the approval of the active deployment no longer holds, and it ends so."""
    active = world.state.active
    assert active is not None
    ref = DeploymentRef(platform="scr", environment="staging", deployment=active.deployment, fence=active.fence)
    refused = make.step("Aborted", "ApprovalVoid", "the approval no longer holds")
    found = world.store.update_deployment(
        ref, lambda before: before.but(plan=make.plan(), steps={step_keys.ADMIT: refused})
    )
    record_outcome.record(ref, judge(found, None), store=world.store, clock=world.clock, new_id=world.new_id)


class TestStart:
    def test_a_complete_release_is_claimed_and_started(self, world: World) -> None:
        release = world.release(V1)
        world.reconcile()
        active, (deployment,) = claim(world), world.deployments
        assert (deployment.phase, deployment.version, deployment.fence) == (Phase.PENDING, V1, 1)
        assert deployment.digests == release.digests
        assert (deployment.id, deployment.execution_arn) == (active.deployment, active.execution_arn)
        assert active.execution_name == f"scr-staging-{active.deployment}"
        assert ExecutionInput.model_validate_json(active.input).fence == 1
        assert world.states.executions[str(active.execution_arn)]["input"] == active.input
        assert [str(event.type) for event in world.store.timeline(deployment.id)] == ["Claimed"]
        assert world.condition("Progressing") == ("True", "Pending")
        assert world.state.waiting_since == release.ready_at

    @refused_documents.each
    def test_a_document_that_apply_would_refuse_today_is_still_reconciled(
        self, world: World, refuse: refused_documents.Change
    ) -> None:
        stored = refused_documents.stored(world.document.dump(), refuse)
        world.release(V1)
        world.store.write(Save(world.store.platform("scr").but(document=stored)))
        world.sweep()
        assert world.told() == [(V1, "Pending")]
        assert succeed(world).phase is Phase.SUCCEEDED
        world.reconcile()
        assert world.state.current is not None
        assert world.state.current.version == V1

    def test_each_claim_has_a_greater_fence_than_all_before(self, world: World) -> None:
        fences = []
        for version in (V1, V2, V3):
            world.release(version)
            world.reconcile()
            fences.append(claim(world).fence)
            assert world.state.fence == fences[-1]
            succeed(world)
            world.clock.forward(hours=1)
            world.sweep()
        assert fences == sorted(set(fences))

    def test_once_however_often_reconcile_runs(self, world: World) -> None:
        world.release(V1)
        for _ in range(3):
            world.reconcile()
            world.sweep()
        assert len(world.states.started) == 1
        assert world.told() == [(V1, "Pending")]

    def test_nothing_happens_before_the_release_is_complete(self, world: World) -> None:
        world.receive(world.push("api", V1))
        world.reconcile()
        assert world.deployments == []

    def test_two_at_the_same_moment_start_one(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.release(V1)
        write, raced = world.store.write, []

        def racing(*writes: Any) -> None:
            if not raced and any(isinstance(item.record, Deployment) for item in writes):
                raced.append(True)
                world.reconcile()  # the other one, between our reading and our writing
            write(*writes)

        monkeypatch.setattr(world.store, "write", racing)
        world.reconcile()
        assert raced
        assert len(world.states.started) == 1
        assert world.told() == [(V1, "Pending")]

    def test_a_crash_before_the_start_is_driven_again_with_the_same_name_and_input(self, world: World) -> None:
        world.release(V1)
        world.states.trouble.throttle("StartExecution")
        failed = world.wake({"Records": [{"messageId": "7", "body": '{"platform": "scr", "environment": "staging"}'}]})
        assert failed == {"batchItemFailures": [{"itemIdentifier": "7"}]}
        before = claim(world)
        assert world.states.started == []
        world.reconcile()
        assert claim(world) == before
        assert world.states.started == [before.execution_name]
        assert "ReDriven" in [str(event.type) for event in world.store.timeline(before.deployment)]

    def test_a_start_whose_answer_was_lost_is_found(self, world: World) -> None:
        world.release(V1)
        world.states.trouble.lose_answer("StartExecution")
        with pytest.raises(AssertionError):
            world.reconcile()
        world.reconcile()
        assert len(world.states.started) == 1
        assert world.condition("Progressing") == ("True", "Pending")

    def test_an_execution_that_is_not_listed_yet_is_not_started_twice(self, world: World) -> None:
        world.states.late = 3
        world.release(V1)
        world.reconcile()
        assert world.states.asked == 1
        assert world.condition("Progressing") == ("True", "Pending")
        for _ in range(4):
            world.reconcile()
        assert len(world.states.started) == 1

    def test_a_name_that_is_taken_is_described(self, world: World) -> None:
        """The local AWS answers ExecutionAlreadyExists also for a running one; AWS for one that ended."""
        world.release(V1)
        world.reconcile()
        world.end_execution("FAILED")
        started = stepfunctions.ensure_started(
            world.states, "arn:aws:states:eu-west-1:123456789012:stateMachine:deploy", claim(world).execution_name, "{}"
        )
        assert started is False


class TestQueue:
    def test_three_quick_releases_the_one_between_is_superseded(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        world.release(V2)
        world.reconcile()
        world.release(V3)
        world.reconcile()
        assert world.told() == [(V1, "Pending")]
        succeed(world)
        world.reconcile()
        assert sorted(world.told()) == [(V1, "Succeeded"), (V2, "Superseded"), (V3, "Pending")]
        skipped = next(item for item in world.deployments if item.version == V2)
        assert skipped.superseded_by == V3
        assert skipped.ended_at
        assert V3 in skipped.message
        assert [str(event.type) for event in world.store.timeline(skipped.id)] == ["Ended"]

    def test_a_release_completed_late_is_recorded_as_superseded(self, world: World) -> None:
        late = world.push("api", V1)
        world.receive(late)
        world.release(V2)
        world.reconcile()
        succeed(world)
        world.receive(world.push("web", V1))
        world.reconcile()
        assert sorted(world.told()) == [(V1, "Superseded"), (V2, "Succeeded")]
        world.reconcile()
        assert len(world.deployments) == 2

    def test_two_at_the_same_moment_record_one_superseded(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.receive(world.push("api", V1))
        world.release(V2)
        world.reconcile()
        succeed(world)
        world.receive(world.push("web", V1))
        write, raced = world.store.write, []

        def racing(*writes: Any) -> None:
            if not raced and any(getattr(item.record, "phase", None) is Phase.SUPERSEDED for item in writes):
                raced.append(True)
                world.reconcile()
            write(*writes)

        monkeypatch.setattr(world.store, "write", racing)
        world.reconcile()
        assert raced
        assert sorted(world.told()) == [(V1, "Superseded"), (V2, "Succeeded")]

    def test_many_skipped_releases_fit_into_transactions(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claims, "SUPERSEDED_AT_ONCE", 3)
        versions = [f"bbbbbb{number:02d}" for number in range(9)]
        for version in versions:
            world.release(version)
        world.reconcile()
        told = dict(world.told())
        assert told == {**dict.fromkeys(versions[:-1], "Superseded"), versions[-1]: "Pending"}
        assert len(world.deployments) == 9

    def test_each_of_ninety_skipped_releases_gets_one_record(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        succeed(world)
        world.reconcile()
        versions = [f"bbbbbb{number:02d}" for number in range(91)]
        for version in versions:
            world.release(version)
        for _ in range(2):
            world.reconcile()
        told = world.told()
        assert sorted(told) == sorted(
            [(V1, "Succeeded"), *((version, "Superseded") for version in versions[:-1]), (versions[-1], "Pending")]
        )

    def test_an_automatic_retry_is_the_wish_of_whoever_asked_first_however_long_the_history(self, world: World) -> None:
        world.release(V1)
        wish = Request(version=V1, kind="retry", reason="", who="ada", at=world.clock())
        world.store.update_state("scr", "staging", lambda state: state.but(requested=wish))
        world.reconcile()
        for attempt in range(2):
            assert world.deployments[-1].requested_by == Actor(who="ada")
            settle(world, Phase.ERRORED)
            for number in range(40):
                skipped = make.deployment(
                    id=world.new_id(), version=f"c{attempt}{number}", phase=Phase.SUPERSEDED, rev=0, plan=None
                )
                world.store.write(Save(skipped))
            world.clock.forward(minutes=5)
            world.reconcile()
        assert (world.deployments[-1].kind, world.deployments[-1].initiated_by.who) == ("retry", "reconcile")

    def test_a_settled_version_waits_for_a_person(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        settle(world, Phase.FAILED)
        world.reconcile()
        assert world.told() == [(V1, "Failed")]
        assert world.condition("Ready") == ("False", "Failed")
        wish = Request(version=V1, kind="retry", reason="fixed", who="ada", at=world.clock())
        world.store.update_state("scr", "staging", lambda state: state.but(requested=wish))
        world.reconcile()
        assert world.told() == [(V1, "Failed"), (V1, "Pending")]
        assert world.state.requested is None
        assert (world.deployments[-1].kind, world.deployments[-1].initiated_by.who) == ("retry", "ada")

    def test_a_redeploy_that_waited_does_not_take_a_newer_release_back(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        succeed(world)
        world.release(V2)
        world.reconcile()
        wish = Request(version=V1, kind="redeploy", reason="", who="ada", at=world.clock())
        world.store.update_state("scr", "staging", lambda state: state.but(requested=wish))
        succeed(world)
        world.reconcile()
        assert world.told() == [(V1, "Succeeded"), (V2, "Succeeded")]
        assert world.state.requested is None
        dropped = world.store.timeline("scr#staging")[-1]
        assert str(dropped.type) == "RequestDropped"
        assert f"{V2} is running now" in dropped.message

    def test_errored_is_tried_after_1_5_and_25_minutes_then_held(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        for attempt, minutes in enumerate((1, 5, 25), start=2):
            settle(world, Phase.ERRORED)
            world.clock.forward(minutes=minutes, seconds=-1)
            world.reconcile()
            assert world.state.active is None
            world.clock.forward(seconds=1)
            world.reconcile()
            assert world.deployments[-1].attempts == attempt
        settle(world, Phase.ERRORED)
        world.clock.forward(days=1)
        world.reconcile()
        assert len(world.deployments) == 4
        assert world.state.hold is not None
        assert world.condition("Held") == ("True", "Held")

    def test_a_void_approval_is_asked_anew_at_once_and_names_what_it_renews(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        first = world.deployments[-1]
        assert first.renews is None
        void(world)
        world.reconcile()
        again = world.deployments[-1]
        assert (again.renews, again.kind, again.why) == (
            first.id, "retry", "the approval of the last attempt no longer held",
        )  # fmt: skip
        void(world)
        world.clock.forward(days=1)
        world.reconcile()
        assert [phase for _, phase in world.told()] == ["Errored", "Aborted"]

    def test_the_retry_is_asked_for_when_it_is_near(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        settle(world, Phase.ERRORED)
        world.nudges.sent.clear()
        world.reconcile()
        assert world.nudges.sent == [("scr", "staging", 60)]

    def test_a_hold_keeps_pushes_waiting(self, world: World) -> None:
        hold = Hold(reason="audit", who="ada", at=world.clock())
        world.store.update_state("scr", "staging", lambda state: state.but(hold=hold))
        world.release(V1)
        world.reconcile()
        assert world.deployments == []
        assert world.condition("Ready") == ("False", "Held")
        world.store.update_state("scr", "staging", lambda state: state.but(hold=None))
        world.reconcile()
        assert world.told() == [(V1, "Pending")]


class TestUnrecorded:
    """Executions that ended without a recorded outcome."""

    def test_aborted_in_the_console_is_recorded_at_once_and_released_later(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        record_steps(world, make.passed(upto="migration"))
        world.end_execution("ABORTED")
        world.nudges.sent.clear()
        world.reconcile()
        assert world.told() == [(V1, "Aborted")]
        assert world.state.hold is not None
        assert world.state.active is not None
        assert world.nudges.sent == [("scr", "staging", MUTATION_TIMEOUT)]
        assert [message.channel for message in world.store.unsent()] == ["team"]
        world.clock.forward(seconds=MUTATION_TIMEOUT)
        world.reconcile()
        assert world.state.active is None
        assert world.told() == [(V1, "Aborted")]

    @pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "SUCCEEDED"])
    def test_half_way_it_errored_and_is_tried_again(self, world: World, status: str) -> None:
        world.release(V1)
        world.reconcile()
        record_steps(world, make.passed(upto="migration"))
        world.end_execution(status)
        world.reconcile()
        world.reconcile()
        assert world.told() == [(V1, "Errored")]
        world.clock.forward(minutes=1)
        world.reconcile()
        assert world.told() == [(V1, "Errored"), (V1, "Pending")]

    @pytest.mark.parametrize(("reason", "settles"), [("Held", False), ("Frozen", False), ("DigestsChanged", True)])
    def test_refused_by_the_last_gate_it_is_not_taken_for_a_fault(
        self, world: World, reason: str, settles: bool
    ) -> None:
        world.release(V1)
        world.reconcile()
        gate = make.step("Aborted", reason, "the gate said no")
        record_steps(world, {"begin_deployment": make.step(), "admit_deployment": gate})
        world.end_execution("FAILED")
        world.reconcile()
        assert world.told()[0] == (V1, "Aborted")
        assert (V1 in world.state.settled) is settles

    def test_one_that_went_through_is_a_success(self, world: World) -> None:
        release = world.release(V1)
        world.reconcile()
        record_steps(world, make.passed())
        world.end_execution("FAILED")
        world.reconcile()
        world.clock.forward(seconds=MUTATION_TIMEOUT)
        world.reconcile()
        assert world.told() == [(V1, "Succeeded")]
        assert world.state.current is not None
        assert world.state.current.digests == release.digests
        assert world.state.active is None

    def test_finish_coming_late_keeps_the_recorded_outcome(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        event = ref(world)
        world.end_execution("ABORTED")
        world.reconcile()
        finish(event, store=world.store, clock=world.clock, new_id=world.new_id, count=lambda name: None)
        assert world.told() == [(V1, "Aborted")]


class TestWakeups:
    def test_many_nudges_for_one_environment_are_one(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        looked: list[str] = []
        monkeypatch.setattr(
            reconcile.Reconciler, "environment", lambda self, platform, environment: looked.append(environment)
        )
        body = '{"platform": "scr", "environment": "staging"}'
        world.wake({"Records": [{"messageId": str(n), "body": body} for n in range(5)]})
        assert looked == ["staging"]

    def test_a_nudge_that_names_nothing_fails_alone(self, world: World) -> None:
        world.release(V1)
        good = '{"platform": "scr", "environment": "staging"}'
        records = [{"messageId": "bad", "body": "{"}, {"messageId": "good", "body": good}]
        assert world.wake({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
        assert world.told() == [(V1, "Pending")]

    @pytest.mark.parametrize(
        "key", [{"platform": "gone", "environment": "staging"}, {"platform": "scr", "environment": "qa"}]
    )
    def test_a_nudge_for_what_no_longer_exists_is_done_with(self, world: World, key: dict[str, str]) -> None:
        assert world.wake({"Records": [{"messageId": "1", "body": json.dumps(key)}]}) == {"batchItemFailures": []}

    @pytest.mark.parametrize("with_input", [True, False])
    def test_an_execution_that_ended_wakes_its_environment(self, world: World, with_input: bool) -> None:
        world.release(V1)
        world.reconcile()
        world.release(V2)
        active = claim(world)
        succeed(world)
        detail = {"name": active.execution_name, "status": "SUCCEEDED", "executionArn": active.execution_arn}
        world.wake({"source": "aws.states", "detail": detail | ({"input": active.input} if with_input else {})})
        assert world.told()[-1] == (V2, "Pending")

    def test_an_execution_of_somebody_else_is_none_of_ours(self, world: World) -> None:
        world.wake({"source": "aws.states", "detail": {"name": "nightly-report", "input": "[]"}})

    def test_nonsense_is_refused(self, world: World) -> None:
        with pytest.raises(InvalidInput):
            world.wake({})
        with pytest.raises(ValidationError):
            world.wake({"detail": {}})


class TestSweep:
    def test_finds_what_no_event_told(self, world: World) -> None:
        world.push("api", V1)
        world.push("web", V1)
        world.sweep()
        assert world.told() == [(V1, "Pending")]
        assert world.counted.count("PushMissed") == 2

    def test_reports_once_what_stays_incomplete_and_goes_on_when_it_comes(self, world: World) -> None:
        world.receive(world.push("api", V1))
        world.sweep()
        assert world.store.unsent() == []
        world.clock.forward(minutes=30)
        world.sweep()
        world.sweep()
        release = world.store.release("scr", V1)
        assert release is not None
        assert release.status is ReleaseStatus.INCOMPLETE
        (message,) = world.store.unsent()
        assert "waiting for web" in message.subject
        assert [str(event.type) for event in world.store.timeline("scr#staging")].count("Incomplete") == 1
        world.receive(world.push("web", V1))
        world.reconcile()
        assert world.told() == [(V1, "Pending")]

    def test_a_component_that_leaves_the_document_no_longer_keeps_a_release_waiting(self, world: World) -> None:
        world.receive(world.push("api", V1))
        spec = world.document.dump()
        del spec["spec"]["components"]["web"]
        spec["spec"]["environments"]["staging"]["waves"].pop()
        from ferryman.platform import parse

        world.apply(parse(spec))
        world.sweep()
        assert world.told() == [(V1, "Pending")]

    def test_wakes_notify_only_when_something_lies_unsent(self, world: World) -> None:
        world.sweep()
        assert world.outbox.drained == 0
        message = OutboxMessage(
            owner="D", event="outcome", channel="team", platform="scr", environment="staging", subject="s", text="t",
            created_at=world.clock(),
        )  # fmt: skip
        world.store.write(Add(message))
        world.sweep()
        assert world.outbox.drained == 1

    def test_measures_the_oldest_that_waits_and_zero_when_nothing_does(self, world: World) -> None:
        world.sweep()
        assert ("OldestUnreconciled", 0.0, {}) in world.gauges
        world.release(V1)
        world.gauges.clear()
        world.sweep()
        assert world.gauges == [
            ("OldestUnreconciled", 0.0, {}),
            ("OldestUnreconciled", 300.0, {"platform": "scr", "environment": "staging"}),
            ("OldestUnreconciled", 300.0, {}),
        ]

    def test_measures_even_without_a_platform(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        world = World(store, clock, new_id)
        world.sweep()
        assert world.gauges == [("OldestUnreconciled", 0.0, {})]

    def test_one_broken_platform_keeps_nobody_else_waiting(self, world: World) -> None:
        broken = AppliedPlatform(
            name="aaa-broken",
            generation=1,
            document={"spec": {"environments": {"qa": {}}}},
            applied_by="ada",
            applied_at=world.clock(),
        )
        world.store.write(Save(broken))
        world.push("api", V1)
        world.push("web", V1)
        world.sweep()
        assert world.told() == [(V1, "Pending")]
        assert [json.loads(body)["platform"] for body in world.failed] == ["aaa-broken", "aaa-broken"]
        world.gauges.clear()
        world.sweep()
        assert ("OldestUnreconciled", 300.0, {}) in world.gauges, "a look that is due and does not end is told"

    def test_an_ecr_that_is_down_stops_no_deployment(self, world: World) -> None:
        world.release(V1)
        world.ecr.trouble.throttle("DescribeImages", times=1)
        world.sweep()
        assert [json.loads(body)["environment"] for body in world.failed] == [""]
        assert world.told() == [(V1, "Pending")]

    def test_writes_when_it_looked(self, world: World) -> None:
        world.sweep()
        first = world.state.reconciled_at
        world.sweep()
        assert first is not None
        assert world.state.reconciled_at == world.clock()


class TestDrift:
    def test_a_service_that_somebody_else_changed_shows(self, world: World) -> None:
        world.sweep()
        assert world.condition("Drifted") == ("False", "AsRecorded")
        service = world.ecs.services["scr-web"]
        service["taskDefinition"] = world.ecs.new_definition("scr-web", "elsewhere")
        world.sweep()
        assert world.condition("Drifted") == ("True", "TaskDefinitionChanged")

    def test_a_job_that_somebody_else_changed_shows(self, world: World) -> None:
        waves = document().dump()["spec"]["environments"]["staging"]["waves"]
        waves[0]["jobs"] = [{"name": "report", "component": "api", "schedule": "nightly"}]
        world.events.new_schedule("nightly", world.ecs.new_definition("report", "x"))
        world.apply(document(waves=waves))
        state = world.state
        assert state.last_succeeded is not None
        runs = {**state.last_succeeded.task_definitions, "job/report": world.events.task_definition("nightly")}
        target = state.last_succeeded.but(task_definitions=runs)
        world.store.update_state("scr", "staging", lambda state: state.but(last_succeeded=target))
        world.sweep()
        assert world.condition("Drifted") == ("False", "AsRecorded")
        world.events.new_schedule("nightly", world.ecs.new_definition("report", "elsewhere"))
        world.sweep()
        assert world.condition("Drifted") == ("True", "TaskDefinitionChanged")
        world.events.refuse("get_schedule", "AccessDeniedException")
        world.sweep()
        assert world.condition("Drifted") == ("True", "TaskDefinitionChanged")

    def test_a_cluster_that_can_t_be_read_is_only_logged(self, world: World) -> None:
        world.ecs.refuse("describe_services", "ClusterNotFoundException")
        world.sweep()
        assert world.state.condition("Drifted") is None

    def test_a_newer_base_is_deployed_where_the_document_says_so(self, world: World) -> None:
        first = world.ecs.new_definition("base-api", "x")
        waves = document().dump()["spec"]["environments"]["staging"]["waves"]
        waves[0]["services"][0]["baseTaskDefinition"] = "base-api"
        world.apply(document(waves=waves, onBaseChange="deploy"))
        world.release(V1)
        world.reconcile()
        deployment = succeed(world)
        target = world.state.last_succeeded
        assert target is not None
        bases = {"scr-api": first, "scr-web": target.bases["scr-web"]}
        world.store.update_state(
            "scr", "staging", lambda state: state.but(last_succeeded=target.but(bases=bases))
        )  # fmt: skip
        world.sweep()
        assert world.told() == [(V1, "Succeeded")]
        world.ecs.new_definition("base-api", "x", cpu="512")
        world.sweep()
        assert [(item.version, item.kind) for item in world.deployments] == [(V1, "deploy"), (V1, "redeploy")]
        assert world.deployments[-1].digests == deployment.digests


class TestMovingTags:
    @pytest.fixture
    def ensured(self, world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
        """Tags that were set, each with whether the state said so at that moment."""
        found: list[tuple[str, bool]] = []

        def ensure(document: Any, setting: Any, ecr: Any) -> None:
            until = world.state.tagging_until
            found.append((setting.tag, until is not None and until > world.clock()))

        monkeypatch.setattr(moving_tags, "ensure", ensure)
        world.release(V1)
        world.reconcile()
        succeed(world)
        found.clear()
        return found

    def repair(self, world: World, view: Snapshot) -> None:
        settings = tuple(TagSetting("api", tag, "sha256:x") for tag in ("one", "two"))
        context = Context(
            store=world.store, states=world.states, ecr=world.ecr, nudge=world.nudges, machine="", migrate_machine="",
            clock=world.clock, new_id=world.new_id, count=world.counted.append,
        )  # fmt: skip
        execute.carry_out(RepairTags(settings, "D"), view, world.document, context)

    def view(self, world: World) -> Snapshot:
        return Snapshot("scr", "staging", world.document.environment("staging"), 1, world.state)

    def test_the_state_says_that_they_are_being_repaired(self, world: World, ensured: list[tuple[str, bool]]) -> None:
        self.repair(world, self.view(world))
        assert ensured == [("one", True), ("two", True)]
        assert (world.state.tagging_until, world.state.tagged) == (None, "D")

    def test_a_deployment_that_began_since_we_looked_is_left_alone(
        self, world: World, ensured: list[tuple[str, bool]]
    ) -> None:
        seen = self.view(world)
        world.store.update_state("scr", "staging", lambda state: state.but(fence=state.fence + 1))
        self.repair(world, seen)
        assert ensured == []
        assert world.state.tagged != "D"

    def test_one_repairs_them_at_a_time_and_a_dead_one_for_a_minute_only(
        self, world: World, ensured: list[tuple[str, bool]]
    ) -> None:
        until = world.clock() + execute.AT_WORK
        world.store.update_state("scr", "staging", lambda state: state.but(tagging_until=until))
        self.repair(world, self.view(world))
        assert ensured == []
        world.clock.forward(seconds=execute.AT_WORK.total_seconds())
        self.repair(world, self.view(world))
        assert ensured == [("one", True), ("two", True)]

    def test_follow_what_runs_after_each_attempt(self, world: World) -> None:
        first = world.release(V1)
        world.reconcile()
        succeed(world)
        world.reconcile()
        assert self.tag(world, "staging-latest") == first.digests["api"]
        assert self.tag(world, "staging-current") == first.digests["api"]
        second = world.release(V2)
        world.reconcile()
        succeed(world)
        world.reconcile()
        assert self.tag(world, "staging-current") == second.digests["api"]
        assert self.tag(world, "staging-previous") == first.digests["api"]

    def test_are_taken_back_when_a_release_failed(self, world: World) -> None:
        first = world.release(V1)
        world.reconcile()
        succeed(world)
        world.reconcile()
        broken = world.release(V2)
        world.ecr.tags["scr-api"]["staging-latest"] = broken.digests["api"]  # CI set it at build, as the guide says
        world.reconcile()
        settle(world, Phase.FAILED)
        world.reconcile()
        assert self.tag(world, "staging-latest") == first.digests["api"]

    def test_one_that_can_t_be_moved_stops_nothing(self, world: World) -> None:
        world.release(V1)
        world.reconcile()
        world.ecr.push("scr-api", "staging-latest", "other")
        world.ecr.immutable.add("scr-api")
        succeed(world)
        world.reconcile()
        assert "MovingTagFailed" in world.counted
        world.release(V2)
        world.reconcile()
        assert world.told()[-1] == (V2, "Pending")

    @pytest.mark.parametrize("operation", ["DescribeImages", "PutImage"])
    def test_a_repository_that_refuses_us_stops_nothing(self, world: World, operation: str) -> None:
        world.release(V1)
        world.reconcile()
        succeed(world)
        world.ecr.trouble.before[operation] = [refused(operation, "AccessDeniedException")] * 9
        world.reconcile()
        world.ecr.trouble.before.clear()
        world.release(V2)
        world.reconcile()
        assert world.told()[-1] == (V2, "Pending")

    def tag(self, world: World, tag: str) -> str:
        return world.ecr.tags["scr-api"][tag]


def test_a_table_that_does_not_answer_is_told_to_the_queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(world.store, "state", down)
    failed = world.wake({"Records": [{"messageId": "1", "body": '{"platform": "scr", "environment": "staging"}'}]})
    assert failed == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_steps_that_still_run_are_not_a_success(world: World) -> None:
    world.release(V1)
    world.reconcile()
    steps = make.passed() | {"smoke_test": make.step("Running")}
    assert steps["smoke_test"].status is StepStatus.RUNNING
    record_steps(world, steps)
    world.end_execution("TIMED_OUT")
    world.reconcile()
    assert world.told() == [(V1, "Errored")]
