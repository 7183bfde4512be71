"""finish_deployment: the outcome is recorded, and whether the release is to be published is told."""

from typing import Any

import pytest

from ferryman.contracts import FinishDeploymentInput
from ferryman.records import (
    Active,
    Phase,
)
from ferryman.records.writes import Save
from ferryman.steps import finish_deployment
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.github import REPOSITORY
from unit.steps.published import EVENT, PROJECT, apply, put


@pytest.mark.parametrize(
    ("changes", "project", "publishes"),
    [({}, PROJECT, True), ({"tag": None}, PROJECT, False), ({}, None, False), ({}, {"repository": REPOSITORY}, False)],
    ids=["tagged", "no-tag", "no-project", "no-key"],
)
def test_finish_says_whether_to_publish(
    store: Store,
    clock: FakeClock,
    new_id: FakeIds,
    scr_document: dict[str, Any],
    changes: Any,
    project: Any,
    publishes: bool,
) -> None:
    apply(store, scr_document, project)
    put(store, **{"phase": Phase.RUNNING, "ended_at": None, **changes})
    active = Active(
        deployment=EVENT.deployment, version="abc1234", fence=EVENT.fence, execution_name="x", input="{}",
        claimed_at=make.AT,
    )  # fmt: skip
    store.write(Save(make.state(environment="production", fence=EVENT.fence, active=active)))
    event = FinishDeploymentInput.model_validate(EVENT.model_dump())
    output = finish_deployment.finish(event, store=store, clock=clock, new_id=new_id, count=lambda name: None)
    assert (output.phase, output.publish) == ("Succeeded", publishes)
    row = store.message(EVENT.deployment, "github-ended", "github")
    assert (row is not None) is (project == PROJECT)
