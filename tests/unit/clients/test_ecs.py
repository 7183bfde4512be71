"""The edge to ECS: questions in pages, and task definitions with their tags."""

from ferryman.clients import ecs
from unit.fakes.clock import FakeClock
from unit.fakes.ecs import CLUSTER, FakeEcs


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
