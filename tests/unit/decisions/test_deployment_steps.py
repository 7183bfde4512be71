"""The table of steps: which of them a deployment shows, which it needs, and what they are called."""

from dataclasses import replace

import pytest

from ferryman.decisions import deployment_steps
from ferryman.decisions.outcome import all_passed
from ferryman.records import Deployment, PlannedTag, step_keys
from unit import builders as make

API, WEB = make.SERVICES
F_API, F_WEB = (step_keys.rollout(name, "forward") for name in make.SERVICES)
B_API, B_WEB = (step_keys.rollout(name, "back") for name in make.SERVICES)
TAG = PlannedTag(component="api", repository="scr-api", digest=make.digest("a"), tag="current")


def shown(deployment: Deployment) -> list[str]:
    return [found.key for found in deployment_steps.flow(deployment)]


def test_a_plan_with_nothing_special_shows_its_gates_and_services_and_needs_all_that_always_run() -> None:
    deployment = make.deployment(steps={})
    assert shown(deployment) == ["begin_deployment", "admit_deployment", F_API, F_WEB]
    assert deployment_steps.required(deployment) == [
        "begin_deployment", "admit_deployment", "migration", F_API, F_WEB, "smoke_test",
    ]  # fmt: skip


def test_what_production_plans_comes_in_its_place() -> None:
    deployment = make.deployment(plan=make.plan(approval=True, promotions=[TAG]), steps={})
    gates = ["begin_deployment", "approval", "admit_deployment", "promotion"]
    assert shown(deployment)[:4] == deployment_steps.required(deployment)[:4] == gates


def test_the_way_back_is_shown_once_it_began_and_in_its_own_order() -> None:
    back = {key: make.step() for key in (B_API, B_WEB)}
    assert shown(make.deployment(steps=make.passed() | back))[-2:] == [B_WEB, B_API]
    assert shown(make.deployment(steps=make.passed() | {B_API: make.step()}))[-1] == B_API
    assert B_API not in deployment_steps.required(make.deployment(steps=make.passed() | back))


def test_a_job_is_called_a_job_and_is_needed_like_a_service() -> None:
    job = step_keys.job("report")
    plan = make.plan(waves=[[API, job], [WEB]], jobs={job: make.planned_job("report")})
    forward = step_keys.rollout(job, "forward")
    assert deployment_steps.required(make.deployment(plan=plan))[3:6] == [F_API, forward, F_WEB]
    assert deployment_steps.title_of(forward) == "rollout of job report"
    assert deployment_steps.title_of(step_keys.rollout(job, "back")) == "rollback of job report"
    assert deployment_steps.service_of(forward) == job


def test_nobody_waits_for_a_step_that_running_executions_may_not_have() -> None:
    new = replace(deployment_steps.STEPS[0], key="made_up", required=deployment_steps.not_yet)
    before, begun = make.deployment(), make.deployment(steps=make.passed() | {"made_up": make.step("Running")})
    assert [new.requires(before), new.shown(before, new.key)] == [False, False]
    assert [new.requires(begun), new.shown(begun, new.key)] == [False, True]
    assert not all_passed(begun)


def test_without_a_plan_there_are_only_gates() -> None:
    assert shown(make.deployment(plan=None, steps={})) == ["begin_deployment", "admit_deployment"]


def test_a_database_command_needs_its_gates_and_the_migration() -> None:
    command = make.deployment(kind="migrate", plan=make.plan(waves=[], services={}), steps={})
    assert deployment_steps.required(command) == ["begin_deployment", "admit_deployment", "migration"]


@pytest.mark.parametrize(
    ("key", "title", "service", "back"),
    [
        ("smoke_test", "smoke test", None, False),
        (F_API, "rollout of scr-api", API, False),
        (B_WEB, "rollback of scr-web", WEB, True),
        ("migration", "database migration", None, False),
        ("migration/orders", "database migration orders", None, False),
        ("made_up", "made up", None, False),
        ("rollout", "rollout", None, False),
    ],
)
def test_a_key_tells_its_step_and_service(key: str, title: str, service: str | None, back: bool) -> None:
    found = (deployment_steps.title_of(key), deployment_steps.service_of(key), deployment_steps.goes_back(key))
    assert found == (title, service, back)


def test_a_kind_tells_its_step() -> None:
    for step in deployment_steps.STEPS:
        assert deployment_steps.of_kind(step.kind) is step
    assert deployment_steps.of_kind("a kind of a newer operator") is None


def test_the_words_of_a_step_that_each_service_has_end_with_its_name() -> None:
    assert deployment_steps.named("roll back", WEB) == "roll back scr-web"
    assert deployment_steps.named("smoke test", None) == "smoke test"


def test_the_place_of_a_step_is_that_of_the_machine() -> None:
    deployment = make.deployment(steps={})
    keys = ["smoke_test", "a newer one", F_WEB, "begin_deployment", B_API]
    placed = sorted(keys, key=lambda key: deployment_steps.position(deployment, key))
    assert placed == ["begin_deployment", F_WEB, "smoke_test", B_API, "a newer one"]


def test_each_named_migration_has_a_step_and_all_of_them_are_needed() -> None:
    named = [make.migration(name=name) for name in ("orders", "stock")]
    deployment = make.deployment(plan=make.plan(named_migrations=named), steps={})
    own = ["migration/orders", "migration/stock"]
    assert shown(deployment)[2:4] == own
    assert [key for key in deployment_steps.required(deployment) if "migration" in key] == own
    assert [found.migration for found in deployment_steps.flow(deployment)][2:4] == ["orders", "stock"]
    assert deployment_steps.position(deployment, own[0]) < deployment_steps.position(deployment, own[1])
    steps = {key: step for key, step in make.passed().items() if key != step_keys.MIGRATION}
    half = deployment.but(steps=steps | {own[0]: make.step()})
    assert not all_passed(half), "a migration that never began was not skipped"
    assert all_passed(half.but(steps=half.steps | {own[1]: make.step("Skipped", "AlreadyMigrated")}))


@pytest.mark.parametrize(
    ("key", "name"), [("migration", ""), ("migration/orders", "orders"), ("rollout/scr-api", None), ("approval", None)]
)
def test_a_key_tells_its_migration(key: str, name: str | None) -> None:
    assert step_keys.migration_of(key) == name
    if name is not None:
        assert step_keys.migration(name) == key
