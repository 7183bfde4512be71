"""Approvers with AWS credentials: who they are is what AWS says, and it is what counts."""

from typing import Any

import pytest

from ferryman.access.people import Declared, People
from ferryman.records import Actor, Freeze, Phase
from ferryman.records.writes import Save
from unit import builders as make
from unit import refused_documents
from unit.api_world import JO
from unit.api_world import World as Api
from unit.approving import ADA, ADA_ARN, GRACE, GRACE_ARN, ID, PARAMETERS, SHORT, TOKEN, VERSION, World

PRODUCTION = "/v1/platforms/scr/environments/production"


@pytest.fixture
def world() -> World:
    return World().asked()


def api(world: World) -> Api:
    made = Api(world.store, world.clock, world.new_id)
    made.outside.parameters = PARAMETERS
    return made


def call(world: World, what: str, who: str = ADA_ARN, **body: Any) -> tuple[int, dict[str, Any]]:
    return api(world).call("POST", f"{PRODUCTION}/{what}", body, who=who)


def approve(world: World, who: str = ADA_ARN, version: str = SHORT) -> tuple[int, dict[str, Any]]:
    return call(world, "approve", who, version=version)


class TestGet:
    def test_shows_what_is_asked_and_whether_the_caller_may_decide(self, world: World) -> None:
        status, body = api(world).call("GET", f"{PRODUCTION}/approval", who=GRACE_ARN)

        assert status == 200
        assert (body["version"], body["short"], body["from"], body["tag"]) == (VERSION, SHORT, "0001234", "v1.0.0")
        assert (body["status"], body["required"], body["approvedBy"]) == ("Pending", 1, [])
        assert (body["deployment"], body["kind"], body["you"]) == (ID, "deploy", GRACE)
        assert api(world).call("GET", f"{PRODUCTION}/approval", who=JO)[1]["you"] is None

    def test_no_key_and_no_address_leaves_the_table(self, world: World) -> None:
        _, body = api(world).call("GET", f"{PRODUCTION}/approval")
        for kept in (TOKEN, "scr-platform.example", "nonces", "token", "U0000ADA"):
            assert kept not in str(body)

    def test_where_nothing_waits(self) -> None:
        status, body = api(World()).call("GET", f"{PRODUCTION}/approval")
        assert (status, body["error"]["code"]) == (409, "Refused")
        assert "is not waiting for approval" in body["error"]["message"]


class TestPlan:
    """What is approved is a plan: its words are shown, and its hash is sent back."""

    WORDS = {"changes": {"scr-api": ["memory: 1 becomes 2"]}, "not_frozen": ["Tags."], "since_approved": ["Why.", "x"]}

    def test_its_words_are_shown(self) -> None:
        world = World()
        world.edit(plan=world.deployment.require_plan().but(**self.WORDS))
        _, body = api(world.asked()).call("GET", f"{PRODUCTION}/approval")
        assert body["changes"] == [{"title": "scr-api", "lines": ["memory: 1 becomes 2"]}]
        assert (body["notFrozen"], body["sinceApproved"]) == (["Tags."], ["Why.", "x"])
        assert body["planHash"] == world.approval.plan_hash

    def test_another_one_than_was_reviewed_is_not_approved(self, world: World) -> None:
        status, body = call(world, "approve", version=SHORT, planHash="sha256:other")
        assert (status, body["error"]["code"]) == (409, "PlanChanged")
        assert "another plan" in body["error"]["message"]
        assert world.approval.decisions == []
        assert call(world, "approve", version=SHORT, planHash=world.approval.plan_hash)[0] == 200


