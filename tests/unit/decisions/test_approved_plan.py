"""When an approval no longer covers what would run."""

from typing import Any

import pytest

from ferryman.decisions import approved_plan
from ferryman.records import Decision, PlannedCheck
from unit import builders as make
from unit.approving import ADA, APPROVERS, GRACE, World, document

PLAN = make.plan(approval=True, migration=make.migration(), services={"scr-api": make.planned("scr-api")})
CHECK = PlannedCheck(
    name="api", url="https://api.example", status=[200], attempts=3, delay_seconds=1, timeout_seconds=5,
    expect_json={"version": "abc1234"},
)  # fmt: skip


class TestVoid:
    @pytest.fixture
    def world(self) -> World:
        world = World().asked()
        world.decide()
        return world

    def void(self, world: World, *, gone: list[str] | None = None, **policy: Any) -> str | None:
        environment = document(policy).environment("production")
        return approved_plan.void(world.deployment, world.approval, environment, gone or [])

    def test_what_was_approved_stands(self, world: World) -> None:
        assert self.void(world) is None
        assert self.void(world, expires="12h", forRollback=True) is None

    def test_what_is_gone_voids(self, world: World) -> None:
        told = self.void(world, gone=["task definition x:1 was deleted", "image y is no longer in z"])
        assert told == (
            "what was approved cannot run any more: task definition x:1 was deleted and image y is no longer in z"
        )

    def test_more_approvals_than_were_given_void(self, world: World) -> None:
        assert "now requires 2 approvals" in str(self.void(world, required=2))

    def test_what_an_approver_decided_who_was_removed_stands(self, world: World) -> None:
        assert self.void(world, approvers=APPROVERS[1:]) is None

    def test_a_requester_who_may_no_longer_approve_counts_no_more(self, world: World) -> None:
        world.put(world.approval.but(requester=ADA, requester_may_approve=True))
        assert self.void(world, requesterMayApprove=True) is None
        assert self.void(world) is not None

    def test_unverified_votes_count_only_while_they_are_allowed(self, world: World) -> None:
        vote = Decision(name="Kim", verdict="approve", how="shared link", identity="unverified", at=make.AT)
        world.put(world.approval.but(decisions=[vote]))
        assert self.void(world, allowUnverified=True) is None
        assert self.void(world) is not None

    def test_a_request_of_an_earlier_version_is_left_alone(self, world: World) -> None:
        world.put(world.approval.but(plan_hash=""))
        assert self.void(world, gone=["x"], required=2) is None

    def test_a_policy_that_was_taken_out_is_no_reason(self, world: World) -> None:
        environment = document().environment("production").model_copy(update={"approval": None})
        assert approved_plan.void(world.deployment, world.approval, environment, []) is None

    def test_two_of_two(self, world: World) -> None:
        vote = world.approval.decisions[0]
        world.put(world.approval.but(decisions=[vote, vote.but(name=GRACE.upper())]))
        assert self.void(world, required=2) is None
