"""A document that weakens a gate is proposed to the approvers of the stored one instead of being applied."""

import copy
from typing import Any

import pytest

from ferryman.records import AppliedPlatform, Proposal
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.api_world import ADMIN, JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds

SCR = "/v1/platforms/scr"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    made = World(store, clock, new_id)
    assert made.call("PUT", SCR, scr_document)[0] == 200
    return made


def without_approval(document: dict[str, Any]) -> dict[str, Any]:
    weaker = copy.deepcopy(document)
    del weaker["spec"]["environments"]["production"]["approval"]
    return weaker


def applied(world: World) -> AppliedPlatform:
    return world.store.platform("scr")


def proposal(world: World) -> Proposal:
    found = world.store.proposals("scr", 1)
    assert found
    return found[0]


def test_a_document_without_its_approval_is_proposed_and_not_applied(
    world: World, scr_document: dict[str, Any]
) -> None:
    world.outside.nudged.clear()

    status, body = world.call("PUT", SCR, without_approval(scr_document), who=KIM)

    assert (status, body["result"], body["generation"]) == (200, "proposed", 1)
    approvers = [
        person["name"] for person in scr_document["spec"]["environments"]["production"]["approval"]["approvers"]
    ]
    assert body["waitsFor"] == [{"environment": "production", "approvers": approvers, "required": 1}]
    assert [change["text"] for change in body["changes"]] == ["production no longer asks for approval"]
    assert applied(world).generation == 1
    assert applied(world).document["spec"]["environments"]["production"]["approval"] is not None
    pending = proposal(world)
    assert (pending.status, pending.generation, pending.proposed_by) == ("Proposed", 1, KIM)
    assert (applied(world).proposal, body["proposal"]["id"]) == (pending.id, pending.id)
    assert list(pending.approvals) == ["production"]
    assert world.outside.nudged == [("scr", "production")]
    assert world.timeline("scr")[-1] == ("ApprovalRequested", KIM)


def test_a_dry_run_says_what_would_wait_and_for_whom(world: World, scr_document: dict[str, Any]) -> None:
    _, body = world.call("PUT", SCR, without_approval(scr_document), dryRun="true")

    assert (body["result"], body["dryRun"], body["waitsFor"][0]["environment"]) == ("proposed", True, "production")
    assert (world.store.proposals("scr", 1), applied(world).proposal) == ([], None)


def test_the_same_document_again_is_the_same_proposal(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, without_approval(scr_document))
    first = proposal(world)

    _, body = world.call("PUT", SCR, without_approval(scr_document), who=KIM)

    assert (body["result"], body["proposal"]["id"]) == ("proposed", first.id)
    assert proposal(world) == first


def test_a_newer_apply_supersedes_a_proposal(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, without_approval(scr_document))
    first = proposal(world)
    other = without_approval(scr_document)
    other["spec"]["assemblyTimeout"] = "45m"

    _, body = world.call("PUT", SCR, other)

    assert body["result"] == "proposed"
    [second, ended] = world.store.proposals("scr", 5)
    assert (ended.id, ended.status, second.status) == (first.id, "Superseded", "Proposed")
    assert applied(world).proposal == second.id


@pytest.mark.parametrize("change", ["tighter", "free", "none"])
def test_what_weakens_nothing_is_applied_at_once_and_supersedes_a_proposal(
    world: World, scr_document: dict[str, Any], change: str
) -> None:
    world.call("PUT", SCR, without_approval(scr_document))
    after = copy.deepcopy(scr_document)
    production = after["spec"]["environments"]["production"]
    if change == "tighter":
        production["approval"]["required"] = 2
    elif change == "free":
        after["spec"]["assemblyTimeout"] = "45m"

    _, body = world.call("PUT", SCR, after)

    assert (body["result"], body["waitsFor"]) == ("unchanged" if change == "none" else "configured", [])
    assert applied(world).generation == (1 if change == "none" else 2)
    assert proposal(world).status == "Superseded"


def test_a_mixed_document_waits_as_a_whole(world: World, scr_document: dict[str, Any]) -> None:
    mixed = without_approval(scr_document)
    mixed["spec"]["assemblyTimeout"] = "45m"

    _, body = world.call("PUT", SCR, mixed)

    assert body["result"] == "proposed"
    assert applied(world).document["spec"]["assemblyTimeout"] == "30m"


