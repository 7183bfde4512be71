"""What belongs to another environment by now is neither registered nor changed, however old the frozen plan is."""

from collections.abc import Callable
from typing import Any

import pytest

from ferryman.errors import VerificationFailed
from ferryman.records import AppliedPlatform, Ownership, step_keys
from ferryman.records.writes import Save
from ferryman.steps import still_owned
from ferryman.store.table import Store
from unit import builders as make
from unit.ecs_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.jobs_world import REPORT, UPLOAD, JobsWorld

ROLE = "arn:aws:iam::123456789012:role/scr/production/Task"
DEFINITION: Any = {"family": "api", "containerDefinitions": [], "taskRoleArn": ROLE}
SERVICE = "service:scr-staging/api"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def owns(world: World, environment: str, *names: str, platform: str = "scr", later: tuple[str, ...] = ()) -> None:
    if world.store.find_platform(platform) is None:
        world.store.write(
            Save(AppliedPlatform(name=platform, document={}, generation=1, applied_by="ann", applied_at=make.AT))
        )
    record = Ownership(
        platform=platform, environment=environment, generation=1, things=[*names], later=[*later], at=make.AT
    )  # fmt: skip
    world.store.write(Save(record))


def check(world: World, *also: str) -> None:
    still_owned.check(world.store, world.ref, DEFINITION, also)


def test_one_s_own_is_checked_with_one_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    owns(world, "staging", "family:api", SERVICE, later=("role:task",))
    owns(world, "production", "role:task")
    monkeypatch.setattr(Store, "ownerships", lambda _: pytest.fail("what others own does not matter"))
    check(world, SERVICE)


def test_a_role_below_another_s_path_is_refused_though_nobody_has_recorded_it(world: World) -> None:
    def with_role(path: str) -> Any:
        return DEFINITION | {"executionRoleArn": f"arn:aws:iam::123456789012:role/ferryman/{path}/api"}

    for mine in ("scr/staging", "scr"):
        still_owned.check(world.store, world.ref, with_role(mine))
    for foreign in ("scr/production", "shop/staging"):
        with pytest.raises(VerificationFailed, match=f"as its path /ferryman/{foreign}/ tells"):
            still_owned.check(world.store, world.ref, with_role(foreign))


def test_what_nobody_owns_is_free_and_so_is_all_before_there_were_owners(world: World) -> None:
    check(world, SERVICE)
    owns(world, "staging")
    check(world, SERVICE)


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("role:task", "IAM role task of task definition api belongs to"),
        ("family:api", "task definition family api belongs to"),
        (SERVICE, "service api of cluster scr-staging belongs to"),
    ],
)
@pytest.mark.parametrize(
    ("platform", "whose"),
    [("scr", "environment production of this platform"), ("shop", "environment production of platform shop")],
)
def test_what_belongs_to_somebody_else_is_refused(
    world: World, thing: str, said: str, platform: str, whose: str
) -> None:
    owns(world, "staging", "family:other")
    owns(world, "production", thing, platform=platform)
    with pytest.raises(VerificationFailed, match=f"{said} {whose}"):
        check(world, SERVICE)


def lose(world: World) -> None:
    """Have the role of every task definition belong to production."""
    for definition in world.ecs.definitions.values():
        definition["taskRoleArn"] = ROLE
    owns(world, "staging", "family:api", "family:api-migrate", SERVICE)
    owns(world, "production", "role:task")


@pytest.mark.parametrize(
    ("act", "key"),
    [
        (lambda world: world.update(), step_keys.rollout("api", "forward")),
        (lambda world: world.run_migration(), step_keys.migration("")),
    ],
    ids=["service", "migration"],
)
def test_a_frozen_plan_with_a_role_that_was_lost_changes_nothing(
    world: World, act: Callable[[World], Any], key: str
) -> None:
    lose(world)
    assert act(world).verdict == "Failed"
    step = world.deployment.steps[key]
    assert step.reason == "VerificationFailed"
    assert "IAM role task of task definition api" in (step.message or "")
    changes = ("register_task_definition", "update_service", "run_task")
    assert not any(world.ecs.calls[name] for name in changes)


def test_a_service_does_not_go_back_to_a_role_that_was_lost(world: World) -> None:
    world.update()
    updates = world.ecs.calls["update_service"]
    lose(world)
    assert world.update("api", "back").verdict == "Failed"
    assert world.step("api", "back").reason == "VerificationFailed"
    assert world.ecs.calls["update_service"] == updates


@pytest.mark.parametrize("direction", ["forward", "back"])
@pytest.mark.parametrize(
    ("job", "thing", "said"),
    [
        (REPORT, "schedule:default/nightly", "schedule default/nightly belongs to"),
        (UPLOAD, "rule:default/uploads", "rule uploads belongs to"),
        (REPORT, "family:report", "task definition family report belongs to"),
    ],
)
def test_a_job_that_was_lost_is_left_alone(
    store: Store, clock: FakeClock, new_id: FakeIds, job: str, thing: str, said: str, direction: str
) -> None:
    world = JobsWorld(store, clock, new_id)
    world.pass_first_wave()
    if direction == "back":
        world.update(job)
    owns(world, "staging", "family:api")
    owns(world, "production", thing)
    before = (world.events.calls["update_schedule"], world.events.calls["put_targets"])
    assert world.update(job, direction).verdict == "Failed"
    step = world.step(job, direction)
    assert step.reason == "VerificationFailed"
    assert said in (step.message or "")
    assert (world.events.calls["update_schedule"], world.events.calls["put_targets"]) == before
