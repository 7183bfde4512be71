"""What a deployment's records tell: the step that decided it, what was changed, what was taken back."""

from datetime import timedelta

import pytest

from ferryman.decisions.deployment_report import also_failed, cause_of, changed, migrations, took, way_back
from ferryman.records import MigrationProgress, Step, step_keys
from unit import builders as make

API, WEB = make.SERVICES
F_API, F_WEB = (step_keys.rollout(name, "forward") for name in make.SERVICES)
HEALTHY = make.rollout(API, "Aborted", reason="EndedWhileDraining")
B_API, B_WEB = (step_keys.rollout(name, "back") for name in make.SERVICES)


def later(step: Step, minutes: int = 1) -> Step:
    return step.but(started_at=make.AT + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("steps", "cause", "others"),
    [
        pytest.param(make.passed(), None, [], id="all-passed"),
        pytest.param({}, None, [], id="nothing-began"),
        pytest.param({F_API: make.rollout(API, "Failed")}, F_API, [], id="one-failed"),
        pytest.param(
            {F_API: make.rollout(API, "Errored"), F_WEB: later(make.rollout(WEB, "Failed"))},
            F_WEB,
            [F_API],
            id="a-failure-is-graver-than-an-error-before-it",
        ),
        pytest.param(
            {F_API: make.rollout(API, "Aborted"), F_WEB: later(make.rollout(WEB, "Errored"))},
            F_WEB,
            [],
            id="an-error-is-graver-than-what-was-stopped",
        ),
        pytest.param(
            {F_API: make.rollout(API, "Failed"), F_WEB: later(make.rollout(WEB, "Failed"))},
            F_API,
            [F_WEB],
            id="the-first-of-two-failures",
        ),
        pytest.param(
            {F_API: HEALTHY, F_WEB: later(make.rollout(WEB, "Aborted"))}, F_WEB, [], id="never-what-was-healthy"
        ),
        pytest.param(
            {F_API: HEALTHY, B_API: make.rollout(API, direction="back")}, None, [], id="only-what-was-healthy"
        ),
        pytest.param(
            {F_API: make.rollout(API), B_API: make.rollout(API, "Failed", "back")}, None, [], id="the-way-back-is-none"
        ),
        pytest.param(
            {F_WEB: make.rollout(WEB, "Failed"), B_API: make.rollout(API, "Failed", "back")},
            F_WEB,
            [],
            id="a-failure-on-the-way-back-is-no-other-failure",
        ),
    ],
)
def test_the_step_that_decided(steps: dict[str, Step], cause: str | None, others: list[str]) -> None:
    deployment = make.deployment(steps=steps)
    found = cause_of(deployment)

    assert (found.key if found else None) == cause
    assert [other.key for other in also_failed(deployment, found)] == others


def test_a_cause_knows_its_service_and_its_exit_code() -> None:
    rollout = cause_of(make.deployment(steps={F_API: make.rollout(API, "Failed")}))
    ran = cause_of(
        make.deployment(steps={step_keys.MIGRATION: make.step("Failed", migration=MigrationProgress(exit_code=3))})
    )

    assert rollout is not None
    assert ran is not None
    assert (rollout.service, rollout.exit_code) == (API, None)
    assert (ran.service, ran.exit_code) == (step_keys.MIGRATION, 3)


def test_changed_are_those_with_a_target_in_the_order_of_the_plan() -> None:
    both = {F_WEB: make.rollout(WEB, "Failed"), F_API: later(make.rollout(API))}

    assert changed(make.deployment(steps=both)) == [API, WEB]
    assert changed(make.deployment(steps=both, plan=None)) == [WEB, API]
    assert changed(make.deployment(steps={F_API: make.rollout(API, "Skipped"), F_WEB: make.rollout(WEB)})) == [WEB]
    assert changed(make.deployment(steps={})) == []


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(None, [], id="no-step"),
        pytest.param(make.step("Skipped", "NoMigration"), [], id="skipped"),
        pytest.param(make.step("Failed", migration=MigrationProgress()), [], id="its-task-never-started"),
        pytest.param(make.step("Running", migration=MigrationProgress(task="arn:task")), ["begun"], id="runs"),
        pytest.param(
            make.step("Failed", migration=MigrationProgress(task="arn:task")), ["begun"], id="failed-half-way"
        ),
        pytest.param(make.step(migration=MigrationProgress(task="arn:task")), ["succeeded"], id="succeeded"),
    ],
)
def test_whether_the_database_was_changed(step: Step | None, expected: list[str]) -> None:
    steps = {} if step is None else {step_keys.MIGRATION: step}

    assert [item.result for item in migrations(make.deployment(steps=steps))] == expected


@pytest.mark.parametrize(
    ("step", "where", "not_back"),
    [
        pytest.param(make.rollout(API, direction="back", revision=1), "back", False, id="back"),
        pytest.param(make.step("Skipped", "Untouched"), "back", False, id="needed-no-way-back"),
        pytest.param(make.step("Skipped", "HoldPolicy"), "held", False, id="the-policy-leaves-it"),
        pytest.param(make.step("Skipped", "NoTarget"), "without_target", False, id="nothing-to-go-back-to"),
        pytest.param(make.rollout(API, "Failed", "back"), "failed", True, id="failed"),
        pytest.param(make.rollout(API, "Errored", "back"), "failed", True, id="errored"),
        pytest.param(make.rollout(API, "Running", "back"), "failed", True, id="runs-though-the-deployment-ended"),
        pytest.param(None, "unrecorded", True, id="it-died-before-it-wrote-anything"),
    ],
)
def test_what_became_of_a_changed_service(step: Step | None, where: str, not_back: bool) -> None:
    steps = {F_API: make.rollout(API, "Failed")} | ({} if step is None else {B_API: step})
    found = way_back(make.deployment(steps=steps))

    kinds = {
        "back": found.back, "held": found.held, "without_target": found.without_target,
        "unrecorded": found.unrecorded, "failed": [cause.service for cause in found.failed],
    }  # fmt: skip
    assert {kind: names for kind, names in kinds.items() if names} == {where: [API]}
    assert (found.changed, found.not_back) == ([API], [API] if not_back else [])


def test_a_service_that_was_not_changed_has_no_way_back() -> None:
    found = way_back(
        make.deployment(steps={F_WEB: make.rollout(WEB, "Skipped"), B_WEB: make.step("Skipped", "Untouched")})
    )

    assert (found.changed, found.back, found.not_back) == ([], [], [])


def test_how_long_it_took_counts_from_its_start() -> None:
    ended = make.AT + timedelta(seconds=90)
    waited = make.deployment(created_at=make.AT - timedelta(hours=3), ended_at=ended)

    assert took(waited) == took(make.deployment(ended_at=ended)) != ""
    assert took(waited.but(started_at=None)) != took(waited)
    assert took(make.deployment(ended_at=None)) == ""
