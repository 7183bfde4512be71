"""A document that weakens a gate: it is proposed, not applied, and the approvers of the applied document decide."""

import copy
from typing import Any

import pytest

from ferryman.records import Phase, Proposal
from ferryman_cli.transport import Api, ApiError
from ferryman_local.standins.people import Person
from flow.documents import PRODUCTION
from flow.production import Make, Production
from flow.stage import Stage


def without_approval(prod: Production) -> dict[str, Any]:
    """The attack: the document with nothing changed but that production asks nobody any more."""
    changed = copy.deepcopy(prod.document)
    del changed["spec"]["environments"][PRODUCTION]["approval"]
    return changed


def put(prod: Production, document: dict[str, Any], **query: str) -> dict[str, Any]:
    return prod.api.put(Api.path("v1", "platforms", prod.name), document, **query)


def generation(prod: Production) -> int:
    return prod.store.platform(prod.name).generation


def ended(prod: Production, proposal: Proposal, status: str) -> Proposal:
    """The proposal, once everything about it is done."""

    def look() -> Proposal | None:
        found = prod.store.proposal(prod.name, proposal.id)
        return found if found is not None and found.closed else None

    found = prod.until(look, f"the end of proposal {proposal.id}")
    assert found.status == status, found
    return found


def decide(link: str, word: str, proposal: Proposal, reason: str = "") -> str:
    with Person() as visitor:
        page = visitor.open(link)
        assert page.status == 200, page.text
        answer = visitor.decide(link, word, proposal.short, reason)
        assert answer.status == 200, answer.text
        return page.text


def test_taking_approval_out_of_the_document_opens_nothing_until_an_approver_agrees(
    production: Make, stage: Stage
) -> None:
    prod = production(notify=["team"])
    first = generation(prod)

    told = put(prod, without_approval(prod))

    assert (told["result"], told["generation"]) == ("proposed", first)
    assert [change["text"] for change in told["changes"]] == ["production no longer asks for approval"]
    assert told["waitsFor"] == [{"environment": PRODUCTION, "approvers": ["Ada", "Grace"], "required": 1}]
    assert generation(prod) == first
    # What the developer does next: it still asks.
    deployment = prod.asked()
    assert deployment.phase is Phase.AWAITING_APPROVAL
    proposal = prod.proposal()
    assert prod.proposal_link(proposal) != prod.link(deployment)

    page = decide(prod.proposal_link(proposal), "approve", proposal)

    assert "production no longer asks for approval" in page
    ended(prod, proposal, "Approved")
    applied = prod.store.platform(prod.name)
    assert (applied.generation, applied.document["spec"]["environments"][PRODUCTION]["approval"]) == (first + 1, None)
    messages = [message for message in stage.messages(prod.name) if message.event == "proposal-ended"]
    assert [message.channel for message in messages] == ["team"]
    prod.ask("abort", reason="the end of this test")
    prod.until(prod.is_idle, "the deployment's end")


def test_a_rejected_document_changes_nothing_and_a_newer_apply_supersedes_one(production: Make) -> None:
    prod = production()
    first = generation(prod)
    put(prod, without_approval(prod))
    rejected = prod.proposal()
    decide(prod.proposal_link(rejected), "reject", rejected, "we want to be asked")
    assert ended(prod, rejected, "Rejected").reason == "Ada rejected it for production: we want to be asked"

    put(prod, without_approval(prod))
    waiting = prod.proposal()
    link = prod.proposal_link(waiting)
    stricter = copy.deepcopy(prod.document)
    stricter["spec"]["environments"][PRODUCTION]["approval"]["required"] = 2

    told = put(prod, stricter)

    assert (told["result"], generation(prod)) == ("configured", first + 1), "what only tightens goes through at once"
    ended(prod, waiting, "Superseded")
    with Person() as visitor:
        page = visitor.open(link)
        assert page.forms == [], page.text
    assert prod.store.platform(prod.name).document["spec"]["environments"][PRODUCTION]["approval"]["required"] == 2


