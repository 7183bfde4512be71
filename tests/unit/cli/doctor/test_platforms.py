"""What the operator says of a platform, and its target groups."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ferryman_cli.doctor import platforms
from ferryman_cli.doctor.checks import Blind, Check

NOW = "2026-12-01T12:00:00+00:00"
STATES = {"healthy": "healthy", "sick": "unhealthy"}


def waiting(since: str | None) -> Check:
    environments = [{"name": "production", "waitingSince": None}, {"name": "staging", "waitingSince": since}]
    return platforms.unreconciled([{"name": "scr", "environments": environments}], NOW)


def largest(share: float) -> Check:
    return platforms.records(
        [{"name": "scr", "largest": {"record": "the document", "bytes": int(share * 1000), "limit": 1000}}]
    )


def targets(*states: str) -> dict[str, Any]:
    return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}


@pytest.mark.parametrize(
    ("check", "status", "words", "cure"),
    [
        (waiting(None), "ok", "no release waits", ""),
        (waiting("2026-12-01T11:59:00+00:00"), "ok", "60s in scr/staging", ""),
        (waiting("2026-12-01T11:30:00+00:00"), "warning", "30m in scr/staging", "ferryman explain staging -p scr"),
        (waiting("2026-12-01T10:00:00+00:00"), "problem", "120m in scr/staging", "OldestUnreconciledAlarm"),
        (largest(0.1), "ok", "the document of scr, 10%", ""),
        (largest(0.85), "warning", "85%", "Split the platform"),
        (largest(0.96), "problem", "96%", "Split the platform"),
        (platforms.records([]), "ok", "none yet", ""),
        (platforms.targets({"api (tg)": targets("unhealthy", "healthy")}), "ok", "each of 1", ""),
        (platforms.targets({"api (tg)": targets("unhealthy")}), "problem", "api (tg)", "health checks"),
        (platforms.targets({"api (tg)": targets()}), "problem", "api (tg)", "health checks"),
        (platforms.targets({"api (tg)": None}), "problem", "api (tg)", "health checks"),
        (platforms.targets({"staging": Blind("ecs:DescribeServices")}), "can't look", "ecs:DescribeServices", "perm"),
    ],
)
def test_each_is_judged_with_its_cure(check: Check, status: str, words: str, cure: str) -> None:
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check


def test_each_problem_of_an_environment_is_a_line() -> None:
    verified = {
        "notes": [],
        "problems": [{"path": "cluster", "message": "is not there"}, {"path": "waves", "message": "is odd"}],
    }
    found = platforms.environment("scr", "staging", verified)
    assert [(check.verdict, check.name, check.message) for check in found] == [
        ("problem", "scr/staging", "cluster: is not there"),
        ("problem", "scr/staging", "waves: is odd"),
    ]
    assert "ferryman verify staging -p scr" in found[0].next_step
    assert [one.verdict for one in platforms.environment("scr", "staging", {"problems": [], "notes": []})] == ["ok"]


def test_what_the_operator_could_not_tell_is_not_called_fine() -> None:
    notes = [{"path": "spec.environments", "message": "nobody could tell"}, {"path": "spec.x", "message": "a remark"}]
    found = platforms.environment("scr", "staging", {"problems": [], "notes": notes})
    assert [(one.verdict, one.message) for one in found] == [("can't look", "can't look: nobody could tell")]


def test_the_operators_clock_is_compared_with_awss_not_with_this_machines() -> None:
    here = datetime(2026, 12, 1, 12, 5, tzinfo=UTC)
    assert platforms.operators_clock(NOW, here, 300.0) is None
    off = platforms.operators_clock(NOW, here, 0.0)
    assert off is not None
    assert (off.verdict, "300 seconds off" in off.message) == ("problem", True)


def test_a_platform_without_target_groups_has_no_line() -> None:
    assert platforms.targets({}) is None
