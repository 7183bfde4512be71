"""The words of a plan, ready to be shown: together where they are alike, and bounded."""

from ferryman.decisions import changes_in_words
from ferryman.records import PlannedCheck
from unit import builders as make

PLAN = make.plan(approval=True, migration=make.migration(), services={"scr-api": make.planned("scr-api")})
CHECK = PlannedCheck(
    name="api", url="https://api.example", status=[200], attempts=3, delay_seconds=1, timeout_seconds=5,
    expect_json={"version": "abc1234"},
)  # fmt: skip


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
        assert told[-1].lines == ["and 38 more; the command `approval` lists them"]

    def test_of_an_earlier_versions_plan_are_none(self) -> None:
        assert changes_in_words.text(PLAN, 10) == changes_in_words.again(PLAN, 10) == ""
        assert changes_in_words.text(None, 10) == ""

    def test_a_second_request_says_why_first(self) -> None:
        told = changes_in_words.again(PLAN.but(since_approved=["It is gone.", "a", "b", "c"]), 2)
        assert told.splitlines() == [
            "You are asked again: It is gone.", "What differs from what was approved:", "  - a", "  - b",
            "  - and 1 more",
        ]  # fmt: skip
