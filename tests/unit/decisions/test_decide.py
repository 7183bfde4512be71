"""The reconcile contract, rule by rule, as a pure function; and properties that hold for any history."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.decisions.actions import (
    Action,
    Complete,
    Dismiss,
    DropClaim,
    Redrive,
    RepairTags,
    RequeueAfter,
    Start,
    Supersede,
)
from ferryman.decisions.decide import decide
from ferryman.decisions.snapshot import Execution, Snapshot, TagSetting
from ferryman.records import (
    AbortRequest,
    Actor,
    Phase,
    ReleaseStatus,
    Target,
    Verified,
)
from ferryman.records import step_keys as steps
from unit import builders as make
from unit.decisions.situations import (
    HOLD,
    NOW,
    active,
    acts,
    applied,
    changed,
    condition,
    drifted,
    idle,
    release,
    request,
    settled,
    start,
)
from unit.operating import document


class TestActive:
    """Rules 1, 2 and 4."""

    @pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RUNNING, Phase.ROLLING_BACK])
    def test_a_running_execution_is_left_alone_whatever_is_newer(self, phase: Phase) -> None:
        view = active(make.deployment(phase=phase), releases=(release(1), release(9)))
        assert acts(view) == []

    def test_a_claim_without_an_execution_is_driven_again_never_released(self) -> None:
        view = active(make.deployment(phase=Phase.PENDING, plan=None, steps={}), Execution.MISSING)
        assert acts(view, NOW + timedelta(days=30)) == [Redrive()]

    def test_an_execution_that_did_everything_but_tell_succeeded(self) -> None:
        (action,) = acts(active(execution=Execution.ENDED))
        assert isinstance(action, Complete)
        assert (action.phase, action.hold) == (Phase.SUCCEEDED, None)

    @pytest.mark.parametrize(
        "missing", ["begin_deployment", "admit_deployment", "migration", "rollout/scr-web", "smoke_test"]
    )
    def test_without_one_of_its_steps_it_errored(self, missing: str) -> None:
        steps = {key: step for key, step in make.passed().items() if key != missing}
        (action,) = acts(active(make.deployment(steps=steps), Execution.ENDED))
        assert isinstance(action, Complete)
        assert (action.phase, action.hold) == (Phase.ERRORED, None)

    @pytest.mark.parametrize("status", ["Running", "Failed", "Aborted", "Errored"])
    def test_a_smoke_test_that_did_not_pass_is_no_success(self, status: str) -> None:
        steps = make.passed() | {"smoke_test": make.step(status)}
        (action,) = acts(active(make.deployment(steps=steps), Execution.ENDED))
        assert isinstance(action, Complete)
        assert action.phase is Phase.ERRORED

    def test_one_that_was_going_back_did_not_succeed(self) -> None:
        steps = make.passed() | {"rollback/scr-web": make.rollout("scr-web", direction="back")}
        (action,) = acts(active(make.deployment(steps=steps), Execution.ENDED))
        assert isinstance(action, Complete)
        assert action.phase is Phase.ERRORED

    def test_an_execution_aborted_in_the_console_holds_the_environment(self) -> None:
        steps = make.passed(upto="migration")
        (action,) = acts(active(make.deployment(steps=steps), Execution.ABORTED))
        assert isinstance(action, Complete)
        assert action.phase is Phase.ABORTED
        assert action.hold
        assert "Step Functions" in action.message

    def test_one_that_died_while_a_person_wanted_it_stopped_is_not_tried_again(self) -> None:
        abort = AbortRequest(reason="wrong release", who="ada", at=make.AT)
        deployment = make.deployment(steps=make.passed(upto="migration"), abort=abort)
        (action,) = acts(active(deployment, Execution.ENDED))
        assert isinstance(action, Complete)
        assert action.phase is Phase.ABORTED
        assert action.hold == "ada aborted abc1234: wrong release"

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(0, [RequeueAfter(35)]), (34.5, [RequeueAfter(1)]), (35, [DropClaim()])]
    )
    def test_its_claim_is_released_when_nothing_of_it_can_still_be_at_work(
        self, seconds: float, expected: list[Action]
    ) -> None:
        view = active(make.deployment(phase=Phase.ERRORED), Execution.ENDED, execution_ended_at=NOW)
        assert acts(view, NOW + timedelta(seconds=seconds)) == expected

    def test_the_release_waits_also_when_the_execution_has_left_the_history(self) -> None:
        view = active(make.deployment(phase=Phase.ERRORED, ended_at=NOW), Execution.MISSING)
        assert acts(view) == [RequeueAfter(35)]


class TestOnlyTheFinishWasLost:
    """The steps say it all, so the release is judged by them and not tried again for nothing."""

    WEB = "scr-web"
    FAILED = make.rollout(WEB, "Failed", reason="BreakerRolledBack", message="it crashed")

    def steps(self, **more: Any) -> dict[str, Any]:
        forward = make.passed(upto=steps.rollout("scr-api", "forward"))
        return {**forward, steps.rollout(self.WEB, "forward"): self.FAILED, **more}

    def back(self, status: str = "Succeeded") -> dict[str, Any]:
        return {steps.rollout(name, "back"): make.rollout(name, status, direction="back") for name in make.SERVICES}

    @pytest.mark.parametrize(
        ("back", "phase", "holds"),
        [("Succeeded", Phase.ROLLED_BACK, False), ("Failed", Phase.FAILED, True), ("Running", Phase.ERRORED, False)],
    )
    def test_judged_by_its_steps(self, back: str, phase: Phase, holds: bool) -> None:
        found = make.deployment(steps=self.steps(**self.back(back)))
        (action,) = acts(active(found, Execution.ENDED))
        assert isinstance(action, Complete)
        assert (action.phase, action.hold is not None) == (phase, holds)

    def test_a_failed_migration_touched_nothing(self) -> None:
        failed = make.step("Failed", "NonZeroExit", "alembic exited with 1")
        found = make.deployment(steps={**make.passed(upto=steps.ADMIT), steps.MIGRATION: failed})
        (action,) = acts(active(found, Execution.ENDED))
        assert isinstance(action, Complete)
        assert (action.phase, action.reason) == (Phase.FAILED, "NonZeroExit")


class TestIdle:
    """Rules 3, 5 and 6."""

    def test_nothing_is_newer(self) -> None:
        assert acts(idle(1)) == []

    def test_a_newer_release_starts(self) -> None:
        assert acts(idle(1, 2)) == [start("r2")]

    def test_the_first_release_of_an_empty_environment_starts(self) -> None:
        assert acts(idle(1, current=None)) == [start("r1")]

    def test_an_unknown_version_that_runs_is_older_than_any_push(self) -> None:
        assert acts(idle(2, current=1)) == [start("r2")]

    def test_only_the_newest_starts_and_those_between_are_superseded(self) -> None:
        assert acts(idle(1, 2, 3, 4)) == [start("r4", supersede=("r2", "r3"))]

    @pytest.mark.parametrize(
        "status", [ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE, ReleaseStatus.BASELINE], ids=str
    )
    def test_only_ready_releases_count(self, status: ReleaseStatus) -> None:
        assert acts(idle(releases=(release(1), release(2, status)))) == []

    def test_an_older_release_never_replaces_a_newer_one_but_is_recorded(self) -> None:
        late = release(1, ready_at=NOW)
        assert acts(idle(releases=(late, release(2)), current=2)) == [Supersede(("r1",), by="r2")]

    def test_what_has_a_record_is_not_superseded_again(self) -> None:
        record = make.deployment(version="r2", phase=Phase.SUPERSEDED)
        assert acts(idle(1, 2, 3, deployments=(record,))) == [start("r3")]

    def test_beyond_the_history_that_was_read_everything_was_decided(self) -> None:
        record = make.deployment(version="r4", phase=Phase.FAILED, created_at=make.AT + timedelta(minutes=4))
        view = idle(1, 2, 3, 5, 6, deployments=(record,), complete_history=False)
        assert acts(view) == [start("r6", supersede=("r5",))]

    def test_a_sequence_number_orders_before_time(self) -> None:
        older, newer = release(5, seq=10), release(2, seq=11)
        assert acts(idle(releases=(older, newer), current=5)) == [start("r2")]

    @pytest.mark.parametrize(
        "phase", [Phase.FAILED, Phase.ROLLED_BACK, Phase.REJECTED, Phase.EXPIRED, Phase.ABORTED, Phase.ERRORED], ids=str
    )
    def test_a_settled_version_does_not_start_by_itself(self, phase: Phase) -> None:
        assert acts(idle(1, 2, settled={"r2": settled(phase)})) == []

    def test_nor_does_an_older_one_in_its_place(self) -> None:
        passed_over = Supersede(("r2",), "r3")
        assert acts(idle(1, 2, 3, settled={"r3": settled(Phase.FAILED)})) == [passed_over]

    def test_an_older_one_waits_while_a_newer_one_is_tried_again(self) -> None:
        errored = settled(Phase.ERRORED, retry_in=300)
        assert not any(isinstance(act, Supersede) for act in acts(idle(1, 2, 3, settled={"r3": errored})))

    def test_nothing_starts_while_moving_tags_are_repaired(self) -> None:
        busy = NOW + timedelta(seconds=1)
        assert acts(idle(1, 2, tagging_until=busy)) == [RequeueAfter(5)]
        assert acts(idle(1, 2, tagging_until=NOW)) == [start("r2")]

    def test_a_newer_one_does(self) -> None:
        assert acts(idle(1, 2, 3, settled={"r2": settled(Phase.FAILED)})) == [start("r3")]

    @pytest.mark.parametrize(("retry_in", "kind"), [(0.5, RequeueAfter(1)), (60, RequeueAfter(60)), (0, None)])
    def test_an_errored_one_is_tried_again_when_its_time_has_come(
        self, retry_in: float, kind: RequeueAfter | None
    ) -> None:
        (action,) = acts(idle(1, 2, settled={"r2": settled(Phase.ERRORED, retry_in, attempts=2)}))
        if kind is not None:
            assert action == kind
        else:
            assert isinstance(action, Start)
            assert (action.kind, action.attempts, action.initiated_by.automated) == ("retry", 3, True)

    def test_a_hold_keeps_automation_off(self) -> None:
        assert acts(idle(1, 2, hold=HOLD)) == []

    def test_a_release_that_ran_here_and_was_left_stays_left(self) -> None:
        proof = Verified(deployment="D", digests={}, at=make.AT)
        left = release(2, verified={"staging": proof})
        assert acts(idle(releases=(release(1), left))) == []

    @pytest.mark.parametrize("triggers", [["manual"], ["tag"]])
    def test_without_the_push_trigger_nothing_starts_by_itself(self, triggers: list[str]) -> None:
        environment = document(triggers=triggers).environment("staging")
        assert acts(idle(1, 2, 3, environment=environment)) == []

    def test_what_was_complete_before_the_adoption_is_not_deployed(self) -> None:
        assert acts(idle(1, 2, 3, adopted_at=make.AT + timedelta(minutes=3))) == []
        after = make.AT + timedelta(minutes=2)
        assert acts(idle(1, 2, 3, adopted_at=after)) == [start("r3")]


class TestRequest:
    """A person's wish."""

    @pytest.mark.parametrize(
        "against",
        [
            {"hold": HOLD},
            {"settled": {"r2": settled(Phase.FAILED, attempts=1)}},
            {"environment": document(triggers=["manual"]).environment("staging")},
            {},
        ],
        ids=["held", "settled", "manual", "free"],
    )
    def test_goes_through_hold_and_settled(self, against: dict[str, Any]) -> None:
        (action,) = acts(idle(1, 2, requested=request("r2"), **against))
        assert isinstance(action, Start)
        assert (action.version, action.kind, action.initiated_by, action.requested) == (
            "r2",
            "retry",
            Actor(who="ada"),
            True,
        )
        assert action.attempts == (2 if "settled" in against else 1)

    def test_does_not_go_through_a_hold_that_came_later(self) -> None:
        later = HOLD.but(at=make.AT + timedelta(minutes=1))
        assert acts(idle(1, 2, requested=request("r2"), hold=later)) == []
        (action,) = acts(idle(1, 2, requested=request("r2")))
        assert isinstance(action, Start)

    def test_may_go_back_and_supersedes_nothing_newer(self) -> None:
        (action,) = acts(idle(1, 2, 3, current=2, requested=request("r1", "rollback")))
        assert isinstance(action, Start)
        assert (action.version, action.supersede) == ("r1", ())

    @pytest.mark.parametrize(
        ("version", "kind", "current"),
        [
            pytest.param("r1", "redeploy", 2, id="redeploy-of-what-ran-before"),
            pytest.param("r2", "redeploy", 1, id="redeploy-after-a-way-back"),
            pytest.param("r1", "retry", 2, id="retry-overtaken"),
            pytest.param("r2", "retry", 2, id="retry-of-what-runs"),
            pytest.param("r1", "deploy", 2, id="deploy-overtaken-only-a-rollback-goes-back"),
            pytest.param("r2", "deploy", 2, id="deploy-of-what-runs"),
            pytest.param("r1", "migrate", 2, id="database-command-of-what-ran-before"),
        ],
    )
    def test_is_dropped_when_what_happened_since_made_it_pointless(self, version: str, kind: str, current: int) -> None:
        (action,) = acts(idle(1, 2, current=current, requested=request(version, kind)))
        assert isinstance(action, Dismiss)
        assert f"r{current} is running now" in action.why

    def test_of_what_runs_is_redeployed(self) -> None:
        (action,) = acts(idle(1, 2, current=2, requested=request("r2", "redeploy")))
        assert isinstance(action, Start)
        assert (action.version, action.kind) == ("r2", "redeploy")

    @pytest.mark.parametrize(
        ("version", "changes", "kind"),
        [
            ("r1", {}, "redeploy"),
            ("r2", {"environment": document(triggers=["manual"]).environment("staging")}, "retry"),
            ("r2", {"numbers": (1, 2, 3), "also": {"r3": Phase.FAILED}}, "retry"),
        ],
        ids=["redeploy", "no-push-trigger", "a-newer-one-failed"],
    )
    @pytest.mark.parametrize("retry_in", [0, 60])
    def test_that_errored_is_tried_again_by_itself(
        self, version: str, changes: dict[str, Any], kind: str, retry_in: int
    ) -> None:
        ended = make.deployment(version=version, phase=Phase.ERRORED)
        known = {version: settled(Phase.ERRORED, retry_in)}
        known |= {name: settled(phase) for name, phase in changes.get("also", {}).items()}
        others = {name: value for name, value in changes.items() if name not in ("numbers", "also")}
        view = idle(*changes.get("numbers", (1, 2)[: int(version[1:])]), deployments=(ended,), settled=known, **others)
        (action,) = acts(view)
        if retry_in:
            assert action == RequeueAfter(60)
        else:
            assert isinstance(action, Start)
            assert (action.version, action.kind, action.attempts) == (version, kind, 2)
        assert acts(changed(view, hold=HOLD)) == []

    def test_may_name_a_baseline(self) -> None:
        baseline = release(0, ReleaseStatus.BASELINE)
        (action,) = acts(idle(releases=(baseline, release(1)), requested=request("r0", "rollback")))
        assert isinstance(action, Start)
        assert action.version == "r0"

    @pytest.mark.parametrize("version", ["r7", "unknown"])
    def test_waits_for_a_release_that_is_not_ready(self, version: str) -> None:
        assembling = release(7, ReleaseStatus.ASSEMBLING)
        assert acts(idle(releases=(release(1), assembling), requested=request(version))) == []

    def test_never_disturbs_what_runs(self) -> None:
        assert acts(active(requested=request("r2"), releases=(release(2),))) == []


