"""The first apply takes what runs and deploys nothing that nobody asked for."""

from typing import Any

import pytest

from ferryman.errors import Throttled
from ferryman.platform import Platform, parse
from ferryman.records import ReleaseStatus
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World, document

V1, V2, V3 = "aaaaaaa1", "aaaaaaa2", "aaaaaaa3"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def pushed_before(world: World, *versions: str) -> None:
    for version in versions:
        world.push("api", version)
        world.push("web", version)


def with_environment(name: str) -> Platform:
    data = document().dump()
    other = data["spec"]["environments"]["staging"] | {"cluster": world_cluster(), "movingTags": []}
    other["waves"] = [{"name": "one", "services": [{"name": f"{name}-api", "component": "api", "container": "app"}]}]
    data["spec"]["environments"][name] = other
    return parse(data)


def world_cluster() -> str:
    from unit.fakes.ecs import CLUSTER

    return CLUSTER


def images(world: World, version: str, how: str) -> dict[str, str]:
    if how == "digest":
        return {name: f"scr-{name}@{world.ecr.tags[f'scr-{name}'][version]}" for name in ("api", "web")}
    if how == "tag and digest":
        return {name: f"scr-{name}:x@{world.ecr.tags[f'scr-{name}'][version]}" for name in ("api", "web")}
    if how == "moving tag":
        for name in ("api", "web"):
            world.ecr.tags[f"scr-{name}"]["staging-latest"] = world.ecr.tags[f"scr-{name}"][version]
        return {name: f"scr-{name}:staging-latest" for name in ("api", "web")}
    return {name: f"scr-{name}:{version}" for name in ("api", "web")}


@pytest.mark.parametrize("how", ["tag", "digest", "tag and digest", "moving tag"])
def test_what_runs_becomes_current(world: World, how: str) -> None:
    pushed_before(world, V1, V2)
    world.run_services(**images(world, V1, how))
    world.apply()
    state = world.state
    assert state.current is not None
    assert (state.current.version, state.current.deployment) == (V1, None)
    assert state.current.digests == {name: world.ecr.tags[f"scr-{name}"][V1] for name in ("api", "web")}
    assert state.last_succeeded is not None
    live = {name: world.ecs.services[name]["taskDefinition"] for name in ("scr-api", "scr-web")}
    assert state.last_succeeded.task_definitions == live
    assert state.last_succeeded.bases == live
    assert [str(event.type) for event in world.store.timeline("scr#staging")] == ["Adopted"]


def test_existing_tags_are_the_baseline_and_never_start(world: World) -> None:
    pushed_before(world, V1, V2)
    world.run_services(**images(world, V1, "tag"))
    world.apply()
    assert [(item.version, item.status) for item in world.store.releases("scr")] == [
        (V1, ReleaseStatus.BASELINE),
        (V2, ReleaseStatus.BASELINE),
    ]
    world.reconcile()
    world.sweep()
    assert world.deployments == []
    assert world.condition("Ready") == ("True", "UpToDate")


def test_a_later_push_is_deployed(world: World) -> None:
    pushed_before(world, V1)
    world.run_services(**images(world, V1, "tag"))
    world.apply()
    world.release(V2)
    world.reconcile()
    assert world.told() == [(V2, "Pending")]
    assert world.deployments[0].from_version == V1


def test_a_release_that_was_half_there_is_deployed_when_its_last_image_comes(world: World) -> None:
    pushed_before(world, V1)
    world.push("api", V2)
    world.run_services(**images(world, V1, "tag"))
    world.apply()
    world.sweep()
    assert world.store.unsent() == []  # an old half is nothing to report
    world.receive(world.push("web", V2))
    world.reconcile()
    assert world.told() == [(V2, "Pending")]


def test_services_that_run_something_else_are_unknown_and_still_a_way_back(world: World) -> None:
    world.run_services(api="nginx:1", web="someone/scr-web-fork:1")
    world.apply()
    assert world.state.current is None
    assert world.state.last_succeeded is not None
    assert set(world.state.last_succeeded.task_definitions) == {"scr-api", "scr-web"}
    world.release(V1)
    world.reconcile()
    assert world.told() == [(V1, "Pending")]


def test_images_that_no_version_tag_names_are_current_without_a_version(world: World) -> None:
    pushed_before(world, V1)
    other = {name: f"scr-{name}@sha256:{'0' * 64}" for name in ("api", "web")}
    world.run_services(**other)
    world.apply()
    assert world.state.current is not None
    assert world.state.current.version is None
    world.reconcile()
    assert world.deployments == []


def test_before_any_service_exists_the_first_release_is_deployed(world: World) -> None:
    world.apply()
    assert world.state.current is None
    assert world.state.last_succeeded is None
    world.release(V1)
    world.reconcile()
    assert world.told() == [(V1, "Pending")]


