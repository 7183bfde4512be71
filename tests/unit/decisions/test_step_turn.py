"""Whether a step may begin: for each step, in each phase, on both ways, and only after what comes before it."""

import pytest

from ferryman.decisions import deployment_steps, step_turn
from ferryman.errors import NotItsTurn
from ferryman.records import Deployment, Phase, PlannedTag, Step, step_keys
from unit import builders as make

API, WEB = make.SERVICES
JOB = step_keys.job("report")
F_API, F_WEB, F_JOB = (step_keys.rollout(name, "forward") for name in (API, WEB, JOB))
B_API, B_WEB, B_JOB = (step_keys.rollout(name, "back") for name in (API, WEB, JOB))
TAG = PlannedTag(component="api", repository="scr-api", digest=make.digest("a"), tag="current")
PLAN = make.plan(
    approval=True,
    promotions=[TAG],
    named_migrations=[make.migration(name="orders"), make.migration(name="stock")],
    waves=[[API, JOB], [WEB]],
    jobs={JOB: make.planned_job("report")},
)

PENDING, WAITING, RUNNING, BACK = Phase.PENDING, Phase.AWAITING_APPROVAL, Phase.RUNNING, Phase.ROLLING_BACK
MAY: dict[str, tuple[set[Phase], list[str]]] = {
    "begin_deployment": ({PENDING}, []),
    "approval": ({PENDING}, ["begin_deployment"]),
    "admit_deployment": ({PENDING, WAITING}, ["begin_deployment", "approval"]),
    "promotion": ({RUNNING}, ["admit_deployment"]),
    "migration/orders": ({RUNNING}, ["promotion"]),
    "migration/stock": ({RUNNING}, ["migration/orders"]),
    F_API: ({RUNNING}, ["migration/stock"]),
    F_JOB: ({RUNNING}, ["migration/stock"]),
    F_WEB: ({RUNNING}, ["migration/stock", F_API, F_JOB]),
    "smoke_test": ({RUNNING}, ["migration/stock", F_API, F_JOB, F_WEB]),
    B_WEB: ({RUNNING, BACK}, []),
    B_JOB: ({RUNNING, BACK}, []),
    B_API: ({RUNNING, BACK}, []),
}
"""In which phases a step may begin, and which steps at least have to have passed before."""


def passed(key: str) -> Step:
    service = deployment_steps.service_of(key)
    return make.rollout(service) if service is not None else make.step()


def standing(*, without: str = "", phase: Phase = RUNNING, **changes: Step) -> Deployment:
    """A deployment with every feature, in which all steps forward have passed, but one."""
    every = [key for key in MAY if not deployment_steps.goes_back(key)]
    steps = {key: passed(key) for key in every if key != without}
    return make.deployment(plan=PLAN, phase=phase, steps={**steps, **changes})


def test_the_table_is_of_all_steps() -> None:
    assert list(MAY) == deployment_steps.possible(standing())
    assert {step.key for step in deployment_steps.STEPS} == {key.partition("/")[0] for key in MAY}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("key", MAY)
def test_a_step_begins_only_in_its_phases(key: str, phase: Phase) -> None:
    why = step_turn.refusal(standing(without=key, phase=phase), key)
    assert (why is None) == (phase in MAY[key][0]), why
    if why is not None:
        assert f"the deployment is {phase}" in why


@pytest.mark.parametrize("status", [None, "Running", "Failed", "Aborted", "Errored"])
@pytest.mark.parametrize(("key", "before"), [(key, one) for key, (_, before) in MAY.items() for one in before])
def test_a_step_begins_only_after_those_before_it(key: str, before: str, status: str | None) -> None:
    deployment = standing(phase=next(iter(MAY[key][0])))
    steps = {name: step for name, step in deployment.steps.items() if name not in (key, before)}
    if status is not None:
        steps[before] = make.step(status)
    assert step_turn.refusal(deployment.but(steps=steps), key) == f"{before} comes first, and has not passed"


