"""What the plan says of migrations: which image runs them, and with which command."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE
from ferryman.errors import VerificationFailed
from ferryman.records import (
    Image,
    MigrationClaim,
)
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import LEFT, NEW, RUNS, World, plan_of, running
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def test_going_backwards_plans_no_migration(world: World) -> None:
    world.change(kind="rollback")
    world.begin()
    assert plan_of(world).migration is None


def migrated(world: World, version: str, hours: int, status: Any = "Succeeded") -> None:
    """The migration of a release ran here."""
    claim = MigrationClaim(
        platform="scr",
        environment="staging",
        version=version,
        attempt=1,
        deployment="01K0000000000000000000PREV",
        status=status,
        task_definition="td",
        client_token="fm-1",
        at=make.AT + timedelta(hours=hours),
    )
    world.store.write(Save(claim))


def test_the_plan_knows_the_migrations_of_its_image(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001,002", UNSAFE: "002"}, RUNS: {MIGRATIONS: "001"}}
    running(world)
    world.begin()
    assert (plan_of(world).migrations, plan_of(world).unsafe_migrations) == (["001", "002"], ["002"])


@pytest.mark.parametrize("why", ["no-labels", "denied", "other-bytes"])
def test_labels_that_cannot_be_read_stop_nothing(world: World, why: str) -> None:
    if why == "denied":
        world.ecr.down = True
    if why == "other-bytes":
        world.ecr.download = lambda url: b"{}"  # type: ignore[method-assign]
    assert world.begin().verdict == "Planned"
    assert (plan_of(world).migrations, plan_of(world).unsafe_migrations) == (None, [])


def test_a_way_back_knows_what_its_release_knows(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001"}, RUNS: {MIGRATIONS: "001,002"}}
    running(world)
    world.change(kind="rollback")
    world.begin()
    assert plan_of(world).migrations == ["001"]


def test_a_way_back_with_a_downgrade_runs_it_with_the_image_that_knows_it(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001"}, RUNS: {MIGRATIONS: "001,002"}}
    running(world)
    world.change(kind="rollback", command="down", revision="001")
    answer = world.begin()
    plan = plan_of(world)
    assert len(answer.waves) == 3
    assert plan.migration.command == ["alembic", "downgrade", "001"]
    assert plan.migration.image == f"registry.example/scr-api@{RUNS}"
    assert plan.migrations == ["001", "002"]
    assert plan.services["scr-api-staging"].digest == NEW


COMMANDS = [
    pytest.param("up", None, ["alembic", "upgrade", "head"], RUNS, id="up"),
    pytest.param("down", "001", ["alembic", "downgrade", "001"], LEFT, id="down"),
    pytest.param("current", None, ["alembic", "current"], LEFT, id="current"),
]


@pytest.mark.parametrize(("command", "revision", "words", "image"), COMMANDS)
def test_a_persons_command_is_all_there_is(
    world: World, command: Any, revision: str | None, words: list[str], image: str
) -> None:
    """The release that was left had migrated: only its image knows every migration that the database has."""
    left = {"api": Image(digest=LEFT, tag="ccc1234", first_seen_at=make.AT)}
    world.store.write(Save(make.release("ccc1234", components=left)))
    migrated(world, "0001234", 0)
    migrated(world, "ccc1234", 1)
    migrated(world, "ddd1234", 2, "Reverted")
    migrated(world, "0001234@01K0000000000000000000PREV", 3)
    running(world)
    world.change(kind="migrate", command=command, revision=revision, version="0001234")

    answer = world.begin()

    plan = plan_of(world)
    assert (answer.waves, answer.approval) == ([], False)
    assert (plan.services, plan.checks, plan.promotions) == ({}, [], [])
    assert (plan.migration.command, plan.migration.image) == (words, f"registry.example/scr-api@{image}")


@pytest.mark.parametrize(("command", "revision", "words", "image"), COMMANDS)
def test_a_command_runs_with_what_runs_when_nothing_migrated_here(
    world: World, command: Any, revision: str | None, words: list[str], image: str
) -> None:
    running(world)
    world.change(kind="migrate", command=command, revision=revision)
    world.begin()
    assert plan_of(world).migration.image == f"registry.example/scr-api@{RUNS}"


def test_a_command_has_nothing_to_do_with_the_services(world: World) -> None:
    running(world)
    world.ecs.live.pop("scr-web-staging")
    world.change(kind="migrate", command="current")
    assert world.begin().verdict == "Planned"


@pytest.mark.parametrize("what", ["no-migration", "no-command", "no-image", "no-revision"])
def test_a_command_that_cannot_be_run_is_an_error(world: World, scr_document: dict[str, Any], what: str) -> None:
    running(world)
    changes: dict[str, Any] = {"kind": "rollback", "command": "down", "revision": "001"}
    staging = scr_document["spec"]["environments"]["staging"]
    if what == "no-migration":
        del staging["migration"]
    elif what == "no-command":
        del staging["migration"]["downgrade"]
    elif what == "no-image":
        world.state(current=None)
    else:
        changes["revision"] = None
    applied = world.store.platform("scr")
    world.store.write(Save(applied.but(document=scr_document)))
    world.change(**changes)
    with pytest.raises(VerificationFailed, match="down"):
        world.begin()
    assert plan_of(world) is None