class TestApprove:
    def test_counts_under_the_approvers_name_with_the_arn(self, world: World) -> None:
        outside = api(world)
        status, body = outside.call("POST", f"{PRODUCTION}/approve", {"version": SHORT}, who=ADA_ARN)

        assert (status, body["changed"], body["verdict"]) == (200, True, "Approved")
        decision = world.approval.decisions[0]
        assert (decision.name, decision.how, decision.identity) == (ADA, "cli", ADA_ARN)
        assert outside.outside.nudged == [("scr", "production")]

    @refused_documents.each
    def test_under_a_document_that_apply_would_refuse_today(
        self, world: World, refuse: refused_documents.Change
    ) -> None:
        stored = refused_documents.stored(world.store.platform("scr").document, refuse)
        world.store.write(Save(world.store.platform("scr").but(document=stored)))

        assert approve(world)[1]["verdict"] == "Approved"
        assert world.approval.status == "Approved"

    def test_twice_is_told_and_counts_once(self, world: World) -> None:
        approve(world)
        status, body = approve(world)
        assert (status, body["changed"], body["verdict"]) == (200, False, "AlreadyYours")
        assert len(world.approval.decisions) == 1

    def test_a_lost_nudge_loses_nothing(self, world: World) -> None:
        outside = api(world)
        outside.outside.down = True
        assert outside.call("POST", f"{PRODUCTION}/approve", {"version": SHORT}, who=ADA_ARN)[0] == 200
        assert world.approval.status == "Approved"

    @pytest.mark.parametrize("who", [JO, f"{ADA_ARN}-2", ADA_ARN[:-1], ADA_ARN.upper(), "ssm:/ferryman/scr/ada-arn"])
    def test_who_is_no_approver_is_told_why(self, world: World, who: str) -> None:
        status, body = approve(world, who)
        assert (status, body["error"]["code"]) == (403, "NotAllowed")
        assert who in body["error"]["message"]
        assert world.approval.status == "Pending"
        assert world.timeline()[-1] == ("DecisionRefused", who)

    def test_an_approver_without_an_arn_is_nobody_here(self, world: World) -> None:
        assert approve(world, "None")[0] == 403

    def test_who_asked_may_not(self) -> None:
        world = World()
        world.edit(initiated_by=Actor(who=ADA_ARN))
        world.asked()
        status, body = approve(world)
        assert (status, body["error"]["code"]) == (403, "NotAllowed")
        assert "You requested" in body["error"]["message"]
        assert approve(world, GRACE_ARN)[0] == 200

    @pytest.mark.parametrize(
        ("version", "status", "code"),
        [("0001234", 422, "WrongVersion"), ("", 422, "InvalidRequest"), (SHORT, 200, None), (VERSION, 200, None)],
    )
    def test_the_version_has_to_be_named(self, world: World, version: str, status: int, code: str | None) -> None:
        found, body = approve(world, version=version)
        assert (found, body.get("error", {}).get("code")) == (status, code)

    def test_while_frozen(self, world: World) -> None:
        world.edit_state(freeze=Freeze(reason="fair", who="kim", at=make.AT))
        status, body = approve(world)
        assert (status, body["error"]["code"]) == (409, "Frozen")
        assert "fair" in body["error"]["message"]

    def test_too_late(self, world: World) -> None:
        world.clock.forward(hours=24)
        status, body = approve(world)
        assert (status, body["error"]["code"]) == (409, "Expired")

    def test_once_the_deployment_is_over(self, world: World) -> None:
        world.edit(phase=Phase.ERRORED)
        world.edit_state(active=None)
        assert approve(world)[0] == 409

    @pytest.mark.parametrize("body", [{}, {"version": 7}, {"version": SHORT, "confirm": "x"}, []])
    def test_needs_what_it_needs(self, world: World, body: Any) -> None:
        status, answer = api(world).call("POST", f"{PRODUCTION}/approve", body, who=ADA_ARN)
        assert (status, answer["error"]["code"]) == (422, "InvalidRequest")
        assert world.approval.status == "Pending"


class TestReject:
    def test_with_a_reason(self, world: World) -> None:
        status, body = call(world, "reject", version=SHORT, reason="breaks the login")
        assert (status, body["changed"], body["verdict"]) == (200, True, "Rejected")
        assert (world.approval.status, world.approval.reason) == ("Rejected", "breaks the login")

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_without_one(self, world: World, reason: str) -> None:
        assert call(world, "reject", version=SHORT, reason=reason)[0] == 422
        assert world.approval.status == "Pending"

    def test_what_another_approved(self, world: World) -> None:
        approve(world, GRACE_ARN)
        status, body = call(world, "reject", version=SHORT, reason="no")
        assert (status, body["error"]["code"]) == (409, "AlreadyDecided")
        assert GRACE in body["error"]["message"]


class TestWhoAnArnProves:
    SSO = "AWSReservedSSO_Ops_0123456789abcdef"
    SESSION = f"arn:aws:sts::123456789012:assumed-role/{SSO}/grace@example.com"
    ROLE = "arn:aws:iam::123456789012:role/team/GraceOnly"
    AS_ROLE = "arn:aws:sts::123456789012:assumed-role/GraceOnly/whatever"

    def asked(self, arn: str) -> Api:
        world = World().asked({"approvers": [{"name": GRACE, "arn": arn}, {"name": ADA, "slack": "U12"}], "from": None})
        return api(world)

    def approve(self, outside: Api, who: str) -> tuple[int, str]:
        status, body = outside.call("POST", f"{PRODUCTION}/approve", {"version": SHORT}, who=who)
        return status, body.get("verdict") or body["error"]["code"]

    def test_an_identity_center_session_counts_if_its_role_is_identity_centers(self) -> None:
        outside = self.asked(self.SESSION)
        assert self.approve(outside, self.SESSION) == (403, "NotAllowed")
        outside.outside.identity_center.add(self.SSO)
        assert self.approve(outside, self.SESSION.replace("grace", "bob")) == (403, "NotAllowed")
        assert self.approve(outside, self.SESSION) == (200, "Approved")

    def test_nothing_is_decided_while_iam_does_not_tell(self) -> None:
        outside = self.asked(self.SESSION)
        outside.outside.iam_is_down = True
        assert self.approve(outside, self.SESSION) == (503, "Unavailable")

    def test_a_role_counts_while_it_is_declared_as_this_persons(self) -> None:
        outside = self.asked(self.ROLE)
        assert self.approve(outside, self.AS_ROLE) == (403, "NotAllowed")
        outside.outside.declared = People((Declared(ADA, self.ROLE),))
        assert self.approve(outside, self.AS_ROLE) == (403, "NotAllowed")
        outside.outside.declared = People((Declared(GRACE.upper(), self.ROLE),))
        assert self.approve(outside, self.AS_ROLE.replace("Only", "Too")) == (403, "NotAllowed")
        assert self.approve(outside, self.AS_ROLE) == (200, "Approved")

    def test_a_session_that_an_earlier_document_names_still_counts(self) -> None:
        session = "arn:aws:sts::123456789012:assumed-role/Admin/grace"
        assert self.approve(self.asked(session), session) == (200, "Approved")
