"""Revisions: what is kept, what is changed, what counts as equal; and the edge that reads ECS."""

from typing import Any

import boto3
import pytest

from ferryman.clients import task_definitions
from ferryman.errors import VerificationFailed
from unit.clients.definitions import BASE, changed
from unit.fakes.clock import FakeClock
from unit.fakes.ecs import FakeEcs


def test_read_only_fields_are_all_that_ecs_tells_and_does_not_take() -> None:
    model = boto3.client("ecs", region_name="eu-west-1").meta.service_model
    taken = set(model.operation_model("RegisterTaskDefinition").input_shape.members)
    assert set(model.shape_for("TaskDefinition").members) - taken == task_definitions.READ_ONLY


def test_with_images_changes_one_image_and_nothing_else() -> None:
    made = task_definitions.with_images(BASE, {"app": "api@sha256:1"})
    assert made == {
        "family": "api",
        "networkMode": "awsvpc",
        "containerDefinitions": changed(image="api@sha256:1")["containerDefinitions"],
        "tags": [{"key": "team", "value": "scr"}],
    }
    assert BASE["containerDefinitions"][1]["image"] == "api:base"


def test_with_images_names_the_containers_that_there_are() -> None:
    with pytest.raises(VerificationFailed, match="guard, app"):
        task_definitions.with_images(BASE, {"server": "x"})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param({**BASE, "revision": 8, "registeredBy": "ferryman"}, True, id="another-revision"),
        pytest.param({**BASE, "volumes": [], "placementConstraints": []}, True, id="empty-lists"),
        pytest.param(changed(environment=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]), True, id="order"),
        pytest.param({**BASE, "tags": list(reversed(BASE["tags"]))}, True, id="order-of-tags"),
        pytest.param(changed(image="api:other"), False, id="image"),
        pytest.param(changed(environment=[{"name": "A", "value": "1"}]), False, id="environment"),
        pytest.param({**BASE, "tags": []}, False, id="tags"),
        pytest.param({**BASE, "cpu": "256"}, False, id="cpu"),
    ],
)
def test_same(other: dict[str, Any], same: bool) -> None:
    assert task_definitions.same(BASE, other) is same


def test_ensure_twice_registers_once(clock: FakeClock) -> None:
    fake = FakeEcs(clock)
    wanted = task_definitions.with_images(BASE, {"app": "api@sha256:1"})
    assert task_definitions.ensure(fake, wanted) == task_definitions.ensure(fake, wanted)
    assert fake.calls["register_task_definition"] == 1
