"""Recording a decision: what is written, once, whoever else writes at the same time."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ferryman import ids
from ferryman.approvals import link_tokens
from ferryman.approvals.record_decision import REFUSALS_TOLD, judge_attempt
from ferryman.errors import Conflict, NotFound
from ferryman.records import Freeze, Hold, Phase
from unit import builders as make
from unit.approving import (
    ABORT,
    ADA,
    ADA_ARN,
    APPROVERS,
    DIGESTS,
    GRACE,
    ID,
    LINUS,
    OPEN,
    TOKEN,
    TWO,
    VERSION,
    World,
    attempt,
    document,
)


@pytest.fixture
def world() -> World:
    return World()


class TestApproved:
    def test_in_one_transaction_with_the_deployment(self, world: World) -> None:
        world.asked()
        before = world.table.writes
        verdict = world.decide(source="203.0.113.7, Browser 1.0", identity="ada@scr-platform.example")

        assert world.table.writes == before + 1
        assert (verdict.kind, verdict.given, verdict.required) == ("Approved", 1, 1)
        assert (world.approval.status, world.approval.decided_at) == ("Approved", world.clock.at)
        assert world.step() == ("Succeeded", "Approved")
        assert world.deployment.approved_by == [ADA]
        assert world.deployment.phase is Phase.AWAITING_APPROVAL  # admit_deployment flips it
        decision = world.approval.decisions[0]
        assert (decision.name, decision.how, decision.at) == (ADA, "mail", world.clock.at)
        assert (decision.identity, decision.source) == ("ada@scr-platform.example", "203.0.113.7, Browser 1.0")

    def test_stands_in_the_timeline_with_who_how_where_and_what(self, world: World) -> None:
        world.asked()
        world.decide(source="203.0.113.7, Browser 1.0", identity="ada@scr-platform.example", reason="looks good")

        line = world.store.timeline(ID)[-1]
        assert (str(line.type), line.who) == ("Approved", ADA)
        assert line.detail["digests"] == DIGESTS
        assert (line.detail["how"], line.detail["source"]) == ("mail", "203.0.113.7, Browser 1.0")
        assert line.detail["identity"] == "ada@scr-platform.example"
        assert line.message == f"{ADA} approved {VERSION} with a personal link (1 of 1): looks good"

    def test_reconcile_is_woken_and_tells_the_machine(self, world: World) -> None:
        world.asked()
        world.decide()
        assert world.nudged == [("scr", "production")]
        world.tell()
        assert json.loads(world.answers()[TOKEN]) == {"verdict": "Approved", "reason": ""}

    def test_a_lost_nudge_loses_nothing(self, world: World) -> None:
        world.asked()
        world.nudges_fail = True
        assert world.decide().kind == "Approved"
        assert world.approval.status == "Approved"

        world.nudges_fail = False
        assert world.decide().kind == "AlreadyYours"  # whoever presses again wakes reconcile again
        assert world.nudged == [("scr", "production")]
        world.tell()
        world.decide()
        assert len(world.nudged) == 1

    def test_of_two_people(self, world: World) -> None:
        world.asked(TWO)
        first = world.decide()
        assert (first.kind, first.given, first.required) == ("Recorded", 1, 2)
        assert (world.approval.status, world.step()) == ("Pending", ("Running", "AwaitingApproval"))
        assert world.decide().kind == "AlreadyYours"
        assert world.decide(GRACE).kind == "Approved"
        assert world.approval.approved_by == world.deployment.approved_by == [ADA, GRACE]
        assert [kind for kind, _ in world.timeline()] == ["ApprovalRequested", "Approved", "Approved"]

    def test_messages_that_can_not_be_made_keep_no_decision_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.asked()
        monkeypatch.setattr("ferryman.messages.approval.for_ended", lambda *_, **__: 1 / 0)
        assert world.decide().kind == "Approved"


def test_rejected_with_the_reason(world: World) -> None:
    world.asked(TWO)
    world.decide(GRACE)
    assert world.decide(verdict="reject", reason="  breaks\nthe login ").kind == "Rejected"

    assert (world.approval.status, world.approval.reason) == ("Rejected", "breaks the login")
    assert world.step() == ("Aborted", "Rejected")
    step = world.deployment.step("approval")
    assert step is not None
    assert step.message == f"{ADA} rejected it: breaks the login"
    assert world.timeline()[-1] == ("Rejected", ADA)
    world.tell()
    assert json.loads(world.answers()[TOKEN]) == {"verdict": "Rejected", "reason": "breaks the login"}


class TestStopped:
    """The environment is frozen or held: nobody says yes to what would not start."""

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            pytest.param({"freeze": Freeze(reason="fair", who="jo", at=make.AT)}, "fair", id="frozen-by-a-person"),
            pytest.param({"hold": Hold(reason="load test", who="jo", at=make.AT)}, "load test", id="held"),
        ],
    )
    def test_approve_is_refused_with_the_reason(self, world: World, changes: Any, told: str) -> None:
        world.asked()
        world.edit_state(**changes)
        verdict = world.decide()
        assert (verdict.kind, told in verdict.message) == ("Frozen", True)
        assert world.approval.status == "Pending"
        assert world.decide(verdict="reject", reason="then not").kind == "Rejected"

    def test_by_a_window_of_the_document(self, world: World) -> None:
        windows = [{"name": "new-year", "dates": "2025-12-20 00:00 - 2026-01-03 00:00"}]
        world.asked(freeze={"timeZone": "UTC", "windows": windows})
        assert world.decide().kind == "Frozen"
        world.clock.forward(hours=22)
        assert world.decide().kind == "Approved"

    def test_a_rollback_passes(self, world: World) -> None:
        world.edit(kind="rollback")
        world.asked()
        world.edit_state(
            freeze=Freeze(reason="fair", who="jo", at=make.AT), hold=Hold(reason="bad", who="jo", at=world.clock())
        )
        assert world.decide().kind == "Approved"

    def test_without_a_readable_document_nobody_says_yes(self, world: World) -> None:
        world.asked()
        applied = world.store.platform("scr")
        world.put(applied.but(document={"spec": "broken"}))
        assert world.decide().kind == "Frozen"
        assert world.decide(verdict="reject", reason="no").kind == "Rejected"


# ── others write at the same time ──


class TestRaces:
    def test_two_people_at_once_and_one_is_needed(self, world: World) -> None:
        world.asked()
        inner: list[Any] = []
        world.table.meanwhile = [lambda: inner.append(world.decide(GRACE))]
        assert world.decide().kind == "AlreadyDecided"
        assert inner[0].kind == "Approved"
        assert world.approval.approved_by == [GRACE]
        assert [kind for kind, _ in world.timeline()].count("Approved") == 1

    def test_the_same_person_twice_at_once_and_two_are_needed(self, world: World) -> None:
        world.asked(TWO)
        world.table.meanwhile = [lambda: world.decide() and None]
        assert world.decide().kind == "AlreadyYours"
        assert (world.approval.approved_by, world.approval.status) == ([ADA], "Pending")

    def test_two_people_at_once_and_two_are_needed(self, world: World) -> None:
        world.asked(TWO)
        world.table.meanwhile = [lambda: world.decide(GRACE) and None]
        assert world.decide().kind == "Approved"
        assert world.approval.approved_by == [GRACE, ADA]

    def test_reject_beats_the_approve_that_looked_earlier(self, world: World) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.decide(GRACE, "reject", reason="no") and None]
        assert world.decide().kind == "AlreadyDecided"
        assert (world.approval.status, world.step()) == ("Rejected", ("Aborted", "Rejected"))

    @pytest.mark.parametrize("status", ["Superseded", "Expired", "Aborted"])
    def test_an_end_in_between_wins(self, world: World, status: str) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.end(status)]
        assert world.decide().kind == status
        assert (world.approval.status, world.step()) == (status, ("Aborted", status))
        assert not world.approval.decisions

    @pytest.mark.parametrize("status", ["Superseded", "Expired", "Aborted"])
    def test_a_decision_in_between_wins(self, world: World, status: str) -> None:
        world.asked()
        seen = world.view
        world.decide()
        with pytest.raises(Conflict):
            world.end(status, seen)
        assert (world.approval.status, world.step()) == ("Approved", ("Succeeded", "Approved"))
        assert world.deployment.superseded_by is None

    def test_an_abort_in_between_wins(self, world: World) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.edit(abort=ABORT)]
        assert world.decide().kind == "Aborted"
        assert world.approval.status == "Pending"  # reconcile, or the machine, ends it

    def test_whom_a_document_strikes_off_in_between_decides_nothing(self, world: World) -> None:
        world.asked()
        without = document({"approvers": [{"name": GRACE, "email": "grace@scr-platform.example"}]})
        world.table.meanwhile = [lambda: world.apply(without)]
        assert world.decide().kind == "NotAllowed"
        assert (world.approval.status, world.approval.decisions) == ("Pending", [])

    def test_a_claim_that_is_gone(self, world: World) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.edit_state(active=None)]
        assert world.decide().kind == "Aborted"
        assert world.approval.status == "Pending"

    def test_a_token_that_is_replaced_in_between(self, world: World) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.ask("CCCC+later=")]
        assert world.decide().kind == "Approved"
        world.tell()
        assert "CCCC+later=" in world.answers()

    def test_a_hundred_at_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """All have looked before any of them writes."""
        monkeypatch.setattr("ferryman.store.table.time.sleep", lambda _: None)
        world.asked()
        world.new_id = ids.new_id  # type: ignore[assignment]
        ready, one = threading.Barrier(100), threading.Lock()
        write = world.table.transact_write_items
        first = threading.local()

        def together(**what: Any) -> Any:
            if not hasattr(first, "passed"):
                first.passed = True
                ready.wait(timeout=30)
            with one:
                return write(**what)

        monkeypatch.setattr(world.table, "transact_write_items", together)
        people = [(ADA, "approve"), (GRACE, "approve"), (LINUS, "reject"), ("Somebody Else", "approve")] * 25
        with ThreadPoolExecutor(100) as pool:
            found = list(pool.map(lambda who: world.decide(*who, reason="no").kind, people))

        assert sum(kind in ("Approved", "Rejected") for kind in found) == 1
        assert set(found) <= {"Approved", "Rejected", "AlreadyDecided", "AlreadyYours", "NotAllowed"}
        assert len(world.approval.decisions) == 1
        assert world.approval.refused <= REFUSALS_TOLD
        status = {"Approved": ("Succeeded", "Approved"), "Rejected": ("Aborted", "Rejected")}
        assert world.step() == status[world.approval.status]

    def test_what_keeps_changing_is_told_to_be_tried_again(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.asked()
        monkeypatch.setattr("ferryman.store.table.time.sleep", lambda _: None)

        def busy(*_: Any) -> None:
            raise Conflict("somebody else")

        monkeypatch.setattr(world.store, "write", busy)
        with pytest.raises(Conflict, match="try again"):
            world.decide()


# ── the list of approvers changed ──


def without(*names: str) -> dict[str, Any]:
    return {"approvers": [person for person in APPROVERS if person["name"] not in names]}


class TestStruckOff:
    @pytest.mark.parametrize("verdict", ["approve", "reject"])
    @pytest.mark.parametrize("how", ["mail", "slack", "cli"])
    def test_who_left_decides_nothing_any_more(self, world: World, how: str, verdict: str) -> None:
        world.asked()
        world.apply(document(without(ADA)))
        found = world.decide(verdict=verdict, how=how, reason="x")
        assert (found.kind, f"{ADA} is no longer an approver" in found.message) == ("NotAllowed", True)
        assert world.approval.status == "Pending"
        assert world.timeline()[-1] == ("DecisionRefused", ADA)
        assert world.decide(GRACE).kind == "Approved"

    def test_who_came_counts_from_the_next_request_on(self, world: World) -> None:
        world.asked(without(ADA))
        world.apply(document())
        assert world.decide().kind == "NotAllowed"

    def test_another_spelling_is_the_same_person(self, world: World) -> None:
        world.asked()
        world.apply(document({"approvers": [APPROVERS[0] | {"name": ADA.upper()}]}))
        assert world.decide().kind == "Approved"

    @pytest.mark.parametrize(("how", "field"), [("mail", "email"), ("slack", "slack"), ("cli", "arn")])
    @pytest.mark.parametrize("now", ["another", None, "ssm:/ferryman/scr/grace"])
    def test_another_address_is_another_person_in_that_way_only(
        self, world: World, how: str, field: str, now: str | None
    ) -> None:
        addresses = {
            "email": "Ada@scr-platform.example",
            "arn": "ssm:/ferryman/scr/ada-arn",
            "slack": "U0000ADA",
        }
        others = {"email": "eve@scr-platform.example", "arn": ADA_ARN + "2", "slack": "U0000EVE"}
        value = others[field] if now == "another" else now if field != "slack" else None
        entry = {name: text for name, text in (addresses | {field: value}).items() if text}
        world.asked({"required": 2})
        ways = [one for one in ("mail", "slack", "cli") if one != how]
        world.apply(document({"approvers": [{"name": ADA, **entry}, *APPROVERS[1:]]}))
        for way in (how, *ways):
            found = world.decide(how=way)
            assert (found.kind == "NotAllowed") == (way == how), way
            assert way != how or "is not the one that was asked" in found.message

    def test_is_judged_without_looking_anywhere(self, world: World) -> None:
        world.asked()
        approval, deployment, now = world.approval, world.deployment, world.clock()
        for lost, kind in ((None, "Approved"), ("removed", "NotAllowed"), ("changed", "NotAllowed")):
            assert judge_attempt(approval, deployment, attempt(), now, None, lost).kind == kind


# ── refused attempts ──


class TestRefused:
    def test_who_tried_what_from_where_stands_in_the_timeline(self, world: World) -> None:
        world.asked()
        world.decide("U999", how="slack", identity="T1/U999", source="198.51.100.9, Slackbot", confirmed=True)

        line = world.store.timeline(ID)[-1]
        assert (str(line.type), line.who) == ("DecisionRefused", "U999")
        assert line.message == f"U999 tried to approve {VERSION} in Slack: NotAllowed"
        assert (line.detail["identity"], line.detail["source"]) == ("T1/U999", "198.51.100.9, Slackbot")
        assert line.detail["digests"] == DIGESTS
        assert world.counted == ["DecisionRefused"]

    def test_also_when_it_has_expired(self, world: World) -> None:
        world.asked()
        world.clock.forward(hours=25)
        assert world.decide().kind == "Expired"
        assert world.timeline()[-1] == ("DecisionRefused", ADA)
        assert world.nudged == [("scr", "production")]  # so that it ends now, not with the next sweep

    def test_a_flood_does_not_fill_the_table(self, world: World) -> None:
        world.asked()
        for _ in range(REFUSALS_TOLD * 3):
            assert world.decide(version="guess").kind == "WrongVersion"
        items = len(world.table.items)
        world.decide(version="guess")

        assert [kind for kind, _ in world.timeline()].count("DecisionRefused") == REFUSALS_TOLD
        assert world.approval.refused == REFUSALS_TOLD
        assert len(world.table.items) == items
        assert world.counted.count("DecisionRefused") == REFUSALS_TOLD * 3 + 1
        assert world.decide().kind == "Approved"  # and it stops nobody

    def test_saying_the_same_again_is_no_offence(self, world: World) -> None:
        world.asked()
        world.decide()
        world.decide()
        assert world.approval.refused == 0
        assert "DecisionRefused" not in dict(world.timeline())

    def test_a_decision_meanwhile_is_not_undone_by_the_note(self, world: World) -> None:
        world.asked()
        world.table.meanwhile = [lambda: world.decide(GRACE) and None]
        world.decide(version="guess")
        assert (world.approval.status, world.approval.refused) == ("Approved", 1)

    def test_of_an_approval_that_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.decide()


class TestFromOutside:
    def test_is_bounded_and_cleaned(self, world: World) -> None:
        world.asked()
        world.decide(reason="x" * 5000, source="203.0.113.7\n\x1b[31m" + "y" * 5000, identity="z" * 5000)
        decision = world.approval.decisions[0]
        assert (len(decision.reason), len(decision.source), len(decision.identity)) == (500, 200, 300)
        assert "\x1b" not in decision.source
        assert "\n" not in decision.source

    def test_a_link_that_was_pasted_is_not_written_down(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        world.asked()
        plain, hashed = link_tokens.new()
        link_tokens.remember(world.store, ID, ADA, hashed, world.clock())
        link = f"https://approvals.example/a/{ID}/{plain}"
        world.decide(version=link, reason=f"see {link}", source=f"Browser ({link})")
        world.decide(verdict="reject", reason=f"see {link}", source=f"Browser ({link})")

        assert world.approval.reason == f"see https://approvals.example/a/{ID}/[hidden]"
        assert plain not in world.everything()
        assert plain not in str(world.approval)
        assert plain not in str([record.__dict__ for record in caplog.records])


def test_unverified_approvals_say_so(world: World) -> None:
    world.asked(OPEN)
    verdict = world.decide("Joe\u202e Bloggs", how="shared link", identity="unverified")
    assert verdict.kind == "Approved"
    decision = world.approval.decisions[0]
    assert (decision.name, decision.how, decision.identity) == ("Joe Bloggs", "shared link", "unverified")


def test_an_execution_that_died_leaves_no_open_question(world: World) -> None:
    """Recorded as Errored by reconcile, or by finish_deployment after the machine's own time-out."""
    from ferryman.contracts import DeploymentRef
    from ferryman.decisions.outcome import Judgement
    from ferryman.steps import record_outcome

    world.asked()
    ref = DeploymentRef(platform="scr", environment="production", deployment=ID, fence=5)
    over = Judgement(Phase.EXPIRED, "Expired", "Nobody decided in time.")
    record_outcome.record(ref, over, store=world.store, clock=world.clock, new_id=world.new_id)
    assert (world.approval.status, world.approval.reason) == ("Expired", "Nobody decided in time.")
    assert world.decide().kind == "Expired"


class TestOneHuman:
    """A document of an earlier version lists Ada twice: by mail, and with a tag in the same mailbox."""

    TWICE = (
        {"name": ADA, "email": "ada@x.example"},
        {"name": "A. L.", "email": "Ada+ops@x.example"},
        {"name": GRACE, "email": "grace@x.example"},
    )

    def test_has_one_vote(self, world: World) -> None:
        world.asked({"approvers": list(self.TWICE), "required": 2})
        assert world.decide().kind == "Recorded"
        assert world.decide(name="A. L.").kind == "AlreadyYours"
        assert world.approval.approved_by == [ADA]
        assert world.decide(name=GRACE).kind == "Approved"

    def test_may_still_reject_under_the_other_entry(self, world: World) -> None:
        world.asked({"approvers": list(self.TWICE), "required": 2})
        world.decide()
        assert world.decide("A. L.", "reject", reason="changed my mind").kind == "Rejected"

    def test_who_requested_it_approves_under_no_entry(self, world: World) -> None:
        world.asked({"approvers": list(self.TWICE)})
        world.put(world.approval.but(requester=ADA))
        assert world.decide(name="A. L.").kind == "NotAllowed"
        assert world.decide(name=GRACE).kind == "Approved"
