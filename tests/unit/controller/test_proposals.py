"""A proposed document from its apply to its end: who is asked, what applies it, and what ends it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ferryman.approvals.record_decision import Attempt, Verdict, decide_approval
from ferryman.clients.ssm import References
from ferryman.controller.proposals import Proposals
from ferryman.errors import Unavailable
from ferryman.platform import Platform
from ferryman.platform.claims import of_document
from ferryman.records import AppliedPlatform, Approval, OutboxMessage, Proposal
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, World
from unit.approving import ADA, ADA_ARN, GRACE, GRACE_ARN, PARAMETERS, document
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.secrets import FakeParameters

SCR = "/v1/platforms/scr"


def resolved(value: str) -> str:
    return PARAMETERS.get(value.removeprefix("ssm:"), value)


@dataclass
class Desk:
    """The API, reconcile's part, and the people."""

    api: World
    parameters: dict[str, str] = field(default_factory=lambda: dict(PARAMETERS))
    adopted: list[str] = field(default_factory=list)
    nudged: list[tuple[str, str]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.api.store

    def apply(self, data: dict[str, Any], who: str = JO, **query: str) -> dict[str, Any]:
        status, body = self.api.call("PUT", SCR, data, who=who, **query)
        assert status == 200, body
        return body

    def tend(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Do what reconcile does; `meanwhile` happens once a document is about to be applied."""

        def adopt(made: Platform) -> None:
            self.adopted.append(made.name)
            meanwhile()

        references = References(FakeParameters(self.parameters))
        nudge = lambda platform, name: self.nudged.append((platform, name))  # noqa: E731
        Proposals(self.store, references, of_document, adopt, nudge, self.api.clock, self.api.new_id).tend("scr")

    def decide(self, name: str, verdict: Any = "approve", *, env: str = "production", **more: Any) -> Verdict:
        approval = self.approval(env)
        attempt = Attempt(verdict, name, "cli", name, version=more.pop("version", approval.short), **more)
        return decide_approval(
            approval.deployment, attempt, store=self.store, nudge=lambda *_: None, clock=self.api.clock,
            new_id=self.api.new_id, text=resolved,
        )  # fmt: skip

    @property
    def applied(self) -> AppliedPlatform:
        return self.store.platform("scr")

    @property
    def proposal(self) -> Proposal:
        return self.store.proposals("scr", 1)[0]

    def approval(self, env: str = "production") -> Approval:
        found = self.store.approval(self.proposal.approvals[env])
        assert found is not None
        return found

    def mails(self, event: str) -> list[OutboxMessage]:
        return sorted((m for m in self.store.unsent() if m.event == event), key=lambda message: message.channel)


@pytest.fixture
def desk(store: Store, clock: FakeClock, new_id: FakeIds) -> Desk:
    made = Desk(World(store, clock, new_id))
    made.api.outside.parameters.update({f"ssm:{name}": value for name, value in PARAMETERS.items()})
    made.apply(document().dump())
    return made


def weaker(**approval: Any) -> dict[str, Any]:
    """The document without production's approval, or with another one."""
    data = copy.deepcopy(document().dump())
    policy = data["spec"]["environments"]["production"]["approval"]
    data["spec"]["environments"]["production"]["approval"] = {**policy, **approval} if approval else None
    return data


def asked(desk: Desk, data: dict[str, Any] | None = None, who: str = JO) -> None:
    assert desk.apply(data or weaker(), who)["result"] == "proposed"
    desk.tend()


def test_the_stored_documents_approvers_are_asked(desk: Desk) -> None:
    asked(desk)

    approval = desk.approval()
    assert [person.name for person in approval.approvers] == [ADA, GRACE, "Linus T."]
    assert (approval.approvers[0].email, approval.approvers[0].arn) == ("ada@scr-platform.example", ADA_ARN)
    assert (approval.version, approval.proposal) == (desk.proposal.hash, desk.proposal.id)
    assert [mail.channel for mail in desk.mails("approval")] == [f"approver/{ADA}", f"approver/{GRACE}", "team"]
    text = desk.mails("approval")[0].text
    assert "Weaker in production:\n- production no longer asks for approval" in text
    assert f"Type {desk.proposal.short} to approve it" in text
    desk.tend()
    assert len(desk.mails("approval")) == 3


def test_what_they_approve_is_applied(desk: Desk) -> None:
    asked(desk)
    verdict = desk.decide(GRACE)
    assert verdict.kind == "Approved"
    assert verdict.message.endswith("It is applied in a moment.")
    assert desk.applied.generation == 1

    desk.tend()

    assert (desk.applied.generation, desk.applied.applied_by, desk.applied.proposal) == (2, JO, None)
    assert desk.applied.document == weaker()
    assert (desk.proposal.status, desk.proposal.closed) == ("Approved", True)
    assert (desk.adopted, desk.nudged) == (["scr"], [("scr", "staging"), ("scr", "production")])
    [told] = desk.mails("proposal-ended")
    assert (told.channel, told.subject.startswith("[Approved] scr: document")) == ("team", True)
    desk.tend()
    assert desk.applied.generation == 2


def test_its_author_can_not_approve_it_whatever_the_policy_says(desk: Desk) -> None:
    desk.apply(document({"requesterMayApprove": True}).dump(), who="arn:aws:iam::123456789012:user/ada",
               override="set up")  # fmt: skip
    asked(desk, weaker(required=1, allowUnverified=True), who=GRACE_ARN)

    verdict = desk.decide(GRACE)

    assert verdict.kind == "NotAllowed"
    assert "so somebody else must approve it" in verdict.message
    assert f"approver/{GRACE}" not in [mail.channel for mail in desk.mails("approval")]
    assert desk.decide(ADA).kind == "Approved"


def test_its_author_is_recognised_under_another_identity_too(desk: Desk) -> None:
    role = "AWSReservedSSO_Dev_0123456789abcdef"
    session = f"arn:aws:sts::123456789012:assumed-role/{role}/grace@scr-platform.example"
    desk.api.outside.identity_center.add(role)
    asked(desk, who=session)

    assert (desk.approval().requester, desk.approval().requester_known) == (GRACE, True)
    assert desk.decide(GRACE).kind == "NotAllowed"
    assert "not an approver, as far as IAM can tell" not in desk.mails("approval")[0].text


def test_approvers_are_told_that_nobody_knows_its_author(desk: Desk) -> None:
    asked(desk)
    assert "The requester is not an approver, as far as IAM can tell" in desk.mails("approval")[0].text


def test_a_stranger_and_a_wrong_word_decide_nothing(desk: Desk) -> None:
    asked(desk)
    assert desk.decide("Mallory").kind == "NotAllowed"
    assert desk.decide(ADA, version="0000000").kind == "WrongVersion"
    desk.tend()
    assert (desk.applied.generation, desk.approval().refused) == (1, 2)


def test_every_environment_that_is_weakened_decides(desk: Desk, store: Store) -> None:
    data = document().dump()
    environments = data["spec"]["environments"]
    environments["europe"] = copy.deepcopy(environments["production"])
    environments["europe"]["cluster"] = "scr-europe"
    desk.apply(data)
    both = copy.deepcopy(data)
    for name in ("production", "europe"):
        both["spec"]["environments"][name]["approval"] = None
    asked(desk, both)

    assert desk.decide(ADA).kind == "Approved"
    desk.tend()
    assert desk.proposal.status == "Proposed"
    assert desk.decide(ADA, env="europe").kind == "Approved"
    desk.tend()
    assert desk.proposal.status == "Approved"


def test_a_rejection_ends_it_everywhere(desk: Desk) -> None:
    asked(desk)
    assert desk.decide(ADA, "reject", reason="no").kind == "Rejected"

    desk.tend()

    assert (desk.proposal.status, desk.proposal.closed) == ("Rejected", True)
    assert desk.proposal.reason == f"{ADA} rejected it for production: no"
    assert (desk.applied.generation, desk.applied.proposal) == (1, None)


def test_a_newer_apply_ends_the_approval_of_an_older_one(desk: Desk) -> None:
    asked(desk)
    first = desk.approval()
    old = desk.proposal
    desk.apply(weaker(required=1, allowUnverified=True))

    late = Attempt("approve", ADA, "cli", ADA_ARN, version=old.short)
    verdict = decide_approval(
        first.deployment, late, store=desk.store, nudge=lambda *_: None, clock=desk.api.clock, new_id=desk.api.new_id,
        text=resolved,
    )  # fmt: skip
    assert (verdict.kind, "was replaced by another document" in verdict.message) == ("Superseded", True)
    desk.tend()
    ended = desk.store.approval(first.deployment)
    assert ended is not None
    assert ended.status == "Superseded"
    assert desk.approval().status == "Pending"


def test_it_expires(desk: Desk) -> None:
    asked(desk)
    desk.api.clock.at += timedelta(hours=21)
    desk.tend()
    assert len(desk.mails("reminder")) == 3
    desk.api.clock.at += timedelta(hours=4)
    assert desk.decide(ADA).kind == "Expired"
    desk.tend()
    assert (desk.proposal.status, desk.approval().status, desk.applied.generation) == ("Expired", "Expired", 1)


def test_an_approval_for_another_generation_applies_nothing(desk: Desk) -> None:
    """As an operator of an earlier version leaves it, which knows of no proposals."""
    asked(desk)
    desk.decide(ADA)
    desk.store.write(Save(desk.applied.but(generation=7)))
    desk.tend()
    assert (desk.proposal.status, desk.applied.generation) == ("Superseded", 7)


def test_an_approval_of_another_document_counts_for_nothing(desk: Desk) -> None:
    asked(desk)
    desk.decide(ADA)
    desk.store.write(Save(desk.proposal.but(document=document().dump(), hash="0" * 64)))
    desk.tend()
    assert (desk.proposal.status, desk.applied.generation) == ("Proposed", 1)


def test_a_document_that_was_swapped_is_not_applied(desk: Desk) -> None:
    asked(desk)
    desk.decide(ADA)
    swapped = weaker()
    swapped["spec"]["environments"]["production"]["soak"] = None
    swapped["spec"]["environments"]["production"]["cluster"] = "mine"
    desk.store.write(Save(desk.proposal.but(document=swapped)))
    desk.tend()
    assert (desk.proposal.status, desk.applied.generation) == ("Proposed", 1)
    assert "is not the document that was approved" in desk.proposal.problem


def test_approvers_that_can_not_be_asked_are_a_problem_that_people_see(desk: Desk) -> None:
    parameters, desk.parameters = desk.parameters, {}
    desk.apply(weaker())
    desk.tend()
    assert desk.proposal.problem.startswith("its approvers could not be asked: SSM parameter /ferryman/scr/ada-mail")
    desk.parameters = parameters
    desk.tend()
    assert desk.proposal.problem == ""


def test_an_approver_whose_value_somebody_changed_is_not_asked(desk: Desk) -> None:
    """Whoever can write the parameter would decide in their name."""
    parameters, desk.parameters = desk.parameters, {**desk.parameters, "/ferryman/scr/ada-mail": "mallory@x.example"}
    desk.apply(weaker())
    desk.tend()
    assert (
        "the value of at least one of ssm:/ferryman/scr/ada-arn and ssm:/ferryman/scr/ada-mail" in desk.proposal.problem
    )
    assert "have an admin apply the document with --override" in desk.proposal.problem
    assert (desk.store.approval(desk.proposal.approvals["production"]), desk.mails("approval")) == (None, [])
    desk.parameters = parameters
    desk.tend()
    assert desk.proposal.problem == ""
    assert len(desk.mails("approval")) == 3


def test_what_was_removed_is_remembered(desk: Desk) -> None:
    without = copy.deepcopy(document().dump())
    del without["spec"]["environments"]["production"]
    assert desk.apply(without, prune="true")["result"] == "proposed"
    desk.tend()
    desk.decide(ADA)
    desk.tend()
    assert (desk.applied.generation, desk.applied.removed) == (2, ["production"])


def test_an_environment_in_which_a_deployment_starts_meanwhile_stays(desk: Desk) -> None:
    without = copy.deepcopy(document().dump())
    del without["spec"]["environments"]["production"]
    desk.apply(without, prune="true")
    desk.tend()
    desk.decide(ADA)

    desk.tend(lambda: desk.api.put(make.state(environment="production")))

    assert (desk.applied.generation, desk.proposal.status) == (1, "Proposed")
    assert "is in progress in production" in desk.proposal.problem
    desk.store.update_state("scr", "production", lambda state: state.but(active=None))
    desk.tend()
    assert (desk.applied.generation, desk.applied.removed) == (2, ["production"])


def test_a_crash_after_the_transaction_is_made_good(desk: Desk) -> None:
    asked(desk)
    desk.decide(ADA)

    def fails(*_: str) -> None:
        raise Unavailable("the queue does not answer")

    references = References(FakeParameters(desk.parameters))
    broken = Proposals(desk.store, references, of_document, lambda _: None, fails, desk.api.clock, desk.api.new_id)
    with pytest.raises(Unavailable):
        broken.tend("scr")
    desk.tend()
    assert (desk.applied.generation, desk.applied.proposal, desk.proposal.closed) == (2, None, True)
