"""A plan says which containers get which image; a release that lacks an additional component keeps what runs."""

from typing import Any

import pytest

from ferryman.errors import VerificationFailed
from ferryman.platform import parse
from ferryman.records import PlannedImage
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import World, plan_of
from unit.fakes.clock import FakeClock, FakeIds

API, WEB = "registry.example/scr-api", "registry.example/scr-web"
NEW = make.digest("a")


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def declare(world: World, document: dict[str, Any], **fields: Any) -> None:
    """Change what the document says of the first service."""
    staging = document["spec"]["environments"]["staging"]
    staging["waves"][0]["services"][0].update(fields)
    applied = world.store.platform("scr")
    world.store.write(Save(applied.but(document=parse(document).dump())))


def begun(world: World) -> Any:
    world.begin()
    return plan_of(world)


def test_init_container_and_worker_of_the_same_image_are_planned_with_the_named_one(world: World) -> None:
    world.ecs.also["scr-api-staging"] = {"init": f"{API}:old", "worker": f"{API}@sha256:0", "cache": "redis:7"}
    world.ecs.also["scr-api-migrate-staging"] = {"wait-for-database": f"{API}:old"}
    plan = begun(world)
    service = plan.services["scr-api-staging"]
    assert (service.container, service.containers) == ("api", ["api", "init", "worker"])
    assert service.images == dict.fromkeys(["api", "init", "worker"], f"{API}@{NEW}")
    assert plan.services["scr-web-staging"].containers == ["web"]
    assert (plan.migration.container, plan.migration.containers) == ("api", ["api", "wait-for-database"])


def test_listed_containers_are_exactly_those(world: World, scr_document: dict[str, Any]) -> None:
    world.ecs.also["scr-api-staging"] = {"init": f"{API}:old", "worker": "placeholder:1"}
    declare(world, scr_document, containers=["api", "worker"])
    assert begun(world).services["scr-api-staging"].containers == ["api", "worker"]


def test_a_listed_container_that_is_not_there_is_refused(world: World, scr_document: dict[str, Any]) -> None:
    declare(world, scr_document, containers=["api", "worker"])
    with pytest.raises(VerificationFailed, match=r"services\.0\.containers\.1: .* has no container 'worker'"):
        world.begin()


def test_two_components_in_one_task_definition_are_one_service(world: World, scr_document: dict[str, Any]) -> None:
    world.ecs.also["scr-api-staging"] = {"worker": f"{API}:old", "edge": f"{WEB}:old"}
    declare(world, scr_document, additionalComponents=[{"component": "web"}])
    service = begun(world).services["scr-api-staging"]
    assert service.images == {"api": f"{API}@{NEW}", "worker": f"{API}@{NEW}", "edge": f"{WEB}@{NEW}"}
    (planned,) = service.additional
    assert planned == PlannedImage(
        component="web", containers=["edge"], image=f"{WEB}@{NEW}", digest=NEW, platform_digest=NEW
    )
    assert service.accepted == dict.fromkeys(["api", "worker", "edge"], frozenset({NEW}))


def test_what_a_release_lacks_keeps_running_and_is_not_checked(world: World, scr_document: dict[str, Any]) -> None:
    world.ecs.also["scr-api-staging"] = {"edge": f"{WEB}@sha256:runs"}
    declare(world, scr_document, additionalComponents=[{"component": "web"}])
    world.change(digests={"api": NEW, "ai-gateway": NEW})
    service = begun(world).services["scr-api-staging"]
    assert service.images == {"api": f"{API}@{NEW}", "edge": f"{WEB}@sha256:runs"}
    assert service.accepted == {"api": frozenset({NEW})}


def test_a_service_moves_for_an_additional_component_although_the_release_lacks_its_own(
    world: World, scr_document: dict[str, Any]
) -> None:
    """What its own containers run, each its own image, they keep; only `edge` proves that the release runs."""
    world.ecs.also["scr-api-staging"] = {"worker": f"{API}@sha256:left", "edge": f"{WEB}:old"}
    declare(world, scr_document, additionalComponents=[{"component": "web"}])
    world.change(digests={"web": NEW})
    service = begun(world).services["scr-api-staging"]
    live = world.ecs.describe_task_definition(taskDefinition="scr-api-staging:3")["taskDefinition"]
    runs = {item["name"]: item["image"] for item in live["containerDefinitions"]}
    assert (service.skip, service.digest, service.image) == (None, "", "")
    assert service.images == {"api": runs["api"], "worker": f"{API}@sha256:left", "edge": f"{WEB}@{NEW}"}
    assert service.accepted == {"edge": frozenset({NEW})}


def test_a_service_of_which_the_release_has_no_image_at_all_is_skipped(
    world: World, scr_document: dict[str, Any]
) -> None:
    world.ecs.also["scr-api-staging"] = {"edge": f"{WEB}:old"}
    declare(world, scr_document, additionalComponents=[{"component": "web"}])
    world.change(digests={"ai-gateway": NEW})
    service = begun(world).services["scr-api-staging"]
    assert (service.skip, service.images, service.accepted) == ("NotInRelease", {}, {})
