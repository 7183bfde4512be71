"""Revisions: what is kept, what is changed, what counts as equal; and the edge that reads ECS."""

from typing import Any

import boto3
import pytest

from ferryman.clients import container_logs, ecs, task_definitions
from ferryman.errors import VerificationFailed
from unit.fakes.clock import FakeClock
from unit.fakes.ecs import CLUSTER, FakeEcs, FakeLogs

BASE: dict[str, Any] = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/api:7",
    "family": "api",
    "revision": 7,
    "status": "ACTIVE",
    "registeredBy": "terraform",
    "networkMode": "awsvpc",
    "containerDefinitions": [
        {"name": "guard", "image": "guard:1"},
        {
            "name": "app",
            "image": "api:base",
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/api", "awslogs-stream-prefix": "run"},
            },
        },
    ],
    "tags": [{"key": "team", "value": "scr"}, {"key": "aws:cloudformation:stack-name", "value": "x"}],
}


def changed(**app: Any) -> dict[str, Any]:
    guard, container = BASE["containerDefinitions"]
    return {**BASE, "containerDefinitions": [guard, {**container, **app}]}


def test_read_only_fields_are_all_that_ecs_tells_and_does_not_take() -> None:
    model = boto3.client("ecs", region_name="eu-west-1").meta.service_model
    taken = set(model.operation_model("RegisterTaskDefinition").input_shape.members)
    assert set(model.shape_for("TaskDefinition").members) - taken == task_definitions.READ_ONLY


def test_with_image_changes_one_image_and_nothing_else() -> None:
    made = task_definitions.with_image(BASE, "app", "api@sha256:1")
    assert made == {
        "family": "api",
        "networkMode": "awsvpc",
        "containerDefinitions": changed(image="api@sha256:1")["containerDefinitions"],
        "tags": [{"key": "team", "value": "scr"}],
    }
    assert BASE["containerDefinitions"][1]["image"] == "api:base"


def test_with_image_names_the_containers_that_there_are() -> None:
    with pytest.raises(VerificationFailed, match="guard, app"):
        task_definitions.with_image(BASE, "server", "x")


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
    wanted = task_definitions.with_image(BASE, "app", "api@sha256:1")
    assert task_definitions.ensure(fake, wanted) == task_definitions.ensure(fake, wanted)
    assert fake.calls["register_task_definition"] == 1


def test_services_are_asked_by_tens(clock: FakeClock) -> None:
    fake = FakeEcs(clock)
    arn = fake.new_definition("api", "x")
    names = [f"s{i}" for i in range(25)]
    for name in names[:-1]:
        fake.new_service(name, arn)
    assert list(ecs.services(fake, CLUSTER, [*names, *names])) == names[:-1]
    assert fake.calls["describe_services"] == 3


def test_a_task_definition_comes_with_its_tags(clock: FakeClock) -> None:
    fake = FakeEcs(clock)
    arn = fake.new_definition("api", "x", tags=[{"key": "a", "value": "b"}])
    assert ecs.task_definition(fake, arn)["tags"] == [{"key": "a", "value": "b"}]
    assert ecs.find_task_definition(fake, "nobody") is None


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        pytest.param({}, ["hello", "password=[hidden]"], id="awslogs"),
        pytest.param({"logDriver": "awsfirelens"}, [], id="elsewhere"),
        pytest.param({"options": {"awslogs-group": "/ecs/api"}}, [], id="no-prefix"),
        pytest.param({"options": {"awslogs-group": "/ecs/none", "awslogs-stream-prefix": "run"}}, [], id="no-stream"),
    ],
)
def test_log_tails(log: dict[str, Any], lines: list[str]) -> None:
    logs = FakeLogs()
    logs.write("/ecs/api", "run/app/123", "hello\n", "\n", "password=hunter2")
    known = BASE["containerDefinitions"][1]["logConfiguration"]
    definition = changed(logConfiguration={**known, **log})
    assert container_logs.tail(logs, definition, "app", "arn:aws:ecs:eu-west-1:1:task/c/123") == lines
