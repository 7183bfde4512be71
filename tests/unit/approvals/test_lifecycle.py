"""Ends without a decision, reminders, and telling the waiting step: each once, and repeatable."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.approvals import lifecycle
from ferryman.clients.ssm import References
from ferryman.controller import reconcile
from ferryman.controller.events import Wakeup
from ferryman.controller.shared_reads import SharedReads
from ferryman.errors import ClaimLost, Conflict, Throttled
from ferryman.records import AbortRequest
from unit import builders as make
from unit.approving import ADA, NEWER, PARAMETERS, TOKEN, World
from unit.fakes.ecs import refusal
from unit.fakes.events import FakeEvents
from unit.fakes.secrets import FakeParameters
from unit.fakes.states import MACHINE, MIGRATE_MACHINE, FakeStates
from unit.operating import Looks, Nudges, Outbox


@pytest.fixture
def world() -> World:
    return World().asked()


class TestEnd:
    @pytest.mark.parametrize("status", ["Expired", "Superseded", "Aborted"])
    def test_of_both_records_at_once(self, world: World, status: str) -> None:
        before = world.table.writes
        world.end(status)

        assert world.table.writes == before + 1
        assert (world.approval.status, world.approval.reason) == (status, "why it ended")
        assert world.step() == ("Aborted", status)
        assert world.timeline()[-1] == ("ApprovalEnded", "ferryman")
        assert world.approval.answered_at is None

    def test_superseded_names_what_goes_instead(self, world: World) -> None:
        world.end()
        assert world.approval.superseded_by == world.deployment.superseded_by == NEWER

    def test_on_an_older_look_is_refused(self, world: World) -> None:
        seen = world.view
        world.end("Expired", seen)
        with pytest.raises(Conflict):
            world.end("Superseded", seen)
        assert world.approval.status == "Expired"

    def test_without_the_claim_is_refused(self, world: World) -> None:
        seen = world.view
        world.edit_state(active=None)
        with pytest.raises(ClaimLost):
            world.end("Expired", seen)
        assert world.approval.status == "Pending"

    def test_also_with_a_document_that_can_not_be_read(self, world: World) -> None:
        seen = world.view
        world.put(world.store.platform("scr").but(document={"spec": "broken"}))
        world.end("Expired", seen)
        assert world.approval.status == "Expired"


class TestRemind:
    def remind(self, world: World, view: Any = None) -> None:
        lifecycle.remind(view or world.view, store=world.store, clock=world.clock, new_id=world.new_id)

    def test_once(self, world: World) -> None:
        seen = world.view
        self.remind(world, seen)
        with pytest.raises(Conflict):
            self.remind(world, seen)
        assert world.approval.reminded_at == world.clock.at
        assert [kind for kind, _ in world.timeline()].count("ApprovalReminded") == 1
        assert ("reminder", f"approver/{ADA}") in world.queued()

    def test_nobody_is_reminded_of_what_was_decided_meanwhile(self, world: World) -> None:
        world.table.meanwhile = [lambda: world.decide() and None]
        with pytest.raises(Conflict):
            self.remind(world)
        assert "reminder" not in dict(world.queued())


class TestTell:
    def test_answers_with_what_stands_in_the_table(self, world: World) -> None:
        world.end("Expired")
        world.tell()
        assert json.loads(world.answers()[TOKEN]) == {"verdict": "Expired", "reason": "why it ended"}
        assert world.approval.answered_at == world.clock.at

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_an_answer_that_comes_too_late_counts_as_given(self, world: World, code: str) -> None:
        world.decide()
        world.states.fail = [refusal("SendTaskSuccess", code)]
        world.tell()
        assert world.approval.answered_at is not None

    def test_what_could_not_be_sent_is_not_marked(self, world: World) -> None:
        world.decide()
        for code, error in (("ThrottlingException", Throttled), ("AccessDeniedException", ClientError)):
            world.states.fail = [refusal("SendTaskSuccess", code)]
            with pytest.raises(error):
                world.tell()
        assert world.approval.answered_at is None
        world.tell()
        assert list(world.answers()) == [TOKEN]

    def test_a_crash_before_the_mark_answers_once_more(self, world: World) -> None:
        def crash() -> None:
            raise RuntimeError("out of memory")

        world.decide()
        world.table.meanwhile = [crash]
        with pytest.raises(RuntimeError):
            world.tell()
        assert world.approval.answered_at is None
        world.tell()
        assert world.approval.answered_at is not None
        assert len(world.answers()) == 1

    def test_two_at_once(self, world: World) -> None:
        world.decide()
        world.table.meanwhile = [world.tell]
        with pytest.raises(Conflict):
            world.tell()
        assert world.approval.answered_at is not None

    def test_no_token_stands_anywhere_else(self, world: World) -> None:
        world.decide(verdict="reject", reason="no")
        world.tell()
        assert TOKEN not in world.everything()
        assert TOKEN not in str(world.answers()[TOKEN])


class TestThroughReconcile:
    """The whole way from a record to the waiting step, woken by a nudge."""

    @pytest.fixture
    def nudges(self) -> Nudges:
        return Nudges()

    def wake(self, world: World, nudges: Nudges) -> None:
        executions = FakeStates()
        arn = f"{MACHINE.replace('stateMachine', 'execution')}:scr-production"
        executions.executions[arn] = {"status": "RUNNING", "input": "{}"}
        executions.send_task_success = world.states.send_task_success  # type: ignore[attr-defined]
        active = world.state.active
        assert active is not None
        world.edit_state(active=active.but(execution_arn=arn))
        report = reconcile.reconcile(
            Wakeup.model_validate(
                {"Records": [{"messageId": "1", "body": '{"platform": "scr", "environment": "production"}'}]}
            ),
            store=world.store,
            states=executions,
            ecr=None,
            ecs=None,
            references=References(FakeParameters(PARAMETERS, strict=True)),
            client=FakeEvents(world.clock),
            nudge=nudges,
            looks=Looks(),
            shared=SharedReads(None, None, None),  # type: ignore[arg-type]
            outbox=Outbox(),
            machine=MACHINE,
            migrate_machine=MIGRATE_MACHINE,
            mutation_timeout_seconds=35,
            clock=world.clock,
            new_id=world.new_id,
            count=lambda _: None,
            gauge=lambda *_, **__: None,
        )
        assert not report.failures

    def test_a_pending_one_is_left_alone(self, world: World, nudges: Nudges) -> None:
        self.wake(world, nudges)
        assert (world.approval.status, world.answers()) == ("Pending", {})

    def test_a_decision_reaches_the_machine_once(self, world: World, nudges: Nudges) -> None:
        world.decide()
        for _ in range(2):
            self.wake(world, nudges)
        assert {token: json.loads(said)["verdict"] for token, said in world.answers().items()} == {TOKEN: "Approved"}

    @pytest.mark.parametrize(
        ("status", "act"),
        [
            pytest.param("Expired", lambda world: world.clock.forward(hours=24), id="expired"),
            pytest.param(
                "Aborted",
                lambda world: world.edit(abort=AbortRequest(reason="no", who="arn:jo", at=make.AT)),
                id="aborted",
            ),
        ],
    )
    def test_an_end_is_recorded_and_told_in_one_go(
        self, world: World, nudges: Nudges, status: str, act: Any
    ) -> None:  # fmt: skip
        act(world)
        self.wake(world, nudges)
        assert (world.approval.status, world.step()) == (status, ("Aborted", status))
        assert json.loads(world.answers()[TOKEN])["verdict"] == status

    def test_reminds_once(self, world: World, nudges: Nudges) -> None:
        world.clock.forward(hours=20)
        for _ in range(2):
            self.wake(world, nudges)
        assert [kind for kind, _ in world.timeline()].count("ApprovalReminded") == 1
        assert world.approval.status == "Pending"
