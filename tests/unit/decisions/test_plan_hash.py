"""The hash of a plan: of all that runs, and of nothing else."""

from typing import Any

import pytest

from ferryman.decisions.plan_hash import plan_hash
from ferryman.records import Plan, PlannedCheck
from unit import builders as make
from unit.approving import deployment

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
