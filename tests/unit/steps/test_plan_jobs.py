"""Jobs in a plan: where a target is, what it named before, and what it will run."""

from typing import Any

import pytest

from ferryman.errors import VerificationFailed
from ferryman.records import JobPlace, Target, step_keys
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import World, plan_of, running
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.events import ecs_target
from unit.fakes.planning import ACCOUNT

REPORT = f"{ACCOUNT}:task-definition/report:7"


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    scr_document["spec"]["environments"]["staging"]["waves"][0]["jobs"] = [
        {"name": "report", "component": "api", "schedule": "nightly"},
        {"name": "page", "component": "web", "rule": "pages", "eventBus": "files"},
    ]
    made = World(store, scr_document, clock, new_id)
    for family, component in (("report", "api"), ("page", "web")):
        made.ecs.containers[family] = component
        made.ecs.images[family] = f"registry.example/scr-{component}:live"
    made.events.new_schedule("nightly", REPORT)
    target = ecs_target(f"{ACCOUNT}:task-definition/page:7", Id="task")
    made.events.new_rule("pages", target, bus="files")
    return made


def test_jobs_stand_in_their_wave_after_its_services(world: World) -> None:
    assert world.begin().waves[0].services == ["scr-api-staging", "job/report", "job/page"]
    assert list(plan_of(world).jobs) == ["job/report", "job/page"]


def test_what_a_target_named_before_is_frozen(world: World) -> None:
    world.begin()
    job = plan_of(world).jobs[step_keys.job("report")]
    assert job.place == JobPlace(kind="schedule", name="nightly", group="default")
    assert (job.task_definition, job.base_task_definition) == (REPORT, REPORT)
    assert REPORT in job.target
    assert "hunter2" not in job.target
    assert job.image == f"registry.example/scr-api@{make.digest('a')}"
    assert job.arn == "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly"
    assert plan_of(world).jobs["job/page"].place.group == "files"


def test_a_job_that_was_left_astray_goes_back_to_the_last_good_revision(world: World) -> None:
    good = f"{ACCOUNT}:task-definition/report:6"
    target = Target(version="a1", deployment="D", task_definitions={"job/report": good})
    world.store.update_state("scr", "staging", lambda state: state.but(astray=True, last_succeeded=target))
    world.begin()
    jobs = plan_of(world).jobs
    assert (jobs["job/report"].stray, jobs["job/report"].goes_back_to) == (True, good)
    assert (jobs["job/page"].stray, jobs["job/page"].goes_back_to) == (False, f"{ACCOUNT}:task-definition/page:7")
    assert [planned.stray for planned in plan_of(world).services.values()] == [False] * 3, "they have no target"


def test_a_release_without_the_image_leaves_the_job_alone(world: World) -> None:
    world.change(digests={"api": make.digest("a"), "ai-gateway": make.digest("a")})
    world.begin()
    assert [plan_of(world).jobs[name].skip for name in ("job/report", "job/page")] == [None, "NotInRelease"]


def test_an_unpinned_target_stops_the_deployment_before_anything_changes(world: World) -> None:
    world.events.new_schedule("nightly", f"{ACCOUNT}:task-definition/report")
    with pytest.raises(VerificationFailed, match=r"waves\.0\.jobs\.0.*runs the latest revision of report"):
        world.begin()
    assert plan_of(world) is None


def test_a_database_command_does_not_depend_on_jobs(world: World) -> None:
    world.events.schedules.clear()
    running(world)
    world.change(kind="migrate", command="up")
    world.begin()
    assert plan_of(world).jobs == {}


def test_every_container_of_the_image_moves(world: World) -> None:
    images = {"fetch": "registry.example/scr-api:live", "proxy": "registry.example/proxy:1"}
    world.ecs.also["report"] = images
    world.begin()
    job = plan_of(world).jobs[step_keys.job("report")]
    assert list(job.images) == ["api", "fetch"]
