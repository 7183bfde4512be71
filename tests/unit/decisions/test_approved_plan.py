"""The hash of a plan, the difference between two, and when an approval no longer covers one."""

from typing import Any

import pytest

from ferryman.decisions import approved_plan, changes_in_words, plan_difference
from ferryman.decisions.plan_hash import plan_hash
from ferryman.records import Decision, Plan, PlannedCheck
from unit import builders as make
from unit.approving import ADA, APPROVERS, GRACE, World, deployment, document

PLAN = make.plan(approval=True, migration=make.migration(), services={"scr-api": make.planned("scr-api")})
CHECK = PlannedCheck(
    name="api", url="https://api.example", status=[200], attempts=3, delay_seconds=1, timeout_seconds=5,
    expect_json={"version": "abc1234"},
)  # fmt: skip


class TestHash:
    def test_is_the_same_for_the_same(self) -> None:
        one = plan_hash(deployment(plan=PLAN))
        assert one == plan_hash(deployment(plan=Plan.model_validate(PLAN.dump()), id="01K0000000000000000000MORE"))
        assert len(one) == 71

    def test_leaves_out_the_generation_and_what_a_later_version_adds(self) -> None:
        assert plan_hash(deployment(plan=PLAN)) == plan_hash(deployment(plan=PLAN.but(generation=99)))
        without = {name: value for name, value in PLAN.dump().items() if name not in ("changes", "sinceApproved")}
        assert plan_hash(deployment(plan=PLAN)) == plan_hash(deployment(plan=Plan.model_validate(without)))

    @pytest.mark.parametrize(
        "changes",
        [
            {"cluster": "other"},
            {"waves": [["scr-api"]]},
            {"services": {"scr-api": make.planned("scr-api", base_task_definition=make.definition("scr-api", 2))}},
            {"services": {"scr-api": make.planned("scr-api", image="x")}},
            {"services": {"scr-api": make.planned("scr-api", timeout_seconds=1)}},
            {"migration": make.migration(command=["sh"])},
            {"migration": make.migration(image="x")},
            {"checks": [CHECK]},
            {"jobs": {"job/x": make.planned_job("x")}},
            {"on_failure": "hold"},
            {"changes": {"scr-api": ["other words"]}},
        ],
    )
    def test_covers_all_that_runs(self, changes: Any) -> None:
        assert plan_hash(deployment(plan=PLAN)) != plan_hash(deployment(plan=PLAN.but(**changes)))

    @pytest.mark.parametrize("changes", [{"kind": "rollback"}, {"digests": {}}, {"version": "x"}, {"command": "down"}])
    def test_covers_what_the_plan_is_for(self, changes: Any) -> None:
        assert plan_hash(deployment(plan=PLAN)) != plan_hash(deployment(plan=PLAN, **changes))

    def test_of_no_plan_is_empty(self) -> None:
        assert plan_hash(deployment(plan=None)) == ""


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


class TestDifference:
    def since(self, before: Plan, after: Plan) -> list[str]:
        return plan_difference.since_approved(before, after, "why", versions=("abc1234", "abc1234"))

    def test_of_nothing(self) -> None:
        assert self.since(PLAN, PLAN) == ["why", "Nothing differs from what was approved."]

    def test_names_bases_images_and_words(self) -> None:
        other = make.planned("scr-api", base_task_definition=make.definition("scr-api", 2), digest=make.digest("b"))
        task = make.migration(base_task_definition=make.definition("scr-migrate", 2))
        after = PLAN.but(services={"scr-api": other}, migration=task, changes={"scr-api": ["memory: 1 becomes 2"]})
        assert self.since(PLAN, after)[1:] == [
            "scr-api: base scr-api:1 becomes scr-api:2",
            "scr-api: image: aaaaaaaaaaaa becomes bbbbbbbbbbbb",
            "migration: base scr-migrate:1 becomes scr-migrate:2",
            "scr-api, new: memory: 1 becomes 2",
        ]

    def test_is_bounded(self) -> None:
        after = PLAN.but(changes={"scr-api": [f"line {number}" for number in range(500)]})
        assert len(self.since(PLAN, after)) == 42
        assert self.since(PLAN, after)[-1] == "and 460 more"

    def test_a_version_in_a_smoke_test_is_no_difference(self) -> None:
        later = CHECK.but(expect_json={"version": "def5678"})
        plans = PLAN.but(checks=[CHECK]), PLAN.but(checks=[later])
        assert plan_difference.of_policy(*plans, versions=("abc1234", "def5678")) == {}
        told = plan_difference.of_policy(*plans, versions=("abc1234", "abc1234"))
        assert told == {plan_difference.WHOLE: ["smoke tests: changed api"]}

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"waves": [["scr-api"]]}, "services and jobs: removed scr-web"),
            ({"waves": [["scr-web"], ["scr-api"]]}, "the order of the services changed"),
            ({"waves": [["scr-api", "scr-web"]]}, "the waves changed"),
            ({"cluster": "arn:cluster/other"}, "the cluster changed: scr-staging becomes other"),
            ({"on_failure": "hold"}, "on failure: rollback becomes hold"),
        ],
    )
    def test_of_the_rest_of_the_plan(self, changes: Any, line: str) -> None:
        assert plan_difference.of_policy(PLAN, PLAN.but(**changes), versions=("", "")) == {
            plan_difference.WHOLE: [line]
        }


class TestWords:
    def test_alike_services_are_told_together(self) -> None:
        changes = {"a": ["x"], "b": ["x"], "c": [], "job/d": ["y"]}
        told = changes_in_words.changes(PLAN.but(changes=changes), 10)
        assert [(item.title, item.lines) for item in told] == [
            ("a, b", ["x"]), ("job d", ["y"]), ("c", [changes_in_words.NOTHING]),
        ]  # fmt: skip

    def test_are_cut_and_say_so(self) -> None:
        changes = {f"s{number}": [f"{number}.{line}" for line in range(5)] for number in range(10)}
        told = changes_in_words.changes(PLAN.but(changes=changes), 12)
        assert sum(len(item.lines) for item in told) == 13
        assert told[-1].lines == ["and 38 more; see `ferryman approval`"]

    def test_of_an_earlier_versions_plan_are_none(self) -> None:
        assert changes_in_words.text(PLAN, 10) == changes_in_words.again(PLAN, 10) == ""
        assert changes_in_words.text(None, 10) == ""

    def test_a_second_request_says_why_first(self) -> None:
        told = changes_in_words.again(PLAN.but(since_approved=["It is gone.", "a", "b", "c"]), 2)
        assert told.splitlines() == [
            "You are asked again: It is gone.", "What differs from what was approved:", "  - a", "  - b",
            "  - and 1 more",
        ]  # fmt: skip
