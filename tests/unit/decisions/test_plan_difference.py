"""The difference between two plans, in words."""

from typing import Any

import pytest

from ferryman.decisions import plan_difference
from ferryman.records import Plan, PlannedCheck
from unit import builders as make

PLAN = make.plan(approval=True, migration=make.migration(), services={"scr-api": make.planned("scr-api")})
CHECK = PlannedCheck(
    name="api", url="https://api.example", status=[200], attempts=3, delay_seconds=1, timeout_seconds=5,
    expect_json={"version": "abc1234"},
)  # fmt: skip


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