class TestBaseChange:
    """`onBaseChange`."""

    DEPLOY = document(onBaseChange="deploy").environment("staging")

    def test_is_reported(self) -> None:
        assert acts(drifted()) == []
        assert condition(drifted(), "Drifted") == ("True", "BaseChanged")

    def test_is_deployed_where_the_document_says_so(self) -> None:
        (action,) = acts(drifted(environment=self.DEPLOY))
        assert isinstance(action, Start)
        assert (action.version, action.kind) == ("r1", "redeploy")

    def test_is_tried_once_on_a_service_that_is_left_alone(self) -> None:
        """Else a service that is scaled to zero would be redeployed for ever: its base never changes."""
        tried = make.deployment(version="r1", plan=make.plan(services={"scr-api": make.planned("scr-api")}))
        ended = tried.but(phase=Phase.SUCCEEDED)
        base = make.planned("scr-api").base_task_definition
        changes: dict[str, Any] = {
            "environment": self.DEPLOY,
            "deployments": (ended,),
            "last_succeeded": Target(version="r1", deployment="D0", bases={"scr-api": make.definition("scr-api", 9)}),
        }
        assert acts(drifted(base, **changes)) == []
        (action,) = acts(drifted(make.definition("scr-api", 10), **changes))
        assert isinstance(action, Start)

    @pytest.mark.parametrize(
        "changes",
        [{"hold": HOLD}, {"settled": {"r1": settled(Phase.ROLLED_BACK)}}, {"base": "scr-api:1"}, {"drift": None}],
        ids=["held", "tried-and-failed", "same-base", "nobody-looked"],
    )
    def test_is_not_deployed_otherwise(self, changes: dict[str, Any]) -> None:
        assert acts(drifted(environment=self.DEPLOY, **changes)) == []


