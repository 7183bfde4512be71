"""Is a rollout done? The judgement as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ferryman.decisions.rollout_verdict import Seen, Terms, judge, with_health
from ferryman.records import RolloutProgress, StepStatus
from unit.ecs_world import CHILD

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = T0 + timedelta(seconds=90)
TERMS = Terms(
    service="api",
    started_at=T0,
    followed_at=T0 + timedelta(seconds=5),
    timeout_seconds=600,
    fail_fast=2,
    digests={"app": frozenset({"sha256:new", CHILD})},
)
GOING = Seen(listed=True, primary=True, state="IN_PROGRESS", desired=2, running=1)
DONE = replace(GOING, state="COMPLETED", running=2, digests={"app": frozenset({CHILD})}, tasks=2)


def at(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seen", "terms", "now", "status", "reason"),
    [
        pytest.param(GOING, TERMS, NOW, None, "", id="in-progress"),
        pytest.param(DONE, TERMS, NOW, "Succeeded", "Completed", id="completed"),
        pytest.param(DONE, TERMS, at(601), "Succeeded", "Completed", id="completed-late-is-completed"),
        pytest.param(replace(GOING, running=2), TERMS, NOW, None, "", id="all-run-is-not-completed"),
        pytest.param(replace(GOING, desired=5), TERMS, NOW, None, "", id="scaled-out-in-the-middle"),
        pytest.param(replace(DONE, desired=5), TERMS, NOW, "Succeeded", "Completed", id="scaled-out-after-completion"),
        pytest.param(Seen(), TERMS, at(64), None, "", id="not-listed-yet"),
        pytest.param(Seen(), TERMS, at(65), "Failed", "DeploymentGone", id="not-listed-for-too-long"),
        pytest.param(replace(GOING, state="FAILED"), TERMS, NOW, "Failed", "BreakerTripped", id="breaker"),
        pytest.param(
            replace(GOING, state="FAILED", primary=False), TERMS, NOW, "Failed", "BreakerRolledBack", id="breaker-back"
        ),
        pytest.param(replace(GOING, primary=False), TERMS, NOW, "Failed", "Replaced", id="somebody-else-updated"),
        pytest.param(replace(DONE, primary=False), TERMS, NOW, "Failed", "Replaced", id="completed-but-replaced"),
        pytest.param(replace(GOING, failed=1), TERMS, NOW, None, "", id="one-failed-task"),
        pytest.param(replace(GOING, failed=2), TERMS, NOW, "Failed", "FailFast", id="fail-fast"),
        pytest.param(replace(GOING, failed=9), replace(TERMS, fail_fast=0), NOW, None, "", id="fail-fast-off"),
        pytest.param(replace(GOING, failed=3, not_its_fault=2), TERMS, NOW, None, "", id="aws-failed-two-of-three"),
        pytest.param(replace(GOING, failed=3, not_its_fault=1), TERMS, NOW, "Failed", "FailFast", id="two-of-its-own"),
        pytest.param(
            replace(GOING, state="FAILED", only_aws=True), TERMS, NOW, "Errored", "BreakerTripped", id="breaker-aws"
        ),
        pytest.param(replace(GOING, only_aws=True), TERMS, at(600), "Errored", "DeadlineExceeded", id="deadline-aws"),
        pytest.param(replace(DONE, failed=9), TERMS, NOW, "Succeeded", "Completed", id="completed-despite-failures"),
        pytest.param(GOING, TERMS, at(599), None, "", id="just-before-the-deadline"),
        pytest.param(GOING, TERMS, at(600), "Failed", "DeadlineExceeded", id="deadline"),
        pytest.param(replace(DONE, desired=0, running=0, tasks=0), TERMS, NOW, "Skipped", "ScaledToZero", id="zero"),
        pytest.param(replace(GOING, desired=0), TERMS, NOW, None, "", id="zero-in-progress"),
        pytest.param(
            replace(DONE, desired=0),
            replace(TERMS, digests=None, scaled_to_zero=StepStatus.SUCCEEDED),
            NOW,
            "Succeeded",
            "ScaledToZero",
            id="zero-on-the-way-back",
        ),
        pytest.param(
            replace(DONE, digests={"app": frozenset({"sha256:new"})}), TERMS, NOW, "Succeeded", "Completed", id="index"
        ),
        pytest.param(replace(DONE, digests={}), TERMS, NOW, "Succeeded", "Completed", id="digests-not-told"),
        pytest.param(
            replace(DONE, digests={"app": frozenset({CHILD, "sha256:other"})}),
            TERMS,
            NOW,
            "Failed",
            "WrongImage",
            id="wrong-image",
        ),
        pytest.param(replace(DONE, tasks=0, digests={}), TERMS, NOW, None, "", id="completed-no-task-yet"),
        pytest.param(
            replace(DONE, tasks=0, digests={}), TERMS, at(600), "Failed", "DeadlineExceeded", id="completed-no-task"
        ),
        pytest.param(
            replace(DONE, tasks=0, digests={}), replace(TERMS, digests=None), NOW, "Succeeded", "Completed", id="back"
        ),
        pytest.param(GOING, replace(TERMS, aborted="ann: wrong"), NOW, "Aborted", "AbortRequested", id="abort"),
        pytest.param(
            Seen(), replace(TERMS, aborted="ann: wrong"), T0, "Aborted", "AbortRequested", id="abort-unlisted"
        ),
    ],
)
def test_judge(seen: Seen, terms: Terms, now: datetime, status: str | None, reason: str) -> None:
    verdict = judge(seen, terms, now)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert bool(verdict.message) == (status is not None)


HEALTHY = replace(GOING, running=2, healthy=True, digests={"app": frozenset({CHILD})}, tasks=2)
DRAINS = replace(TERMS, healthy_at=at(60), drain_seconds=450)
"""All tasks were healthy after a minute; the old ones have until 510."""
LOST = replace(TERMS, lost_at=at(300), drain_seconds=450)


@pytest.mark.parametrize(
    ("seen", "terms", "now", "status", "reason"),
    [
        pytest.param(HEALTHY, DRAINS, NOW, None, "", id="healthy-is-not-completed"),
        pytest.param(
            HEALTHY, replace(DRAINS, timeout_seconds=61), at(500), None, "", id="old-tasks-may-outlast-timeout"
        ),
        pytest.param(HEALTHY, DRAINS, at(509), None, "", id="just-before-the-bound"),
        pytest.param(HEALTHY, DRAINS, at(510), "Succeeded", "OldTasksRemain", id="old-tasks-remain"),
        pytest.param(
            HEALTHY,
            replace(DRAINS, timeout_seconds=60),
            at(510),
            "Succeeded",
            "OldTasksRemain",
            id="long-after-timeout",
        ),
        pytest.param(
            HEALTHY, replace(DRAINS, digests=None), at(510), "Succeeded", "OldTasksRemain", id="remain-on-the-way-back"
        ),
        pytest.param(
            replace(HEALTHY, digests={"app": frozenset({"sha256:x"})}), DRAINS, NOW, "Failed", "WrongImage", id="wrong"
        ),
        pytest.param(
            replace(HEALTHY, state="FAILED"),
            DRAINS,
            NOW,
            "Failed",
            "BreakerTripped",
            id="given-up-while-old-ones-drain",
        ),
        pytest.param(replace(HEALTHY, primary=False), DRAINS, NOW, "Failed", "Replaced", id="replaced-while-draining"),
        pytest.param(replace(HEALTHY, failed=2), DRAINS, NOW, "Failed", "FailFast", id="fails-while-draining"),
        pytest.param(replace(HEALTHY, state="COMPLETED"), DRAINS, NOW, "Succeeded", "Completed", id="completed"),
        pytest.param(
            replace(HEALTHY, desired=0, running=0, tasks=0), DRAINS, at(510), "Skipped", "ScaledToZero", id="to-zero"
        ),
        pytest.param(replace(GOING, healthy=False), TERMS, at(599), None, "", id="not-healthy-yet"),
        pytest.param(
            replace(GOING, running=2, healthy=False), TERMS, at(600), "Failed", "DeadlineExceeded", id="runs-but-is-ill"
        ),
        pytest.param(
            replace(GOING, running=2, unread="refused"), TERMS, at(600), "Failed", "DeadlineExceeded", id="cannot-tell"
        ),
        pytest.param(replace(GOING, healthy=False), LOST, at(899), None, "", id="lost-has-timeout-again"),
        pytest.param(
            replace(GOING, healthy=False), LOST, at(900), "Failed", "DeadlineExceeded", id="lost-for-too-long"
        ),
        pytest.param(
            replace(HEALTHY), replace(DRAINS, healthy_at=at(1700)), at(2099), None, "", id="flaps-just-before"
        ),
        pytest.param(
            HEALTHY, replace(DRAINS, healthy_at=at(1700)), at(2100), "Failed", "DeadlineExceeded", id="flaps-for-ever"
        ),
        pytest.param(
            replace(GOING, healthy=False),
            replace(LOST, lost_at=at(1900)),
            at(2100),
            "Failed",
            "DeadlineExceeded",
            id="flaps-for-ever-ill",
        ),
        pytest.param(HEALTHY, replace(DRAINS, aborted="ann"), NOW, "Aborted", "AbortRequested", id="abort-in-draining"),
    ],
)
def test_two_bounds(seen: Seen, terms: Terms, now: datetime, status: str | None, reason: str) -> None:
    verdict = judge(seen, terms, now)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert not verdict.proceeds


@pytest.mark.parametrize(
    ("seen", "terms", "now", "proceeds"),
    [
        pytest.param(HEALTHY, DRAINS, NOW, True, id="healthy"),
        pytest.param(replace(GOING, healthy=False), TERMS, NOW, False, id="not-healthy"),
        pytest.param(replace(GOING, running=2), TERMS, NOW, False, id="cannot-tell"),
        pytest.param(HEALTHY, DRAINS, at(510), False, id="ended"),
        pytest.param(replace(HEALTHY, state="FAILED"), DRAINS, NOW, False, id="given-up"),
    ],
)
def test_the_next_wave_begins_only_with_healthy_tasks(seen: Seen, terms: Terms, now: datetime, proceeds: bool) -> None:
    assert judge(seen, replace(terms, may_proceed=True), now).proceeds is proceeds


def test_health_is_noted_with_its_time() -> None:
    fresh = RolloutProgress(service="api", direction="forward")
    healthy = with_health(fresh, True, at(60))
    assert (healthy.healthy_at, healthy.lost_at) == (at(60), None)
    assert with_health(healthy, True, at(90)) == healthy
    assert with_health(healthy, None, at(90)) == healthy, "an unread target group is no loss"
    lost = with_health(healthy, False, at(90))
    assert (lost.healthy_at, lost.lost_at) == (None, at(90))
    assert with_health(lost, False, at(99)) == lost
    assert with_health(lost, True, at(120)).healthy_at == at(120)
    assert with_health(fresh, False, at(60)) == fresh


def test_a_look_that_began_before_the_noted_one_changes_nothing() -> None:
    healthy = RolloutProgress(service="api", direction="forward", healthy_at=at(60))
    lost = healthy.but(healthy_at=None, lost_at=at(60))
    assert with_health(healthy, False, at(59)) == healthy
    assert with_health(lost, True, at(59)) == lost


def test_what_could_not_be_read_is_told_with_the_deadline() -> None:
    said = judge(replace(GOING, running=2, unread="DescribeTargetHealth was refused."), TERMS, at(600)).message
    assert "not healthy after 600 s (2/2 run). DescribeTargetHealth was refused." in said
