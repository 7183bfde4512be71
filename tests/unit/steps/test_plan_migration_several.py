"""What the plan says of several migrations: which run, in which order, from which image, on which machine."""

from typing import Any

import pytest

from ferryman.contracts import LOOPS_OVER_MIGRATIONS
from ferryman.decisions.schema_compatibility import MIGRATIONS
from ferryman.errors import MachineTooOld, VerificationFailed
from ferryman.records import MigrationClaim, StepStatus
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import LEFT, NEW, RUNS, World, plan_of, running
from unit.fakes.clock import FakeClock, FakeIds

ORDERS, STOCK = "orders", "stock"
APPROVAL = {"approvers": [{"name": "Ada", "arn": "arn:aws:iam::123456789012:user/ada"}]}


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    """Two databases, whose migrations are in the API's image."""
    staging = scr_document["spec"]["environments"]["staging"]
    one = staging.pop("migration")
    staging["migrations"] = [
        {**one, "name": ORDERS, "command": ["alembic", "-n", ORDERS, "upgrade", "head"]},
        {**one, "name": STOCK, "command": ["alembic", "-n", STOCK, "upgrade", "head"]},
    ]
    world = World(store, scr_document, clock, new_id)
    world.event = world.event.model_copy(update={"capabilities": [LOOPS_OVER_MIGRATIONS]})
    return world


def names(world: World) -> list[str]:
    return [task.name for task in plan_of(world).named_migrations]


def edit(world: World, scr_document: dict[str, Any], **fields: Any) -> None:
    """Change staging in the applied document; None takes a field out."""
    staging = scr_document["spec"]["environments"]["staging"]
    for name, value in fields.items():
        if value is None:
            staging.pop(name, None)
        else:
            staging[name] = value
    world.store.write(Save(world.store.platform("scr").but(document=scr_document)))


def test_they_run_in_the_order_of_the_document(world: World) -> None:
    assert world.begin().migrations == [ORDERS, STOCK]
    plan = plan_of(world)
    assert (names(world), plan.migration, plan.migrations) == ([ORDERS, STOCK], None, None)
    assert [task.command[2] for task in plan.named_migrations] == [ORDERS, STOCK]


def test_the_machine_is_told_of_one_without_a_name_where_there_is_none(
    world: World, scr_document: dict[str, Any]
) -> None:
    edit(world, scr_document, migrations=None)
    assert world.begin().migrations == [""]
    assert plan_of(world).every_migration == []


def test_a_machine_of_the_version_before_is_refused_and_nothing_is_planned(world: World) -> None:
    """It would run the migration without a name, find none, and roll out the services without any."""
    world.event = world.event.model_copy(update={"capabilities": []})
    with pytest.raises(MachineTooOld, match="orders, stock"):
        world.begin()
    assert plan_of(world) is None


def test_that_is_refused_also_where_the_plan_was_made_for_a_newer_machine(world: World) -> None:
    world.begin()
    world.event = world.event.model_copy(update={"capabilities": []})
    with pytest.raises(MachineTooOld):
        world.begin()


def test_a_machine_that_does_not_ask_is_refused_a_command_that_needs_approval(
    world: World, scr_document: dict[str, Any]
) -> None:
    """It would run the command without anybody's yes: its execution began before the operator was updated."""
    edit(world, scr_document, approval=APPROVAL)
    running(world)
    world.change(kind="migrate", command="up", migration=ORDERS)
    with pytest.raises(MachineTooOld, match=r"can't ask for the approval .* Run the command again"):
        world.begin()
    assert plan_of(world) is None

    world.event = world.event.model_copy(update={"capabilities": ["migrations", "approval"]})
    assert world.begin().approval is True


@pytest.mark.parametrize(
    "changes", [{"command": "current"}, {"command": "up", "override": "the shop is down"}], ids=["reads", "overridden"]
)
def test_that_machine_runs_what_needs_none(world: World, scr_document: dict[str, Any], changes: dict[str, Any]) -> None:
    edit(world, scr_document, approval=APPROVAL)
    running(world)
    world.change(kind="migrate", migration=ORDERS, **changes)
    assert world.begin().approval is False


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
def test_a_machine_of_the_version_before_does_what_it_always_did(
    world: World, scr_document: dict[str, Any], kind: str
) -> None:
    one = scr_document["spec"]["environments"]["staging"]["migrations"][0]
    edit(world, scr_document, migrations=None, migration={n: v for n, v in one.items() if n != "name"})
    world.event = world.event.model_copy(update={"capabilities": []})
    world.change(kind=kind)
    assert world.begin().migrations == [""]
    assert (plan_of(world).migration is None) == (kind == "rollback")
    assert world.store.deployment("scr", "staging", world.event.deployment).steps["begin_deployment"].status is (
        StepStatus.SUCCEEDED
    )


