"""request_approval: asked once, whatever is repeated; void where there is nothing to ask any more."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman.contracts import RequestApprovalInput
from ferryman.errors import ClaimLost, NotFound, NotItsTurn, VerificationFailed
from ferryman.records import AbortRequest, Actor, Phase, step_keys
from unit import builders as make
from unit.approving import (
    ADA,
    ADA_ARN,
    DIGESTS,
    FENCE,
    GRACE,
    GRACE_ARN,
    ID,
    PARAMETERS,
    TOKEN,
    VERSION,
    World,
    deployment,
    document,
    state,
)

ABORT = AbortRequest(reason="wrong branch", who="arn:jo", at=make.AT)
OTHER = "BBBBKgAAAAIAAAAA+other/token="


@pytest.fixture
def world() -> World:
    return World()


class TestFirst:
    def test_stores_who_may_decide_about_what(self, world: World) -> None:
        world.ask()

        asked = world.approval
        assert (asked.version, asked.tag, asked.digests, asked.fence) == (VERSION, "v1.0.0", DIGESTS, FENCE)
        assert (asked.status, asked.required, asked.token) == ("Pending", 1, TOKEN)
        assert [item.name for item in asked.approvers] == [ADA, GRACE, "Linus T."]
        assert asked.expires_at == world.clock.at + timedelta(hours=24)
        assert asked.remind_at == world.clock.at + timedelta(hours=20)

    def test_resolves_references(self, world: World) -> None:
        world.ask()

        ada = world.approval.approver(ADA)
        assert ada is not None
        assert (ada.email, ada.arn) == ("ada@scr-platform.example", ADA_ARN)

    def test_the_deployment_waits_visibly(self, world: World) -> None:
        world.ask()

        assert world.deployment.phase is Phase.AWAITING_APPROVAL
        assert world.step() == ("Running", "AwaitingApproval")
        assert world.timeline() == [("ApprovalRequested", "tag v1.0.0")]
        assert not world.answers()

    def test_personal_mails_go_to_those_with_an_address_the_rest_to_the_channels(self, world: World) -> None:
        world.ask()

        assert set(world.queued()) == {
            ("approval", f"approver/{ADA}"),
            ("approval", f"approver/{GRACE}"),
            ("approval", "team"),
        }

    def test_no_token_stands_anywhere_but_in_the_approval(self, world: World) -> None:
        world.ask()
        assert TOKEN not in world.everything()

    def test_without_a_reminder(self, world: World) -> None:
        assert world.asked({"reminder": None}).approval.remind_at is None

    def test_of_a_deployment_without_a_claim(self, world: World) -> None:
        with pytest.raises(ClaimLost):
            world.ask(fence=FENCE - 1)
        assert world.store.approval(ID) is None
        assert not world.queued()

    def test_of_a_deployment_that_ended(self, world: World) -> None:
        world.edit(phase=Phase.ERRORED)
        with pytest.raises(ClaimLost, match="Errored"):
            world.ask()

    def test_where_somebody_changed_a_value_that_a_gate_refers_to(self, world: World) -> None:
        world.put(world.store.platform("scr").but(references={"production": "another hash"}))
        with pytest.raises(VerificationFailed, match="has changed since the document was applied"):
            world.ask()
        assert world.store.approval(ID) is None
        assert not world.queued()

    def test_of_a_deployment_whose_plan_is_not_there_yet(self, world: World) -> None:
        """Nobody could say what they would approve."""
        world.edit(plan=None, steps={})
        with pytest.raises(NotItsTurn):
            world.ask()
        assert world.store.approval(ID) is None

    def test_of_a_deployment_that_needs_none(self, world: World) -> None:
        world.edit(plan=world.deployment.require_plan().but(approval=False))
        with pytest.raises(NotItsTurn):
            world.ask()
        assert world.deployment.phase is Phase.PENDING

    def test_of_a_deployment_that_runs(self, world: World) -> None:
        world.edit(phase=Phase.RUNNING)
        with pytest.raises(NotItsTurn, match="is Running"):
            world.ask()


class TestRequester:
    @pytest.mark.parametrize(
        ("policy", "mails"),
        [
            pytest.param({}, {GRACE}, id="may-not-approve-and-gets-no-link"),
            pytest.param({"requesterMayApprove": True}, {ADA, GRACE}, id="may-approve"),
        ],
    )
    def test_is_the_approver_with_that_arn(self, world: World, policy: Any, mails: set[str]) -> None:
        world.edit(initiated_by=Actor(who=ADA_ARN))
        world.asked(policy)

        assert (world.approval.requester, world.approval.requested_by.who) == (ADA, ADA_ARN)
        assert {channel for _, channel in world.queued()} == {"team", *(f"approver/{name}" for name in mails)}

    def test_nobody_for_what_automation_started_or_a_stranger(self, world: World) -> None:
        assert world.asked().approval.requester is None
        stranger = World()
        stranger.edit(initiated_by=Actor(who=f"{ADA_ARN}-2"))
        assert stranger.asked().approval.requester is None

    def test_an_automatic_retry_still_is_the_wish_of_whoever_asked_first(self, world: World) -> None:
        first = deployment(id="01J0000000000000000000AAA1", phase=Phase.ERRORED, initiated_by=Actor(who=ADA_ARN), rev=0)
        again = Actor(who="reconcile", automated=True)
        world.put(first, first.but(id="01J0000000000000000000AAA2", initiated_by=again))
        world.edit(initiated_by=again, attempts=3)
        assert world.asked().approval.requester == ADA

    def test_it_is_written_down_where_history_does_not_reach(self, world: World) -> None:
        again = Actor(who="reconcile", automated=True)
        world.edit(initiated_by=again, requested_by=Actor(who=ADA_ARN), attempts=3)
        assert world.asked().approval.requester == ADA

    def test_a_redeploy_by_reconcile_is_nobodys(self, world: World) -> None:
        before = deployment(id="01J0000000000000000000AAA1", phase=Phase.SUCCEEDED, initiated_by=Actor(who=ADA_ARN))
        world.put(before)
        world.edit(initiated_by=Actor(who="reconcile", automated=True))
        assert world.asked().approval.requester is None


class TestAgain:
    def test_the_new_token_replaces_the_old_and_nothing_is_asked_twice(self, world: World) -> None:
        world.ask()
        before, queued, told = world.approval, world.queued(), world.timeline()
        world.clock.forward(minutes=1)
        world.ask(OTHER)

        assert world.approval.token == OTHER
        assert (world.queued(), world.timeline()) == (queued, told)
        assert world.approval.expires_at == before.expires_at

    def test_a_late_first_try_does_not_lose_the_token_that_waits(self, world: World) -> None:
        """Its Lambda was given up for lost, and comes to writing after the one that took its place."""
        world.table.meanwhile = [lambda: world.ask(OTHER)]
        world.states.open.add(OTHER)
        world.ask(TOKEN)
        world.states.open.discard(TOKEN)  # the machine waits for the later one only
        world.decide()
        world.tell()

        assert list(world.answers()) == [OTHER]

    def test_under_a_document_that_changed_the_first_question_stands(self, world: World) -> None:
        world.ask()
        world.apply(document({"approvers": [], "allowUnverified": True}))
        world.ask(OTHER)
        assert len(world.approval.approvers) == 3

    @pytest.mark.parametrize("verdict", ["approve", "reject"])
    def test_after_a_decision_the_own_token_is_answered_at_once(self, world: World, verdict: str) -> None:
        world.ask()
        world.decide(verdict=verdict, reason="not now")
        world.states.open.remove(TOKEN)
        world.ask(OTHER)

        said = {"approve": "Approved", "reject": "Rejected"}[verdict]
        assert json.loads(world.answers()[OTHER])["verdict"] == said
        assert world.approval.answered_at is not None

    def test_after_an_end_that_was_told_already(self, world: World) -> None:
        world.ask()
        world.end()
        world.tell()
        world.ask(OTHER)
        assert {json.loads(answer)["verdict"] for answer in world.answers().values()} == {"Superseded"}
        assert set(world.answers()) == {TOKEN, OTHER}

    def test_decided_between_its_look_and_its_write(self, world: World) -> None:
        world.ask()
        world.table.meanwhile = [lambda: world.decide() and None]
        world.ask(OTHER)
        assert json.loads(world.answers()[OTHER])["verdict"] == "Approved"

    def test_a_crash_between_answer_and_mark_is_made_good(self, world: World) -> None:
        world.ask()
        world.decide()
        world.table.meanwhile = [_crash]
        with pytest.raises(RuntimeError):
            world.ask(OTHER)
        assert world.approval.answered_at is None
        world.tell()  # both tokens are gone by now; that counts as told
        assert world.approval.answered_at is not None


def _crash() -> None:
    raise RuntimeError("out of memory")


class TestAborted:
    def test_before_anybody_was_asked(self, world: World) -> None:
        world.edit(abort=ABORT)
        for token in (TOKEN, OTHER):
            world.ask(token)
            assert json.loads(world.answers()[token])["verdict"] == "Aborted"
        assert world.store.approval(ID) is None
        assert world.step() == ("Aborted", "Aborted")
        assert not world.queued()
        assert world.timeline() == [("StepEnded", "ferryman")]

    def test_while_it_is_pending(self, world: World) -> None:
        world.ask()
        world.edit(abort=ABORT)
        world.ask(OTHER)

        assert (world.approval.status, world.step()) == ("Aborted", ("Aborted", "Aborted"))
        assert json.loads(world.answers()[OTHER])["verdict"] == "Aborted"

    def test_an_abort_that_comes_while_it_asks_wins(self, world: World) -> None:
        world.table.meanwhile = [lambda: world.edit(abort=ABORT)]
        world.ask()
        assert json.loads(world.answers()[TOKEN])["verdict"] == "Aborted"
        assert world.store.approval(ID) is None


class TestDocument:
    def test_that_no_longer_says_who_approves_stops_the_deployment(self, world: World) -> None:
        changed = document()
        production = changed.environment("production").model_copy(update={"approval": None})
        spec = changed.spec.model_copy(update={"environments": changed.spec.environments | {"production": production}})
        world.apply(changed.model_copy(update={"spec": spec}))

        with pytest.raises(VerificationFailed, match="planned again"):
            world.ask()
        assert not world.answers()
        assert world.deployment.phase is Phase.PENDING
        assert world.deployment.step(step_keys.APPROVAL) is None

    @pytest.mark.parametrize(
        ("parameter", "value", "told"),
        [
            ("/ferryman/scr/ada-mail", "Grace@scr-platform.example", "have the same email"),
            ("/ferryman/scr/ada-arn", GRACE_ARN, "have the same arn"),
        ],
    )
    def test_whose_references_turn_out_to_name_one_person_twice(
        self, world: World, monkeypatch: pytest.MonkeyPatch, parameter: str, value: str, told: str
    ) -> None:
        monkeypatch.setitem(PARAMETERS, parameter, value)
        with pytest.raises(VerificationFailed, match=told) as error:
            world.ask()
        assert ADA in str(error.value)
        assert (GRACE in str(error.value)) == ("same" in told)
        assert world.store.approval(ID) is None

    def test_without_the_environment(self, world: World) -> None:
        changed = document()
        staging = {"staging": changed.spec.environments["staging"]}
        world.apply(changed.model_copy(update={"spec": changed.spec.model_copy(update={"environments": staging})}))
        with pytest.raises(NotFound):
            world.ask()


def test_the_claim_is_checked_in_the_same_transaction(world: World) -> None:
    world.table.meanwhile = [lambda: world.edit_state(active=state().active.but(fence=FENCE + 1))]  # type: ignore[union-attr]
    with pytest.raises(ClaimLost):
        world.ask()
    assert world.store.approval(ID) is None


def test_the_events_fit_the_contract() -> None:
    paths = list((Path(__file__).parents[3] / "events" / "request_approval").glob("*.json"))
    assert paths
    for path in paths:
        assert RequestApprovalInput.model_validate(json.loads(path.read_text())).task_token
