"""A rollback where there are several databases: every one has a say, and only those that ran go back."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.schema_compatibility import MIGRATIONS, ImageLabels
from ferryman.records import MigrationClaim
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import World
from unit.fakes.clock import FakeClock, FakeIds
from unit.starting import ACCEPT, DOWN, ENV, A, B, C, D, ask, brings, change, refused, release, running, state

ORDERS, STOCK = "orders", "stock"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    """Production has two databases. B has migrated both, and C, which runs, too."""
    world = World(store, clock, new_id)
    world.applied(scr_document)
    one = scr_document["spec"]["environments"][ENV]["migration"]
    change(world, migration=None, migrations=[{**one, "name": ORDERS}, {**one, "name": STOCK}])
    world.put(*(release(version) for version in (A, B, C, D)), running())
    for version in (B, C):
        for name in (ORDERS, STOCK):
            migrated(world, version, name)
    return world


def migrated(world: World, version: str, name: str, status: Any = "Succeeded", attempt: int = 1) -> None:
    world.put(
        MigrationClaim(
            platform="scr", environment=ENV, version=f"{name}/{version}", attempt=attempt, deployment="x",
            status=status, task_definition="td", client_token="t",
            at=make.AT + timedelta(hours="abcd".index(version[0])),
        )
    )  # fmt: skip


def told(orders: str | None, stock: str | None, unsafe_stock: str = "") -> ImageLabels:
    labels = {f"{MIGRATIONS}.{ORDERS}": orders, f"{MIGRATIONS}.{STOCK}": stock}
    labels[f"{MIGRATIONS}.{STOCK}.not-rollback-safe"] = unsafe_stock or None
    return ImageLabels({name: value for name, value in labels.items() if value is not None})


def rollback(world: World, **body: Any) -> tuple[int, dict[str, Any]]:
    return ask(world, "rollback", reason="x", **body)


def test_says_what_is_between_for_each(world: World) -> None:
    brings(world, b=told("1", "1"), c=told("1,2", "1"))

    status, answer = rollback(world)

    assert status == 200, answer
    assert "orders: migrations since then: 2, all rollback-safe" in answer["message"]
    assert "stock: there are no migrations in between" in answer["message"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        pytest.param({"b": told("1", "1"), "c": told("1,2", "1,2", "2")}, "stock: the database has", id="unsafe"),
        pytest.param({"b": told("1", "1"), "c": told("1", None)}, "stock: the image that migrated last", id="silent"),
    ],
)
def test_one_that_is_not_safe_stops_it(world: World, labels: Any, words: str) -> None:
    brings(world, **labels)

    refused(world, rollback(world), words, state(world))
    assert rollback(world, **ACCEPT)[0] == 200


def test_a_downgrade_takes_back_all_that_ran_and_the_last_first(world: World) -> None:
    brings(world, b=told("1", "a,b"), c=told("1,2", "a,b,c"))

    status, answer = rollback(world, **DOWN)

    assert (status, "its databases are downgraded first: stock to b, orders to 1" in answer["message"]) == (200, True)
    wish = state(world).requested
    assert wish is not None
    assert (wish.command, wish.revision, wish.revisions) == ("down", None, {ORDERS: "1", STOCK: "b"})


def test_a_downgrade_leaves_alone_what_did_not_run(world: World) -> None:
    """D failed at its second database; C runs, and people go back from both."""
    migrated(world, D, ORDERS)
    migrated(world, D, STOCK, "Failed")
    brings(world, b=told("1", "1"), c=told("1", "1"), d=told("1,2", "1,2"))

    assert rollback(world, **DOWN)[0] == 200
    wish = state(world).requested
    assert wish is not None
    assert wish.revisions == {ORDERS: "1"}


def test_a_downgrade_that_has_nothing_to_do_is_refused(world: World) -> None:
    brings(world, b=told("1", "1"), c=told("1", "1"))

    refused(world, rollback(world, **DOWN), "nothing to downgrade", state(world))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"revision": "1"}, "`--revision NAME=REVISION` for one of orders, stock", id="which-one"),
        pytest.param({"revisions": {"audit": "1"}}, "there is no migration 'audit'", id="unknown"),
    ],
)
def test_a_revision_has_the_name_of_a_migration(world: World, body: dict[str, Any], words: str) -> None:
    brings(world, b=told("1", "1"), c=told("1,2", "1,2"))

    refused(world, rollback(world, **DOWN, **body), words, state(world))


def test_a_name_is_refused_where_the_migration_has_none(world: World, scr_document: dict[str, Any]) -> None:
    one = scr_document["spec"]["environments"][ENV]["migration"]
    change(world, migrations=None, migration=one)

    refused(world, rollback(world, **DOWN, revisions={ORDERS: "1"}), "has no name", state(world))


def test_a_named_one_goes_where_it_is_told_even_if_it_did_not_run(world: World) -> None:
    brings(world, b=told("1", "1"), c=told("1,2", "1"))

    assert rollback(world, **DOWN, revisions={STOCK: "0"})[0] == 200
    wish = state(world).requested
    assert wish is not None
    assert wish.revisions == {ORDERS: "1", STOCK: "0"}


@pytest.mark.parametrize("what", ["no-list", "no-command"])
def test_one_that_cannot_go_back_stops_it(world: World, what: str) -> None:
    brings(world, b=told("1", None), c=told("1,2", "1,2"))
    words = "`--revision stock=REVISION`"
    if what == "no-command":
        migrations = world.store.platform("scr").document["spec"]["environments"][ENV]["migrations"]
        change(world, migrations=[migrations[0], {n: v for n, v in migrations[1].items() if n != "downgrade"}])
        words = "no downgrade for migration stock"

    refused(world, rollback(world, **DOWN), words, state(world))


def test_revisions_need_a_downgrade(world: World) -> None:
    refused(world, rollback(world, revisions={ORDERS: "1"}), "--downgrade", state(world))


@pytest.mark.parametrize("revisions", [{"Orders": "1"}, {ORDERS: "$(reboot)"}, {ORDERS: 1}, [ORDERS]])
def test_bodies_that_do_not_fit(world: World, revisions: Any) -> None:
    assert rollback(world, **DOWN, revisions=revisions)[0] == 422


def test_a_downgrade_that_failed_at_one_database_is_asked_for_again(world: World) -> None:
    """It may have got half way there: its releases migrate again, and a second downgrade takes it back, too."""
    brings(world, b=told("1", "1"), c=told("1,2", "1,2"))
    for name, status in ((STOCK, "Succeeded"), (ORDERS, "Failed")):
        (done,) = world.store.migration_claims("scr", ENV, f"{name}/{C}")
        world.put(done.but(status="Reverted"))
        down = done.but(version=f"{name}/{B}@x", command="down", status=status, rev=0)
        world.put(down.but(at=make.AT + timedelta(days=1)))

    assert rollback(world, **DOWN)[0] == 200
    wish = state(world).requested
    assert wish is not None
    assert wish.revisions == {ORDERS: "1"}