def test_each_knows_its_own_ids(world: World) -> None:
    world.ecr.labels = {NEW: {f"{MIGRATIONS}.{ORDERS}": "001,002", f"{MIGRATIONS}.{ORDERS}.not-rollback-safe": "002"}}
    world.begin()
    orders, stock = plan_of(world).named_migrations
    assert (orders.migrations, orders.unsafe_migrations) == (["001", "002"], ["002"])
    assert (stock.migrations, stock.unsafe_migrations) == (None, [])


@pytest.mark.parametrize(("characters", "kept"), [(12, 1000), (24, 600)], ids=["they-fit", "they-do-not"])
def test_long_lists_share_the_room_that_a_plan_has(world: World, characters: int, kept: int) -> None:
    ids = [f"{number:0{characters}x}" for number in range(1000)]
    listed = {label: ",".join(ids) for name in (ORDERS, STOCK) for label in labels_of(name)}
    world.ecr.labels = {NEW: listed}
    world.begin()
    for task in plan_of(world).named_migrations:
        assert task.migrations == (ids if kept == len(ids) else None), "half a list would be a wrong one"
        assert task.unsafe_migrations == ids[:kept]


def labels_of(name: str) -> tuple[str, str]:
    return f"{MIGRATIONS}.{name}", f"{MIGRATIONS}.{name}.not-rollback-safe"


def test_what_a_release_has_no_image_for_is_not_run(world: World, scr_document: dict[str, Any]) -> None:
    second = scr_document["spec"]["environments"]["staging"]["migrations"][1]
    second |= {"component": "ai-gateway", "container": "api"}
    edit(world, scr_document)
    world.change(digests={"api": make.digest("a")})
    assert world.begin().migrations == [ORDERS]


# ── what a person does to the databases ──


def migrated(world: World, version: str, name: str) -> None:
    claim = MigrationClaim(
        platform="scr", environment="staging", version=f"{name}/{version}", attempt=1, deployment="x",
        status="Succeeded", task_definition="td", client_token="fm-1", at=make.AT,
    )  # fmt: skip
    world.store.write(Save(claim))


def test_a_downgrade_runs_in_reverse_order_with_the_image_that_migrated_each(world: World) -> None:
    left = make.release("ccc1234").components["api"].but(digest=LEFT)
    world.store.write(Save(make.release("ccc1234", components={"api": left})))
    migrated(world, "ccc1234", STOCK)
    running(world)
    world.change(kind="rollback", command="down", revisions={ORDERS: "001", STOCK: "101"})
    assert world.begin().migrations == [STOCK, ORDERS]
    stock, orders = plan_of(world).named_migrations
    assert (stock.command, stock.image) == (["alembic", "downgrade", "101"], f"registry.example/scr-api@{LEFT}")
    assert (orders.command, orders.image) == (["alembic", "downgrade", "001"], f"registry.example/scr-api@{RUNS}")


def test_a_downgrade_leaves_the_others_alone(world: World) -> None:
    running(world)
    world.change(kind="rollback", command="down", revisions={STOCK: "101"})
    assert world.begin().migrations == [STOCK]


def test_a_rollback_without_a_downgrade_runs_none(world: World) -> None:
    world.change(kind="rollback")
    assert world.begin().migrations == [""]
    assert plan_of(world).every_migration == []


@pytest.mark.parametrize("command", ["up", "current"])
def test_a_command_is_about_one_of_them(world: World, command: str) -> None:
    running(world)
    world.change(kind="migrate", command=command, migration=STOCK)
    assert world.begin().migrations == [STOCK]


def test_a_command_does_not_depend_on_the_other_one(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["migrations"][0]["container"] = "gone"
    edit(world, scr_document)
    running(world)
    world.change(kind="migrate", command="current", migration=STOCK)
    assert world.begin().migrations == [STOCK]
    world.change(plan=None, migration=ORDERS)
    with pytest.raises(VerificationFailed, match=r"migrations\.0\.taskDefinition"):
        world.begin()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"kind": "migrate", "command": "up"}, "migration without a name", id="reconcile-dropped-the-name"),
        pytest.param({"kind": "migrate", "command": "up", "migration": "audit"}, "migration audit", id="is-gone"),
        pytest.param({"kind": "rollback", "command": "down"}, "without a name", id="reconcile-dropped-the-revisions"),
        pytest.param(
            {"kind": "rollback", "command": "down", "revisions": {ORDERS: "1", "audit": "1"}}, "audit", id="one-is-gone"
        ),
    ],
)
def test_what_is_not_clear_is_never_guessed(world: World, changes: dict[str, Any], words: str) -> None:
    """A reconcile of the version before drops fields that it does not know."""
    running(world)
    world.change(**changes)
    with pytest.raises(VerificationFailed, match=words):
        world.begin()
    assert plan_of(world) is None