@pytest.mark.parametrize("proceed_when", ["completed", "healthy"])
@pytest.mark.parametrize("healthy", [False, True])
def test_the_next_wave_may_begin_while_old_tasks_drain_but_nothing_else(proceed_when: str, *, healthy: bool) -> None:
    progress = make.rollout(API).rollout
    assert progress is not None
    draining = make.rollout(API, "Running").but(rollout=progress.but(healthy_at=make.AT if healthy else None))
    services = {name: make.planned(name, proceed_when=proceed_when) for name in (API, WEB)}
    plan = PLAN.but(services=services)
    before = {key: step for key, step in standing().steps.items() if key not in (F_API, F_WEB, "smoke_test")}
    deployment = make.deployment(plan=plan, steps={**before, F_API: draining})
    may = proceed_when == "healthy" and healthy
    assert (step_turn.refusal(deployment, F_WEB) is None) == may
    web = deployment.but(steps={**deployment.steps, F_WEB: make.rollout(WEB)})
    assert step_turn.refusal(web, "smoke_test") == f"{F_API} comes first, and has not passed"


def test_services_of_one_wave_go_side_by_side() -> None:
    before = {key: step for key, step in standing().steps.items() if key not in (F_API, F_JOB, F_WEB, "smoke_test")}
    assert step_turn.refusal(make.deployment(plan=PLAN, steps=before), F_API) is None
    assert step_turn.refusal(make.deployment(plan=PLAN, steps={**before, F_API: make.step("Failed")}), F_JOB) is None


@pytest.mark.parametrize("key", [B_API, B_JOB])
def test_only_what_was_changed_goes_back(key: str) -> None:
    forward = key.replace("rollback", "rollout")
    untouched = make.rollout(str(deployment_steps.service_of(forward)), "Skipped")
    for deployment in (standing(without=forward), standing(**{forward: untouched})):
        assert step_turn.refusal(deployment, key) == "this deployment has not changed it"


@pytest.mark.parametrize(
    ("deployment", "key"),
    [
        pytest.param(standing(), step_keys.rollout("other", "forward"), id="another-service"),
        pytest.param(standing(), step_keys.rollout("other", "back"), id="another-service-back"),
        pytest.param(standing(), step_keys.migration("audit"), id="another-migration"),
        pytest.param(standing(), step_keys.MIGRATION, id="the-one-without-a-name"),
        pytest.param(standing(), "made_up", id="no-such-step"),
        pytest.param(make.deployment(kind="migrate", command="up"), step_keys.SMOKE_TEST, id="of-the-other-machine"),
        pytest.param(make.deployment(phase=PENDING, steps=make.passed(upto=step_keys.BEGIN)), step_keys.APPROVAL,
                     id="an-approval-that-nobody-needs"),
        pytest.param(make.deployment(), step_keys.PROMOTION, id="nothing-to-promote"),
        pytest.param(make.deployment(plan=None, phase=PENDING, steps={}), step_keys.APPROVAL, id="no-plan"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_plan_never_begins(deployment: Deployment, key: str) -> None:
    assert step_turn.refusal(deployment, key) == "its plan has no such step"


def test_what_is_there_to_record_that_there_is_nothing_to_do_may_begin() -> None:
    deployment = make.deployment(steps=make.passed(upto=step_keys.ADMIT))
    assert step_turn.refusal(deployment, step_keys.MIGRATION) is None
    assert step_turn.refusal(make.deployment(steps=make.passed(upto=F_WEB)), step_keys.SMOKE_TEST) is None


def test_before_there_is_a_plan_only_the_planning_may_begin() -> None:
    bare = make.deployment(plan=None, phase=PENDING, steps={})
    may = [key for key in deployment_steps.possible(bare) if step_turn.refusal(bare, key) is None]
    assert may == [step_keys.BEGIN]


def test_the_refusal_says_which_step_of_which_deployment() -> None:
    with pytest.raises(NotItsTurn, match=r"rollout of scr-api of deployment 01K0\w+ was refused: the deploy"):
        step_turn.require(standing(without=F_API, phase=Phase.FAILED), F_API)
