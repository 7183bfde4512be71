"""Health: what ECS says of services, the table in the docs, and what is recorded of a look."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions import health as module
from ferryman.decisions.decide import decide
from ferryman.decisions.health import STALE, Health, health, judge_services
from ferryman.decisions.snapshot import LiveService, Snapshot
from ferryman.records import Deployment, EnvironmentState, LiveHealth, Phase
from unit import builders as make
from unit.decisions.situations import NOW, STAGING, active, applied, idle, observed
from unit.decisions.status_table import table

WELL = LiveService(desired=2, running=2, rollout="COMPLETED")
SEEN: dict[str, LiveService | None] = {
    "AsDesired": WELL,
    "ScaledToZero": replace(WELL, desired=0, running=0),
    "RolloutInProgress": replace(WELL, running=1, rollout="IN_PROGRESS"),
    "TasksStarting": replace(WELL, running=1, pending=1),
    "ServiceMissing": None,
    "RolloutFailed": replace(WELL, rollout="FAILED"),
    "NothingRunning": replace(WELL, running=0, pending=2),
    "TasksMissing": replace(WELL, running=1),
}
"""What is observed, by the reason that it has to give."""


def now_of(state: EnvironmentState, deployment: Deployment | None = None, environment: Any = STAGING) -> Health:
    return health(environment, state, deployment, NOW)


def states() -> dict[str, Health]:
    seen = LiveHealth(status="Healthy", reason="AsDesired", message="All.", at=NOW)
    state = idle(1, health=seen).state
    looks = {reason: judge_services({"scr-api": service}, NOW) for reason, service in SEEN.items()}
    return {reason: now_of(state.but(health=look)) for reason, look in looks.items()} | {
        "Deploying": now_of(state, make.deployment(phase=Phase.RUNNING)),
        "RollingBack": now_of(state, make.deployment(phase=Phase.ROLLING_BACK)),
        "NotSeen": now_of(state.but(health=None)),
        "SeenTooLongAgo": now_of(state.but(health=seen.but(at=NOW - STALE - timedelta(seconds=1)))),
        "NothingDeployed": now_of(state.but(current=None)),
        "NoServices": now_of(state, environment=STAGING.model_copy(update={"waves": []})),
    }


@pytest.mark.parametrize(("reason", "status"), table("health").items())
def test_a_row_of_the_table(reason: str, status: str) -> None:
    found = states()[reason]
    assert (found.status, found.reason) == (status, reason)


def test_the_table_has_every_reason() -> None:
    assert set(table("health")) == set(states())


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        pytest.param({"a": WELL, "b": None, "c": SEEN["TasksStarting"]}, ("Degraded", "ServiceMissing"), id="worst"),
        pytest.param({"a": WELL, "c": SEEN["TasksStarting"]}, ("Progressing", "TasksStarting"), id="starting"),
        pytest.param({"a": WELL, "z": SEEN["ScaledToZero"]}, ("Healthy", "AsDesired"), id="one-at-zero"),
        pytest.param(
            {"a": LiveService(desired=2, running=0, rollout="IN_PROGRESS")},
            ("Progressing", "RolloutInProgress"),
            id="a-first-rollout",
        ),
        pytest.param(
            {"a": LiveService(desired=2, running=0, rollout="IN_PROGRESS", failed=3)},
            ("Degraded", "NothingRunning"),
            id="a-rollout-whose-tasks-fail",
        ),
        pytest.param(
            {"a": LiveService(desired=2, running=2, rollout="IN_PROGRESS", failed=3)},
            ("Progressing", "RolloutInProgress"),
            id="old-tasks-serve-meanwhile",
        ),
        pytest.param(
            {"a": LiveService(desired=2, running=3, rollout="COMPLETED")}, ("Healthy", "AsDesired"), id="scaling-in"
        ),
        pytest.param({"a": LiveService(desired=1, running=1)}, ("Healthy", "AsDesired"), id="no-rollout-state"),
    ],
)
def test_several_services(services: dict[str, LiveService | None], expected: tuple[str, str]) -> None:
    found = judge_services(services, NOW)
    assert (found.status, found.reason) == expected


def test_the_message_names_the_services_that_are_not_well() -> None:
    found = judge_services({"web": WELL, "api": None, "worker": SEEN["TasksMissing"]}, NOW)
    assert found.message == (
        "api does not exist in its cluster and worker runs fewer tasks than it should (1 of 2 tasks running)."
    )


def test_the_message_of_two_hundred_services_names_three() -> None:
    found = judge_services({f"service-{number:03}": None for number in range(200)}, NOW)
    assert "service-002" in found.message
    assert "service-003" not in found.message
    assert found.message.endswith("and 197 more.")


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.AWAITING_APPROVAL])
def test_a_deployment_that_changes_nothing_yet_leaves_what_was_seen(phase: Phase) -> None:
    seen = judge_services({"api": None}, NOW)
    found = now_of(idle(1, health=seen).state, make.deployment(phase=phase))
    assert (found.status, found.observed_at) == ("Degraded", NOW)


def test_a_database_command_changes_no_service() -> None:
    seen = judge_services({"api": WELL}, NOW)
    assert now_of(idle(1, health=seen).state, make.deployment(phase=Phase.RUNNING, kind="migrate")).status == "Healthy"


class TestWhatIsRecorded:
    def look(self, view: Snapshot, at: timedelta = timedelta()) -> LiveHealth | None:
        return module.observed(view, NOW + at)

    def test_a_look_is_recorded_and_found_again(self) -> None:
        view = idle(1, services={"scr-api": WELL}, swept=True)
        after = applied(view, decide(view, NOW))
        assert after.state.health == judge_services({"scr-api": WELL}, NOW)
        assert decide(after, NOW) == []

    def test_without_a_look_what_was_seen_stays(self) -> None:
        seen = judge_services({"scr-api": None}, NOW - timedelta(minutes=4))
        assert observed(idle(1, health=seen)).health == seen

    def test_looks_in_quick_succession_write_once(self) -> None:
        seen = judge_services({"scr-api": WELL}, NOW)
        view = idle(1, health=seen, services={"scr-api": WELL})
        assert self.look(view, timedelta(seconds=59)) == seen
        assert self.look(view, timedelta(seconds=60)) == seen.but(at=NOW + timedelta(seconds=60))

    def test_a_change_is_written_at_once(self) -> None:
        seen = judge_services({"scr-api": WELL}, NOW)
        view = idle(1, health=seen, services={"scr-api": None})
        found = self.look(view, timedelta(seconds=1))
        assert found is not None
        assert found.status == "Degraded"

    def test_what_runs_is_looked_at_while_people_decide(self) -> None:
        view = active(make.deployment(phase=Phase.AWAITING_APPROVAL), services={"scr-api": None})
        found = observed(view).health
        assert found is not None
        assert found.reason == "ServiceMissing"