def test_its_author_can_not_approve_it(production: Make, stage: Stage) -> None:
    me = stage.client("iam").get_user(UserName="local-admin")["User"]["Arn"]
    prod = production(approval={"approvers": [
        {"name": "Lin", "arn": me}, {"name": "Ada", "email": "ada@authors.example"},
    ]})  # fmt: skip
    put(prod, without_approval(prod))
    proposal = prod.proposal()
    prod.until(lambda: prod.store.approval(proposal.approvals[PRODUCTION]), "the question")

    with pytest.raises(ApiError) as refused:
        prod.ask("approve", version=proposal.short, about="proposal")

    assert "You requested document" in str(refused.value)
    assert "so somebody else must approve it" in str(refused.value)
    assert prod.proposal().status == "Proposed"


def test_an_admins_override_is_told_to_all_approvers_and_channels_and_shown(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    first = generation(prod)

    told = put(prod, without_approval(prod), override="all approvers are on a plane")

    assert (told["result"], generation(prod)) == ("configured", first + 1)
    for person in ("ada", "grace"):
        [mail] = prod.until(lambda p=person: stage.mails(f"{p}@{prod.name}.example") or None, f"the mail to {person}")
        assert "all approvers are on a plane" in str(mail)
        assert "production no longer asks for approval" in str(mail)
    sent = prod.until(
        lambda: [m for m in stage.messages(prod.name) if m.event.startswith("unapproved-") and m.sent_at] or None,
        "the messages to be sent",
    )
    assert "team" in [message.channel for message in sent]
    status = prod.api.get(Api.path("v1", "platforms", prod.name))
    assert "all approvers are on a plane" in " ".join(status["notes"])


def test_a_value_that_somebody_changed_is_not_deployed_with_until_the_approvers_agree(
    production: Make, stage: Stage
) -> None:
    prod, ssm = production(), stage.client("ssm")
    name = f"/ferryman/{prod.name}/production/api-url"
    applied = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    version = prod.verified()
    ssm.put_parameter(Name=name, Value="http://127.0.0.1:1", Type="String", Overwrite=True)
    prod.name_it(version)
    done = prod.ended(version)
    assert (done.phase, done.reason, done.plan) == (Phase.ERRORED, "VerificationFailed", None), prod.tell()
    assert f"ssm:{name}" in done.message
    assert "`apply` the document again, which asks the approvers" in done.message
    assert prod.approval(done) is None

    told = put(prod, prod.document)
    assert told["result"] == "proposed"
    assert "has changed since it was applied" in told["changes"][0]["text"]
    ssm.put_parameter(Name=name, Value=applied, Type="String", Overwrite=True)
    assert put(prod, prod.document)["result"] == "unchanged"
    prod.ask("retry", version=version, reason="the value is back")
    assert prod.asked(version, attempt=2).plan is not None
    prod.ask("abort", reason="the end of this test")
    prod.until(prod.is_idle, "the deployment's end")


def test_an_environment_that_was_removed_does_not_come_back_without_an_admin(production: Make) -> None:
    prod = production()
    without = copy.deepcopy(prod.document)
    del without["spec"]["environments"][PRODUCTION]
    assert put(prod, without, prune="true")["result"] == "proposed"
    proposal = prod.proposal()
    decide(prod.proposal_link(proposal), "approve", proposal)
    ended(prod, proposal, "Approved")
    assert PRODUCTION not in prod.store.platform(prod.name).document["spec"]["environments"]

    for back in (prod.document, without_approval(prod)):
        with pytest.raises(ApiError, match="creates production again") as refused:
            put(prod, back)
        assert refused.value.status == 409
    assert put(prod, prod.document, override="production is needed again")["result"] == "configured"
    assert prod.store.platform(prod.name).removed == []