class TestMovingTags:
    """Rule 9."""

    WRONG = (TagSetting("api", "staging-latest", "sha256:1"),)

    def repairs(self, view: Snapshot) -> list[Action]:
        return [action for action in decide(view, NOW) if isinstance(action, RepairTags)]

    def test_are_repaired_once_after_each_attempt(self) -> None:
        ended = make.deployment(phase=Phase.ROLLED_BACK)
        view = idle(1, deployments=(ended,), wrong_tags=self.WRONG)
        assert self.repairs(view) == [RepairTags(self.WRONG, ended.id)]
        assert self.repairs(changed(view, wrong_tags=(), tagged=ended.id)) == []

    def test_a_sweep_that_finds_one_wrong_repairs_it(self) -> None:
        ended = make.deployment(phase=Phase.SUCCEEDED)
        view = idle(1, deployments=(ended,), tagged=ended.id, wrong_tags=self.WRONG, swept=True)
        assert self.repairs(view) == [RepairTags(self.WRONG, ended.id)]

    def test_skipped_releases_are_no_attempt(self) -> None:
        skipped = make.deployment(phase=Phase.SUPERSEDED)
        assert self.repairs(idle(1, deployments=(skipped,))) == []

    def test_are_left_alone_while_something_is_on_its_way(self) -> None:
        assert self.repairs(active(wrong_tags=self.WRONG)) == []