def test_applying_again_changes_no_record(world: World) -> None:
    pushed_before(world, V1)
    world.run_services(**images(world, V1, "tag"))
    world.apply()
    world.release(V2)
    before = (world.state, world.store.releases("scr"))
    world.apply(document(onFailure="hold"))
    assert (world.state, world.store.releases("scr")) == before


def test_an_apply_that_died_before_the_document_was_stored_is_repeated_whole(world: World) -> None:
    pushed_before(world, V1, V2)
    world.run_services(**images(world, V1, "tag"))
    world.adopt()
    world.run_services(**images(world, V2, "tag"))
    world.apply()
    assert world.state.current is not None
    assert world.state.current.version == V2


def test_an_apply_that_died_half_way_is_completed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed_before(world, V1, V2)
    world.run_services(**images(world, V1, "tag"))
    world.ecs.throttle("describe_services")
    with pytest.raises(Throttled):
        world.apply()
    assert world.store.find_platform("scr") is None
    world.apply()
    assert world.state.current is not None
    assert len(world.store.releases("scr")) == 2


def test_an_environment_added_later_is_adopted_when_it_appears(world: World) -> None:
    world.run_services()
    world.apply()
    world.release(V1)
    world.apply(with_environment("qa"))
    key: dict[str, Any] = {"messageId": "1", "body": '{"platform": "scr", "environment": "qa"}'}
    world.wake({"Records": [key]})
    assert world.store.deployments("scr", "qa") == []
    world.release(V2)
    world.wake({"Records": [key]})
    assert [item.version for item in world.store.deployments("scr", "qa")] == [V2]


def test_a_component_added_later_makes_no_old_release_new(world: World) -> None:
    """Its repository is full of tags that complete old releases, now that it is wanted."""
    two = document()
    data = two.dump()
    del data["spec"]["components"]["web"]
    data["spec"]["environments"]["staging"]["waves"].pop()
    pushed_before(world, V1, V2)
    world.run_services(**images(world, V1, "tag"))
    world.apply(parse(data))
    world.apply(two)
    world.sweep()
    assert world.deployments == []
    assert {item.status for item in world.store.releases("scr")} == {ReleaseStatus.BASELINE}
    assert set(world.store.releases("scr")[0].digests) == {"api", "web"}


@pytest.mark.parametrize("change", ["pattern", "repository"])
def test_old_tags_that_a_changed_document_reads_anew_are_baseline_too(world: World, change: str) -> None:
    """Else the next sweep would take them for pushes whose events were lost, and deploy one."""
    old = "build-1" if change == "pattern" else V2
    world.ecr.push("scr-api", old, "old api", at=world.clock())
    world.ecr.images["scr-web-2"], world.ecr.tags["scr-web-2"] = {}, {}
    web = "scr-web" if change == "pattern" else "scr-web-2"
    world.ecr.push(web, old, "old web", at=world.clock())
    world.run_services()
    world.apply()
    data = document().dump()
    if change == "pattern":
        data["spec"]["tagPattern"] = "(?P<version>build-[0-9]+)"
    else:
        data["spec"]["components"]["web"]["repository"] = "scr-web-2"
    world.apply(parse(data))
    world.sweep()
    assert [(item.version, item.status) for item in world.store.releases("scr")] == [(old, ReleaseStatus.BASELINE)]
    assert world.deployments == []


def with_jobs(world: World) -> Platform:
    """A schedule that runs the API, and a rule without an ECS target."""
    world.events.new_schedule("nightly", world.ecs.new_definition("report", "registry.example/scr-api:old"))
    world.events.new_rule("uploads")
    waves = document().dump()["spec"]["environments"]["staging"]["waves"]
    waves[0]["jobs"] = [
        {"name": "report", "component": "api", "schedule": "nightly"},
        {"name": "upload", "component": "api", "rule": "uploads"},
    ]
    return document(waves=waves)


def test_what_jobs_run_is_taken_over_too(world: World) -> None:
    world.run_services()
    world.apply(with_jobs(world))
    target = world.state.last_succeeded
    assert target is not None
    live = world.events.task_definition("nightly")
    assert target.task_definitions["job/report"] == target.bases["job/report"] == live
    assert "job/upload" not in target.task_definitions


def several(world: World, web: str, worker: str) -> None:
    """One service with `app` and `worker` of the same repository; the other service runs what `app` does."""
    registry = "registry.example/scr-api"
    images = {"worker": f"{registry}:{worker}"}
    world.ecs.new_service("scr-api", world.ecs.new_definition("scr-api", f"{registry}:{web}", images))
    world.ecs.new_service("scr-web", world.ecs.new_definition("scr-web", f"registry.example/scr-web:{web}"))


