"""What an environment's snapshot tells of itself: the latest attempt, what errored, and what is ours."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Phase
from unit import builders as make
from unit.decisions.situations import NOW, changed, idle, release, settled


def attempt(number: int, phase: Phase, **changes: Any) -> Any:
    return make.deployment(version=f"r{number}", phase=phase, **changes)


def test_what_runs_is_a_release_only_where_it_is_known() -> None:
    assert idle(1, 2).current == release(1)
    assert idle(2).current is None
    assert idle(1, current=None).current is None


def test_the_latest_attempt_is_the_newest_that_ended_and_was_not_skipped() -> None:
    skipped, runs, failed = attempt(4, Phase.SUPERSEDED), attempt(3, Phase.RUNNING), attempt(2, Phase.FAILED)

    assert idle(1, deployments=(skipped, runs, failed, attempt(1, Phase.SUCCEEDED))).latest == failed
    assert idle(1, deployments=(skipped, runs)).latest is None


AGAIN = {"r2": settled(Phase.ERRORED, 60)}


@pytest.mark.parametrize(
    ("latest", "changes", "expected"),
    [
        pytest.param(attempt(2, Phase.ERRORED), {"settled": AGAIN}, "r2", id="errored-and-to-be-tried-again"),
        pytest.param(attempt(2, Phase.FAILED), {"settled": AGAIN}, None, id="failed"),
        pytest.param(attempt(2, Phase.ERRORED, kind="migrate"), {"settled": AGAIN}, None, id="a-persons-command"),
        pytest.param(attempt(2, Phase.ERRORED, kind="redeploy"), {"settled": AGAIN}, "r2", id="whoever-asked"),
        pytest.param(attempt(2, Phase.ERRORED), {}, None, id="not-settled"),
        pytest.param(
            attempt(2, Phase.ERRORED), {"settled": {"r2": settled(Phase.ERRORED)}}, None, id="not-tried-any-more"
        ),
        pytest.param(attempt(9, Phase.ERRORED), {"settled": AGAIN}, None, id="its-release-is-gone"),
        pytest.param(attempt(2, Phase.ERRORED), {"settled": AGAIN, "current": 3}, None, id="older-than-what-runs"),
    ],
)
def test_what_errored_last(latest: Any, changes: dict[str, Any], expected: str | None) -> None:
    found = idle(1, 2, 3, deployments=(latest,), **({"current": 1} | changes)).errored()

    assert (found.version if found else None) == expected


def test_ours_are_releases_that_became_whole_after_the_adoption() -> None:
    before, after = (release(2, ready_at=NOW - timedelta(hours=hours)) for hours in (3, 1))
    adopted = changed(idle(1), adopted_at=NOW - timedelta(hours=2))

    assert [adopted.ours(item) for item in (before, after, release(2, ready_at=None))] == [False, True, True]
    assert idle(1).ours(before), "an environment that was never adopted has been ours from the beginning"
