"""How a deployment goes on after the decision, as the page tells it."""

from datetime import timedelta

import pytest

from ferryman.approvals.web.progress import progress
from ferryman.records import Phase, Publication, Step, StepStatus, step_keys
from pages import asking
from unit import builders as make

NOW = make.AT + timedelta(minutes=7)


@pytest.mark.parametrize("phase", list(Phase))
def test_progress_of_every_phase(phase: Phase) -> None:
    found = progress(asking.approval(status="Approved"), asking.deployment(phase=phase), NOW)

    assert found.headline
    assert found.running == (not phase.terminal)


def test_progress_names_failures_and_the_way_back() -> None:
    first = asking.SERVICES[0]
    failed = make.rollout(first, "Failed", reason="BreakerRolledBack", message="the breaker rolled it back")
    deployment = asking.deployment(
        phase=Phase.ROLLED_BACK,
        message="It went back.",
        steps={
            step_keys.rollout(first, "forward"): failed,
            step_keys.rollout(first, "back"): make.rollout(first, direction="back"),
            step_keys.MIGRATION: Step(status=StepStatus.SKIPPED, reason="NoMigration", started_at=NOW, ended_at=NOW),
        },
        publication=Publication(status="Published", url="javascript:alert(1)", at=NOW),
    )

    found = progress(asking.approval(status="Approved"), deployment, NOW)

    lines = {line.title: line for line in found.lines}
    assert lines[f"Rollout of {first}"].note == "the breaker rolled it back"
    assert found.lines[-1].title == f"Rollback of {first}"
    assert lines["Database migration"].word == "skipped"
    assert lines["Smoke test"].word == "not started"
    assert found.release_url is None
