"""What a deployment's record tells of its plan."""

import pytest

from ferryman.errors import InvalidInput
from unit import builders as make


def test_a_plan_and_its_services() -> None:
    deployment = make.deployment(plan=make.plan())
    name = next(iter(make.plan().services))

    assert deployment.require_plan() == make.plan()
    assert deployment.planned(name) == make.plan().services[name]


def test_what_is_not_planned_is_refused_by_name() -> None:
    deployment = make.deployment(plan=make.plan())

    with pytest.raises(InvalidInput, match=f"the plan of deployment {deployment.id} has no service 'nosuch'"):
        deployment.planned("nosuch")


def test_without_a_plan_begin_deployment_comes_first() -> None:
    deployment = make.deployment(plan=None)

    for ask in (deployment.require_plan, lambda: deployment.planned("scr-api")):
        with pytest.raises(InvalidInput, match=f"deployment {deployment.id} has no plan: begin_deployment comes first"):
            ask()
