"""What an outcome leaves behind: after a way back, after a database command, and what the next way back goes to."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import DeploymentRef
from ferryman.decisions import after_outcome
from ferryman.decisions.after_outcome import good_before
from ferryman.decisions.outcome import Judgement, judge
from ferryman.records import (
    Actor,
    AppliedPlatform,
    Deployment,
    EnvironmentState,
    Hold,
    MigrationProgress,
    Phase,
    PlannedMigration,
    Release,
    Request,
    Running,
    Settled,
    Target,
    limits,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.steps import record_outcome
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds

A, B, C, D, E = ("aaa1234", "bbb1234", "ccc1234", "ddd1234", "eee1234")
OK = Judgement(Phase.SUCCEEDED, "Verified", "runs.", settle=False)
HOLD = Hold(reason=f"rolled back to {B}: slow", who="jo", at=make.AT)


def releases() -> list[Release]:
    """A to E, oldest first."""
    return [
        make.release(version, first_seen_at=make.AT + timedelta(hours=hour), rev=0)
        for hour, version in enumerate((A, B, C, D, E))
    ]


def history(*ran: str | tuple[str, str], before: str | None = None) -> list[Deployment]:
    """Deployments that succeeded one after the other (or, as a pair, with that phase or kind); newest first."""
    made: list[Deployment] = []
    for number, item in enumerate(ran):
        version, how = item if isinstance(item, tuple) else (item, "Succeeded")
        phase = Phase.SUCCEEDED if how == "migrate" else Phase(how)
        kind: Any = "migrate" if how == "migrate" else "deploy"
        changes = {"version": version, "phase": phase, "kind": kind, "from_version": before}
        made.append(make.deployment(id=f"01K0000000000000000000H{number:03d}", **changes))
        before = version if phase is Phase.SUCCEEDED else before
    return made[::-1]


@pytest.mark.parametrize(
    ("version", "bad", "ran", "expected"),
    [
        pytest.param(C, {D}, history(A, B, C, D), B, id="the-one-before"),
        pytest.param(B, {C}, history(A, B, C, (D, "RolledBack")), A, id="what-failed-does-not-count"),
        pytest.param(B, {C, D}, history(A, B, C, B, D), A, id="one-that-was-left-before-is-not-good"),
        pytest.param(B, {D}, history(A, B, C, B, D), A, id="never-newer-than-what-runs"),
        pytest.param(C, {D}, history(A, B, C, D, C, D), B, id="back-and-forth"),
        pytest.param(A, {B}, history(A, B), None, id="the-first-one"),
        pytest.param(B, {C}, history(B, C, before=A), A, id="what-ran-before-us"),
        pytest.param(B, {C}, history(B, C), None, id="nothing-known-before"),
        pytest.param(C, {D}, history(A, (B, "migrate"), C, D), A, id="a-database-command-is-no-deployment"),
        pytest.param(C, {D}, history(A, "0000000", C, D), A, id="of-a-release-that-is-gone"),
        pytest.param("0000000", {D}, history(A, C, D), None, id="to-a-release-that-is-gone"),
        pytest.param(C, {D}, [], None, id="history-is-gone"),
    ],
)
def test_the_good_release_before(version: str, bad: set[str], ran: list[Deployment], expected: str | None) -> None:
    found = good_before(version, bad, ran, releases())

    assert (found and found.version) == expected


def back(**changes: Any) -> Deployment:
    return make.deployment(kind="rollback", version=B, from_version=C, **changes)


def running(version: str | None = C, **changes: Any) -> EnvironmentState:
    current = Running(version=version, deployment="01K0000000000000000000PREV", digests={}, at=make.AT)
    good = Target(version=version, deployment="01K0000000000000000000PREV")
    before = Target(version=B, deployment="01K0000000000000000000PREB")
    return make.state(current=current, last_succeeded=good, previous=before, hold=HOLD).but(**changes)


def settled_of(state: EnvironmentState) -> dict[str, tuple[str, str]]:
    return {version: (str(item.phase), item.reason) for version, item in state.settled.items()}


def after(deployment: Deployment, state: EnvironmentState, judgement: Judgement = OK) -> EnvironmentState:
    ran = history(A, B, C)
    return after_outcome.apply(judgement, deployment, state, make.AT, history=ran, releases=releases())[1]


class TestHold:
    BAD = Judgement(Phase.FAILED, "RollbackFailed", "no.", hold="scr-api could not go back")

    def test_one_that_would_end_by_itself_gives_way(self) -> None:
        """What a failure leaves behind must not start again only because a load test is over."""
        standing = HOLD.but(until=make.AT + timedelta(hours=1))

        found = after(make.deployment(version=D), running(hold=standing), self.BAD).hold

        assert found is not None
        assert (found.who, found.at, found.until) == ("ferryman", make.AT, None)
        assert found.reason == f"scr-api could not go back (previously put on hold by {HOLD.who}: {HOLD.reason})"

    def test_one_without_an_end_stays(self) -> None:
        assert after(make.deployment(version=D), running(), self.BAD).hold == HOLD

    def test_one_that_ends_stays_when_nothing_needs_another(self) -> None:
        standing = HOLD.but(until=make.AT + timedelta(hours=1))

        assert after(back(), running(hold=standing)).hold == standing


class TestRollback:
    def test_what_was_found_bad_is_not_what_the_next_rollback_goes_to(self) -> None:
        """B succeeded, and went back when it was deployed again; D is left for C: before C there is A, not B."""
        left = Settled(phase=Phase.ROLLED_BACK, reason="LeftByRollback", at=make.AT)
        state = running(D, settled={B: left})
        deployment = make.deployment(kind="rollback", version=C, from_version=D)
        ran = history(A, B, (B, "RolledBack"), C, D)
        _, found = after_outcome.apply(OK, deployment, state, make.AT, history=ran, releases=releases())
        assert found.previous is not None
        assert found.previous.version == A

    def test_leaves_the_release_it_came_from(self) -> None:
        state = after(back(), running())

        assert state.current is not None
        assert (state.current.version, state.last_succeeded and state.last_succeeded.version) == (B, B)
        assert state.previous is not None
        assert state.previous.version == A
        assert settled_of(state) == {C: ("RolledBack", "LeftByRollback")}
        assert state.hold == HOLD

    def test_makes_its_release_good_again(self) -> None:
        bad = Settled(phase=Phase.ROLLED_BACK, reason="LeftByRollback", at=make.AT)

        assert settled_of(after(back(), running(settled={B: bad}))) == {C: ("RolledBack", "LeftByRollback")}

    def test_of_what_ran_already_leaves_nothing(self) -> None:
        """An abort had brought it back before."""
        state = after(back(), running(B, previous=Target(version=A, deployment="x")))

        assert settled_of(state) == {}
        assert state.previous is not None
        assert state.previous.version == A

    def test_never_names_what_runs_as_the_one_before(self) -> None:
        assert after(back(), running(B)).previous is None

    def test_from_images_of_no_release(self) -> None:
        state = after(back(), running(None))

        assert (settled_of(state), state.previous) == ({}, None)

    @pytest.mark.parametrize(
        ("phase", "settled"),
        [
            pytest.param(Phase.ROLLED_BACK, {B: ("RolledBack", "X")}, id="failed"),
            pytest.param(Phase.ERRORED, {}, id="errored-is-not-tried-again-by-itself"),
        ],
    )
    def test_that_did_not_succeed(self, phase: Phase, settled: dict[str, Any]) -> None:
        before = running()
        state = after(back(), before, Judgement(phase, "X", "no."))

        assert (state.current, state.previous, state.hold) == (before.current, before.previous, HOLD)
        assert settled_of(state) == settled


class TestDeploy:
    def test_remembers_what_ran_before(self) -> None:
        state = after(make.deployment(version=D), running())

        assert state.previous is not None
        assert state.previous.version == C

    def test_again_remembers_what_it_remembered(self) -> None:
        state = after(make.deployment(version=C, kind="redeploy"), running())

        assert state.previous is not None
        assert state.previous.version == B


class TestMigrate:
    def command(self, **changes: Any) -> Deployment:
        ran = make.step(
            reason="Completed",
            message="`alembic current` said 002.",
            logs=["002 (head)"],
            migration=MigrationProgress(exit_code=0),
        )
        task = PlannedMigration(
            component="api",
            container="api",
            digest=make.digest("a"),
            image="x",
            base_task_definition="td",
            command=["alembic", "current"],
            timeout_seconds=600,
            subnets=[],
            security_groups=[],
        )
        plan = make.plan(waves=[], services={}, migration=task)
        done = {step_keys.BEGIN: make.step(), step_keys.ADMIT: make.step(), step_keys.MIGRATION: ran}
        return make.deployment(kind="migrate", command="current", version=C, plan=plan, steps=done, **changes)

    def test_changes_nothing_but_says_what_it_said(self) -> None:
        before = running()
        judged, state = after_outcome.apply(judge(self.command(), None), self.command(), before, make.AT)

        assert state == before
        assert (judged.phase, judged.reason, judged.message) == (
            Phase.SUCCEEDED,
            "Completed",
            "`alembic current` said 002.",
        )

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ERRORED, Phase.ABORTED])
    def test_settles_nothing(self, phase: Phase) -> None:
        before = running(hold=None)
        held = Judgement(phase, "X", "no.", hold="nobody knows")

        assert settled_of(after(self.command(), before, Judgement(phase, "X", "no."))) == {}
        assert after(self.command(), before, Judgement(phase, "X", "no.")) == before
        kept = after(self.command(), before, held).hold
        assert kept is not None
        assert kept.reason == "nobody knows"

    def test_is_recorded_like_a_deployment(
        self, store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds
    ) -> None:
        applied = AppliedPlatform(name="scr", generation=1, document=scr_document, applied_by="a", applied_at=make.AT)
        store.write(Save(applied), Save(self.command()), Save(running()), Save(make.release(C)))
        ref = DeploymentRef(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)

        for _ in range(2):
            record_outcome.record(ref, judge(self.command(), None), store=store, clock=clock, new_id=new_id)

        state, release = store.state("scr", "staging"), store.release("scr", C)
        assert (state.active, state.current, state.last_succeeded) == (
            None,
            running().current,
            running().last_succeeded,
        )
        assert release is not None
        assert release.verified == {}
        assert len(store.timeline(ref.deployment)) == 1
        [text] = {message.text for message in store.unsent()}
        assert "`alembic current` succeeded" in text
        assert "002 (head)" in text
        assert {message.subject for message in store.unsent()} == {"[Succeeded] scr/staging: migrate current succeeded"}


def test_a_rollback_is_recorded_with_its_history(
    store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds
) -> None:
    applied = AppliedPlatform(name="scr", generation=1, document=scr_document, applied_by="anna", applied_at=make.AT)
    ran = [Save(item.but(fence=1)) for item in history(A, B, C)]
    store.write(Save(applied), Save(back()), Save(running()), *ran, *map(Save, releases()))
    ref = DeploymentRef(platform="scr", environment="staging", deployment=back().id, fence=make.FENCE)

    record_outcome.record(ref, judge(back(), None), store=store, clock=clock, new_id=new_id)

    state = store.state("scr", "staging")
    assert state.previous is not None
    assert state.previous.version == A
    assert settled_of(state) == {C: ("RolledBack", "LeftByRollback")}


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ERRORED])
def test_what_is_settled_keeps_its_tag_and_who_wanted_it(phase: Phase) -> None:
    ada = Actor(who="ada")
    tried = make.deployment(version=C, tag="v3.0.0", requested_by=ada)
    settled = after(tried, running(B), Judgement(phase, "Because", "It did.")).settled[C]
    assert (settled.tag, settled.requested_by) == ("v3.0.0", ada)


def test_what_a_rollback_left_keeps_its_tag() -> None:
    left = make.deployment(id="01K0000000000000000000PREV", version=C, tag="v3.0.0", phase=Phase.SUCCEEDED)
    state = after_outcome.apply(OK, back(), running(), make.AT, history=iter([left]), releases=releases())[1]
    assert state.settled[C].tag == "v3.0.0"


def test_what_is_settled_is_as_much_as_the_state_has_room_for() -> None:
    long = Actor(who="arn:aws:sts::123456789012:assumed-role/" + "x" * 600)
    settled = {
        f"{number:07x}": Settled(
            phase=Phase.FAILED, reason="x", at=make.AT + timedelta(minutes=number), requested_by=long
        )
        for number in range(150)
    }
    kept = after_outcome.newest(settled)
    assert 50 < len(kept) < 150
    assert list(kept) == list(settled)[-len(kept) :]
    assert sum(len(item.model_dump_json()) for item in kept.values()) <= limits.SETTLED


def test_the_good_state_before_keeps_its_release_only() -> None:
    """ARNs of all services, twice, are more than one item holds; a way back reads those of the last good state."""
    good = Target(version=A, deployment="x", digests={"api": "d"}, task_definitions={"api": "td:1"}, bases={"api": "b"})
    state = after(make.deployment(version=B), running(B, last_succeeded=good))
    assert state.previous == Target(version=A, deployment="x", digests={"api": "d"})
    assert state.last_succeeded is not None
    assert state.last_succeeded.task_definitions != {}


def test_a_job_that_moved_is_where_the_next_one_starts_from() -> None:
    job, left = step_keys.job("report"), step_keys.job("left")
    plan = make.plan(jobs={job: make.planned_job("report"), left: make.planned_job("left")})
    steps = {
        step_keys.rollout(job, "forward"): make.rollout("report", reason="Moved"),
        step_keys.rollout(left, "forward"): make.rollout("left", "Skipped", reason="JobEnded"),
    }
    before = Target(version="0001234", deployment="D0", task_definitions={left: make.definition("left", 1)})
    target = after_outcome.target_of(make.deployment(plan=plan, steps=make.passed() | steps), before)
    assert target.task_definitions[job] == make.definition("report", 2)
    assert target.bases[job] == make.definition("report", 1)
    assert target.task_definitions[left] == make.definition("left", 1)


class TestVoid:
    """The approval no longer covers what would run: it is asked anew by itself, once."""

    STEPS = {
        step_keys.BEGIN: make.step(),
        step_keys.APPROVAL: make.step(),
        step_keys.ADMIT: make.step("Aborted", "ApprovalVoid", "the approval of abc1234 no longer holds: why"),
    }

    def void(self, **changes: Any) -> tuple[Judgement, EnvironmentState]:
        deployment = make.deployment(steps=self.STEPS, **changes)
        return after_outcome.apply(judge(deployment, None), deployment, make.state(), make.AT)

    def test_the_first_is_tried_again_at_once(self) -> None:
        judgement, state = self.void(requested_by=Actor(who="arn:jo"))
        assert (judgement.phase, judgement.reason, judgement.hold) == (Phase.ERRORED, "ApprovalVoid", None)
        settled = state.settled["abc1234"]
        assert (settled.retry_at, settled.requested_by) == (make.AT, Actor(who="arn:jo"))
        assert state.requested is None

    def test_the_second_in_a_row_is_left_to_people(self) -> None:
        judgement, state = self.void(renews="01K0000000000000000000PREV")
        assert (judgement.phase, judgement.reason) == (Phase.ABORTED, "ApprovalVoid")
        assert "ferryman retry staging" in judgement.message
        assert state.settled["abc1234"].retry_at is None

    def test_a_rollback_is_asked_for_anew_as_it_was(self) -> None:
        person = Actor(who="arn:jo")
        _, state = self.void(
            kind="rollback", initiated_by=person, why="slow", command="down", revisions={"orders": "0006"}
        )
        assert state.requested is not None
        assert (state.requested.kind, state.requested.who, state.requested.reason) == ("rollback", "arn:jo", "slow")
        assert (state.requested.command, state.requested.revisions) == ("down", {"orders": "0006"})
        assert state.settled == {}

    def test_a_newer_wish_stays(self) -> None:
        deployment = make.deployment(steps=self.STEPS, kind="rollback")
        wish = Request(version=E, kind="deploy", reason="", who="arn:kim", at=make.AT)
        state = after_outcome.apply(judge(deployment, None), deployment, make.state(requested=wish), make.AT)[1]
        assert state.requested == wish


class TestGoneBack:
    """A way back that registers a revision anew is what is recorded then, and no drift."""

    def after(self, recorded: str, planned: str, *, status: str = "Succeeded") -> Target:
        name = make.SERVICES[0]
        steps = {
            **make.passed(),
            step_keys.rollout(name, "back"): make.rollout(name, status, direction="back", revision=9),
        }
        plan = make.deployment().plan
        assert plan is not None
        service = plan.services[name].but(rollback_task_definition=planned)
        deployment = make.deployment(steps=steps, plan=plan.but(services={**plan.services, name: service}))
        good = Target(version=A, deployment=None, task_definitions={name: recorded})
        state = make.state(last_succeeded=good)
        _, after = after_outcome.apply(Judgement(Phase.ROLLED_BACK, "FailFast", "bad."), deployment, state, make.AT)
        assert after.last_succeeded is not None
        return after.last_succeeded

    def test_notes_the_revision(self) -> None:
        name = make.SERVICES[0]
        assert self.after("td:1", "td:1").task_definitions[name] == make.definition(name, 9)

    def test_notes_the_revision_of_a_job_that_was_left_astray(self) -> None:
        """It went back from what the deployment before had left, to the last good one: that is the recorded one."""
        name, good, left = step_keys.job("report"), make.definition("report", 1), make.definition("report", 5)
        job = make.planned_job("report", task_definition=left, rollback_task_definition=good, stray=True)
        back = make.rollout(name, direction="back", revision=9)
        deployment = make.deployment(plan=make.plan(jobs={name: job}), steps={step_keys.rollout(name, "back"): back})
        target = Target(version=A, deployment=None, task_definitions={name: good})
        state = make.state(last_succeeded=target, astray=True)
        _, after = after_outcome.apply(Judgement(Phase.ROLLED_BACK, "FailFast", "bad."), deployment, state, make.AT)
        assert after.last_succeeded is not None
        assert after.last_succeeded.task_definitions[name] == make.definition(name, 9)

    def test_leaves_what_was_changed_by_others(self) -> None:
        assert self.after("td:2", "td:1").task_definitions[make.SERVICES[0]] == "td:2"

    def test_leaves_what_did_not_come_back(self) -> None:
        assert self.after("td:1", "td:1", status="Failed").task_definitions[make.SERVICES[0]] == "td:1"


@pytest.mark.parametrize(
    ("steps", "phase", "before", "after"),
    [
        pytest.param([("api", "forward")], Phase.ERRORED, False, True, id="it-left-one"),
        pytest.param([("api", "forward"), ("api", "back")], Phase.ROLLED_BACK, False, False, id="its-own-went-back"),
        pytest.param([("api", "forward"), ("api", "back")], Phase.ROLLED_BACK, True, True, id="a-stray-did-not"),
        pytest.param(
            [(name, way) for name in make.SERVICES for way in ("forward", "back")],
            Phase.ROLLED_BACK, True, False, id="all-went-back",
        ),
        pytest.param([], Phase.FAILED, True, True, id="it-changed-nothing"),
        pytest.param([], Phase.FAILED, False, False, id="nothing-was-changed"),
        pytest.param([("api", "forward")], Phase.SUCCEEDED, True, False, id="success"),
    ],
)  # fmt: skip
def test_it_is_known_when_something_does_not_run_the_last_good_release(
    steps: list[tuple[str, str]], phase: Phase, before: bool, after: bool
) -> None:
    made = {step_keys.rollout(name, way): make.rollout(name, direction=way) for name, way in steps}
    services = {name: make.planned(name, stray=before) for name in make.SERVICES}
    ended = make.deployment(plan=make.plan(services=services), steps=made)
    state = EnvironmentState(platform="scr", environment="staging", astray=before)
    assert after_outcome.apply(Judgement(phase, "some", "it ended."), ended, state, make.AT)[1].astray is after


def test_a_stray_that_a_success_skipped_stays_one() -> None:
    name = make.SERVICES[-1]
    steps = {step_keys.rollout(name, "forward"): make.rollout(name, "Skipped")}
    ended = make.deployment(plan=make.plan(), steps=steps)
    state = EnvironmentState(platform="scr", environment="staging", astray=True)
    assert after_outcome.apply(OK, ended, state, make.AT)[1].astray
