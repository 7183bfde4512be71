"""Containers of a service that run another image of their component: found in a sweep, told, and read sparingly."""

from typing import Any
from weakref import WeakKeyDictionary

import pytest

from ferryman.controller import live_images
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World, document

V1 = "aaaaaaa1"
API = "registry.example/scr-api"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def runs(world: World, also: dict[str, str], desired: int = 1) -> str:
    """The service of `api` runs V1 in `app`, and something in other containers; return V1's digest."""
    world.push("api", V1)
    digest = world.ecr.tags["scr-api"][V1]
    world.ecs.new_service("scr-api", world.ecs.new_definition("scr-api", f"{API}@{digest}", also), desired)
    world.push("web", V1)
    web = world.ecr.tags["scr-web"][V1]
    world.ecs.new_service("scr-web", world.ecs.new_definition("scr-web", f"registry.example/scr-web@{web}"))
    return digest


def looked(world: World) -> Any:
    live = {name: service["taskDefinition"] for name, service in world.ecs.services.items()}
    return live_images.differing(world.document, world.document.environment("staging"), live, world.ecs, world.ecr)


def test_a_worker_that_was_left_on_an_older_image_is_drift_and_not_up_to_date(world: World) -> None:
    """As 0.1.0 left it: the record and ECS agree, and yet one container runs another image."""
    runs(world, {"worker": f"{API}@sha256:left"})
    world.apply()
    world.sweep()
    assert world.condition("Drifted") == ("True", "ImagesDiffer")
    assert world.condition("Ready") == ("False", "ImagesDiffer")
    condition = world.state.condition("Drifted")
    assert condition is not None
    assert "worker runs sha256:left" in condition.message
    assert condition.message.endswith("push a new release."), "what runs is no release that could be deployed again"


def test_an_init_container_is_looked_at_too(world: World) -> None:
    digest = runs(world, {"init": f"{API}:old"})
    world.ecr.push("scr-api", "old", "something older")
    old = world.ecr.tags["scr-api"]["old"]
    assert looked(world) == {"scr-api": {"api": {"app": digest, "init": old}}}


def test_a_tag_that_names_the_same_digest_is_no_difference(world: World) -> None:
    runs(world, {"worker": f"{API}:{V1}", "cache": "redis:7"})
    assert looked(world) == {}


def test_an_image_that_is_named_by_its_digest_is_not_looked_up(world: World) -> None:
    runs(world, {"worker": f"{API}@sha256:left"})
    world.ecr.calls.clear()
    assert set(looked(world)) == {"scr-api"}
    assert "DescribeImages" not in world.ecr.calls


def test_listed_containers_are_the_only_ones_that_count(world: World) -> None:
    runs(world, {"worker": f"{API}@sha256:left"})
    one = {"name": "scr-api", "component": "api", "container": "app", "containers": ["app"]}
    world.document = document(waves=[{"name": "one", "services": [one]}])
    assert looked(world) == {}


def test_what_is_scaled_to_zero_runs_nothing(world: World) -> None:
    runs(world, {"worker": f"{API}@sha256:left"}, desired=0)
    world.apply()
    world.sweep()
    assert world.condition("Drifted") == ("False", "AsRecorded")


def test_a_task_definition_is_described_once(world: World) -> None:
    runs(world, {"worker": f"{API}@sha256:left"})
    first = looked(world)
    described = world.ecs.calls["describe_task_definition"]
    assert looked(world) == first
    assert world.ecs.calls["describe_task_definition"] == described == 2


def test_no_more_are_described_at_once_than_the_api_allows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_images, "AT_ONCE", 1)
    runs(world, {"worker": f"{API}@sha256:left"})
    assert looked(world) is None
    assert set(looked(world)) == {"scr-api"}


@pytest.mark.parametrize("operation", ["describe_task_definition", "DescribeRepositories"])
def test_a_look_that_fails_changes_nothing_that_is_known(
    world: World, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(world, {"worker": f"{API}@sha256:left"})
    world.apply()
    world.sweep()
    monkeypatch.setattr(live_images, "_KNOWN", WeakKeyDictionary())
    if operation == "DescribeRepositories":
        world.ecr.trouble.throttle(operation)
    else:
        world.ecs.throttle(operation)
    world.sweep()
    assert world.condition("Drifted") == ("True", "ImagesDiffer")
    assert world.condition("Ready") == ("False", "ImagesDiffer")