def test_an_environment_that_asks_nobody_is_not_protected(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["triggers"] = ["manual", "push"]

    assert world.call("PUT", SCR, scr_document)[1]["result"] == "configured"


def test_another_value_behind_a_reference_of_a_gate_waits_for_approval(
    world: World, scr_document: dict[str, Any]
) -> None:
    scr_document["spec"]["environments"]["production"]["approval"]["approvers"][0]["arn"] = "ssm:/ferryman/scr/ada"
    world.outside.parameters["ssm:/ferryman/scr/ada"] = "arn:aws:iam::123456789012:user/ada"
    # An admin: another identity of an approver waits for approval, too.
    assert world.call("PUT", SCR, scr_document, who=ADMIN, override="new identity")[1]["result"] == "configured"
    world.outside.parameters["ssm:/ferryman/scr/ada"] = "arn:aws:iam::123456789012:user/eve"

    _, body = world.call("PUT", SCR, scr_document)

    assert body["result"] == "proposed"
    assert "ssm:/ferryman/scr/ada" in body["changes"][0]["text"]


# ── an admin ──


def test_an_admin_overrides_with_a_reason_that_stays_while_the_generation_stands(
    world: World, scr_document: dict[str, Any]
) -> None:
    weaker = without_approval(scr_document)
    world.call("PUT", SCR, weaker)

    _, body = world.call("PUT", SCR, weaker, who=ADMIN, override="all approvers are on a plane")

    assert (body["result"], body["generation"]) == ("configured", 2)
    override = applied(world).override
    assert override is not None
    assert (override.who, override.reason) == (ADMIN, "all approvers are on a plane")
    assert override.changes == ["production no longer asks for approval"]
    assert proposal(world).status == "Superseded"
    weaker["spec"]["assemblyTimeout"] = "45m"
    world.call("PUT", SCR, weaker)
    assert applied(world).override is None


def test_nobody_else_overrides(world: World, scr_document: dict[str, Any]) -> None:
    status, body = world.call("PUT", SCR, without_approval(scr_document), who=JO, override="I am in a hurry")

    assert (status, body["error"]["code"]) == (403, "NotPermitted")
    assert body["error"]["message"].startswith(
        "only an admin of Ferryman can apply a document without the approval that it needs (`--override`)"
    )
    assert (applied(world).generation, world.store.proposals("scr", 1)) == (1, [])


def test_an_admin_overrides_where_the_stored_document_can_not_be_read(
    world: World, scr_document: dict[str, Any]
) -> None:
    broken = copy.deepcopy(applied(world).document)
    broken["spec"]["environments"]["production"]["cluster"] = ""
    world.store.write(Save(applied(world).but(document=broken)))

    status, body = world.call("PUT", SCR, scr_document)
    assert (status, body["error"]["code"]) == (409, "Refused")
    assert "the stored document cannot be read by this version of Ferryman" in body["error"]["message"]
    assert "ferryman apply -f FILE --override REASON" in body["error"]["message"]

    assert world.call("PUT", SCR, scr_document, who=ADMIN, override="repaired")[1]["result"] == "configured"
    override = applied(world).override
    assert override is not None
    assert override.changes == ["nobody can tell what it changes: the document before it could not be read"]


def test_a_broken_stored_document_that_asks_nobody_is_replaced_at_once(
    world: World, scr_document: dict[str, Any]
) -> None:
    broken = copy.deepcopy(applied(world).document)
    for environment in broken["spec"]["environments"].values():
        environment.update(approval=None, cluster="")
    world.store.write(Save(applied(world).but(document=broken)))

    assert world.call("PUT", SCR, scr_document)[1]["result"] == "configured"


def test_an_older_operators_document_has_no_hashes_and_nothing_waits_for_that(
    world: World, scr_document: dict[str, Any]
) -> None:
    world.store.write(Save(applied(world).but(references={})))

    assert world.call("PUT", SCR, scr_document)[1]["result"] == "unchanged"


def test_an_author_whom_nobody_knows_is_refused_where_requesters_are(
    world: World, scr_document: dict[str, Any]
) -> None:
    stricter = copy.deepcopy(scr_document)
    stricter["spec"]["environments"]["production"]["approval"]["unknownRequester"] = "refuse"
    assert world.call("PUT", SCR, stricter)[1]["result"] == "configured"

    for dry in ("true", "false"):
        status, body = world.call("PUT", SCR, without_approval(stricter), who=KIM, dryRun=dry)
        assert (status, f"{KIM} matches no person that Ferryman knows" in body["error"]["message"]) == (409, True)

    assert applied(world).proposal is None


def without_production(document: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(document)
    del made["spec"]["environments"]["production"]
    return made


def test_an_environment_that_was_removed_comes_back_only_through_an_admin(
    world: World, scr_document: dict[str, Any]
) -> None:
    assert (
        world.call("PUT", SCR, without_production(scr_document), who=ADMIN, override="moves", prune="true")[1]["result"]
        == "configured"
    )
    assert applied(world).removed == ["production"]
    # It is remembered by whatever is applied meanwhile.
    other = without_production(scr_document)
    other["spec"]["assemblyTimeout"] = "17m"
    assert world.call("PUT", SCR, other, who=KIM)[1]["result"] == "configured"
    assert applied(world).removed == ["production"]

    for back in (scr_document, without_approval(scr_document)):
        for dry in ("true", "false"):
            status, body = world.call("PUT", SCR, back, who=KIM, dryRun=dry)
            assert (status, body["error"]["code"]) == (409, "Refused")
            said = "creates production again, an environment that was removed while asking for approval"
            assert said in body["error"]["message"]
            assert "ferryman apply -f FILE --override REASON" in body["error"]["message"]

    assert world.call("PUT", SCR, scr_document, who=ADMIN, override="is back")[1]["result"] == "configured"
    override = applied(world).override
    assert override is not None
    assert override.changes[0].startswith("the document creates production again")
    assert applied(world).removed == []


def test_an_environment_that_asked_nobody_comes_back_freely(world: World, scr_document: dict[str, Any]) -> None:
    assert world.call("PUT", SCR, without_approval(scr_document), who=ADMIN, override="x")[1]["result"] == "configured"
    assert world.call("PUT", SCR, without_production(scr_document), who=KIM, prune="true")[1]["result"] == "configured"
    assert applied(world).removed == []
    assert world.call("PUT", SCR, without_approval(scr_document), who=KIM)[1]["result"] == "configured"