def test_a_release_runs_only_if_every_container_of_its_images_runs_it(world: World) -> None:
    pushed_before(world, V1, V2)
    several(world, V1, V1)
    world.apply()
    assert world.state.current is not None
    assert world.state.current.version == V1


def test_where_a_worker_runs_another_release_than_its_web_server_none_is_adopted_as_running(world: World) -> None:
    pushed_before(world, V1, V2)
    several(world, V2, V1)
    world.apply()
    current = world.state.current
    assert current is not None
    assert (current.version, current.digests["api"]) == (None, world.ecr.tags["scr-api"][V2])
    (event,) = world.store.timeline("scr#staging")
    assert "no single release is running, since worker of scr-api run another image" in event.message
    world.sweep()
    assert world.condition("Ready") == ("False", "ImagesDiffer")


def test_a_repository_of_the_same_name_elsewhere_counts_by_digest_only(world: World) -> None:
    pushed_before(world, V1)
    web = world.ecr.tags["scr-web"][V1]
    world.ecs.new_service("scr-api", world.ecs.new_definition("scr-api", f"replica.example/scr-api:{V1}"))
    world.ecs.new_service("scr-web", world.ecs.new_definition("scr-web", f"replica.example/scr-web@{web}"))
    world.apply()
    assert world.state.current is not None
    assert world.state.current.digests == {"web": web}


@pytest.mark.parametrize("idle_first", [True, False])
def test_a_service_that_is_scaled_to_zero_says_nothing_of_what_runs_wherever_it_stands(
    world: World, idle_first: bool
) -> None:
    pushed_before(world, V1, V2)
    names = ["scr-idle", "scr-api"] if idle_first else ["scr-api", "scr-idle"]
    services = [{"name": name, "component": "api", "container": "app"} for name in names]
    services += [{"name": "scr-web", "component": "web", "container": "app"}]
    world.document = document(waves=[{"name": "one", "services": services}])
    world.run_services(**images(world, V2, "tag"))
    world.ecs.new_service("scr-idle", world.ecs.new_definition("scr-idle", f"registry.example/scr-api:{V1}"), 0)
    world.apply()
    assert world.state.current is not None
    assert world.state.current.version == V2
    world.sweep()
    assert {name: world.ecr.tags[name]["staging-latest"] for name in ("scr-api", "scr-web")} == {
        name: world.ecr.tags[name][V2] for name in ("scr-api", "scr-web")
    }


def test_where_everything_is_scaled_to_zero_its_task_definitions_still_tell(world: World) -> None:
    pushed_before(world, V1)
    for name in ("api", "web"):
        definition = world.ecs.new_definition(f"scr-{name}", f"registry.example/scr-{name}:{V1}")
        world.ecs.new_service(f"scr-{name}", definition, 0)
    world.apply()
    assert world.state.current is not None
    assert world.state.current.version == V1


class TestPinned:
    """What a way back goes to, where task definitions name tags."""

    def pinned(self, world: World) -> str | None:
        """What was noted for the API."""
        return world.store.adopted_images("scr", "staging").get(world.ecs.services["scr-api"]["taskDefinition"])

    def test_is_what_runs_and_not_what_the_tag_names_by_now(self, world: World) -> None:
        pushed_before(world, V1, V2)
        world.run_services(**images(world, V2, "moving tag"))
        ran = world.ecr.tags["scr-api"][V1]
        world.ecs.tasks.clear()
        world.ecs.add_task("scr-api", ran)
        world.apply()
        assert self.pinned(world) == f"app={ran}"

    def test_is_what_most_tasks_run(self, world: World) -> None:
        pushed_before(world, V1, V2)
        world.run_services(**images(world, V2, "moving tag"))
        ran = world.ecr.tags["scr-api"][V1]
        world.ecs.tasks.clear()
        for digest in (world.ecr.tags["scr-api"][V2], ran, ran):
            world.ecs.add_task("scr-api", digest)
        world.apply()
        assert self.pinned(world) == f"app={ran}"

    @pytest.mark.parametrize("trouble", ["no tasks", "refused"])
    def test_is_what_the_tag_names_where_no_task_tells(self, world: World, trouble: str) -> None:
        pushed_before(world, V1)
        world.run_services(**images(world, V1, "moving tag"))
        world.ecs.tasks.clear()
        if trouble == "refused":
            world.ecs.refuse("list_tasks", "AccessDeniedException")
            world.ecs.refuse("list_tasks", "AccessDeniedException")
        world.apply()
        assert self.pinned(world) == f"app={world.ecr.tags['scr-api'][V1]}"

    def test_is_empty_where_task_definitions_name_digests(self, world: World) -> None:
        pushed_before(world, V1)
        world.run_services(**images(world, V1, "digest"))
        world.ecs.calls.clear()
        world.apply()
        assert self.pinned(world) is None
        assert world.ecs.calls["list_tasks"] == 0