# ── properties ──


@st.composite
def views(draw: st.DrawFn) -> Snapshot:
    numbers = draw(st.lists(st.integers(1, 6), unique=True, max_size=6))
    releases = tuple(
        release(number, draw(st.sampled_from(list(ReleaseStatus))), seq=draw(st.none() | st.integers(0, 3)))
        for number in numbers
    )
    versions = [item.version for item in releases]
    phases = [Phase.FAILED, Phase.ABORTED, Phase.ERRORED, Phase.ROLLED_BACK]
    state_of = {
        version: settled(draw(st.sampled_from(phases)), draw(st.none() | st.integers(-60, 60)))
        for version in draw(st.lists(st.sampled_from(versions), unique=True) if versions else st.just([]))
    }
    view = idle(
        releases=releases,
        current=draw(st.none() | st.integers(1, 6)),
        settled=state_of,
        hold=draw(st.none() | st.just(HOLD)),
        requested=draw(st.none() | st.builds(request, st.sampled_from(["r1", "r3", "r9"]))),
        swept=draw(st.booleans()),
    )
    if draw(st.booleans()):
        phase = draw(st.sampled_from(list(Phase)))
        deployment = make.deployment(phase=phase, steps=draw(st.sampled_from([{}, make.passed()])))
        claim = make.state().active
        return changed(
            view,
            active=claim,
            deployment=deployment,
            execution=draw(st.sampled_from(list(Execution))),
            execution_ended_at=draw(st.none() | st.just(NOW)),
        )
    return view


@given(views())
def test_nothing_starts_beside_an_active_deployment_and_never_two_at_once(view: Snapshot) -> None:
    starts = [action for action in decide(view, NOW) if isinstance(action, Start)]
    assert len(starts) <= 1
    if view.state.active:
        assert starts == []


@given(views())
def test_automation_respects_hold_and_order_and_settled(view: Snapshot) -> None:
    for action in decide(view, NOW):
        if isinstance(action, Start) and not action.requested:
            chosen = view.release(action.version)
            assert chosen is not None
            assert view.state.hold is None
            assert chosen.status is ReleaseStatus.READY
            assert view.current is None or chosen.order > view.current.order
            known = view.state.settled.get(action.version)
            assert known is None or (known.retry_at is not None and known.retry_at <= NOW)


@given(views())
def test_deciding_again_on_the_result_gives_nothing_new(view: Snapshot) -> None:
    once = applied(view, decide(view, NOW))
    again = decide(once, NOW)
    for _ in range(5):
        once = applied(once, again)
        again = decide(once, NOW)
    assert [action for action in again if not isinstance(action, RequeueAfter)] == []
