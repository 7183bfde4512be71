"""A person's commands for the database: what is recorded, and when they are refused."""

from typing import Any

import pytest

from ferryman.records import (
    Request,
)
from unit import builders as make
from unit.api_world import JO, KIM, World
from unit.starting import (
    ENV,
    FREEZE,
    HOLD,
    C,
    D,
    ask,
    change,
    claim,
    lines,
    refused,
    running,
    state,
)


class TestMigrate:
    @pytest.mark.parametrize(
        ("body", "command", "revision"),
        [
            pytest.param({"command": "up"}, "up", None, id="up"),
            pytest.param({"command": "down", "revision": "0042"}, "down", "0042", id="down"),
            pytest.param({"command": "current"}, "current", None, id="current"),
        ],
    )
    def test_is_recorded(self, world: World, body: dict[str, Any], command: str, revision: str | None) -> None:
        world.put(running())

        status, answer = ask(world, "migrate", reason="index locks", **body)

        assert (status, answer["changed"], answer["version"]) == (200, True, C)
        wish = state(world).requested
        assert wish is not None
        assert (wish.kind, wish.command, wish.revision, wish.version) == ("migrate", command, revision, C)
        assert (lines(world), world.outside.nudged) == ([("MigrateRequested", JO)], [("scr", ENV)])

    def test_passes_a_hold_and_leaves_it(self, world: World) -> None:
        world.put(running(hold=HOLD))

        assert ask(world, "migrate", command="current")[0] == 200
        assert state(world).hold == HOLD

    def test_current_passes_a_freeze(self, world: World) -> None:
        world.put(running(freeze=FREEZE))

        assert ask(world, "migrate", command="current")[0] == 200

    def test_twice_asks_once(self, world: World) -> None:
        world.put(running())
        ask(world, "migrate", command="current")

        assert ask(world, "migrate", command="current", who=KIM)[1]["changed"] is False
        assert lines(world) == [("MigrateRequested", JO)]

    @pytest.mark.parametrize(
        ("standing", "fields", "body", "words"),
        [
            pytest.param({}, {}, {"confirm": "DEPLOY"}, "typing production", id="not-confirmed"),
            pytest.param({"active": claim()}, {}, {}, "ferryman watch production", id="something-is-under-way"),
            pytest.param(
                {"requested": Request(version=D, kind="deploy", reason="", who=KIM, at=make.AT)},
                {},
                {},
                "requested deploy of ddd1234, which starts first",
                id="something-else-is-next",
            ),
            pytest.param(
                {
                    "requested": Request(
                        version=C, kind="migrate", reason="", who=KIM, at=make.AT, command="down", revision="1"
                    )
                },
                {},
                {},
                "starts first",
                id="another-command-is-next",
            ),
            pytest.param({}, {"migration": None}, {}, "no migration in the document", id="no-database"),
            pytest.param({}, {}, {"command": "down"}, "--revision", id="down-to-nowhere"),
            pytest.param(
                {}, {}, {"command": "up", "revision": "1"}, "only down takes a revision", id="up-to-somewhere"
            ),
            pytest.param({"current": None}, {}, {}, "does not run a release", id="nothing-runs"),
            pytest.param({"freeze": FREEZE}, {}, {}, "frozen", id="up-while-frozen"),
            pytest.param(
                {"freeze": FREEZE}, {}, {"command": "down", "revision": "1"}, "frozen", id="down-while-frozen"
            ),
        ],
    )
    def test_is_refused(
        self, world: World, standing: dict[str, Any], fields: dict[str, Any], body: dict[str, Any], words: str
    ) -> None:
        world.put(running(**standing))
        change(world, **fields)

        refused(world, ask(world, "migrate", **{"command": "up", **body}), words, state(world))

    @pytest.mark.parametrize("command", ["down", "current"])
    def test_the_document_has_to_say_how(self, world: World, command: str) -> None:
        migration = world.store.platform("scr").document["spec"]["environments"][ENV]["migration"]
        change(world, migration={n: v for n, v in migration.items() if n not in ("downgrade", "current")})
        world.put(running())
        revision = {"revision": "1"} if command == "down" else {}

        refused(
            world, ask(world, "migrate", command=command, **revision), "the document defines no command", state(world)
        )

    @pytest.mark.parametrize("body", [{}, {"command": "sideways"}, {"command": "down", "revision": "; rm -rf"}])
    def test_bodies_that_do_not_fit(self, world: World, body: dict[str, Any]) -> None:
        assert ask(world, "migrate", **body)[0] == 422


class TestSeveral:
    @pytest.fixture
    def document(self, scr_document: dict[str, Any]) -> dict[str, Any]:
        production = scr_document["spec"]["environments"][ENV]
        one = production.pop("migration")
        production["migrations"] = [{**one, "name": "orders"}, {**one, "name": "stock"}]
        return scr_document

    def test_a_command_names_its_migration(self, world: World) -> None:
        world.put(running())

        status, answer = ask(world, "migrate", command="down", migration="stock", revision="1")

        assert (status, answer["migration"]) == (200, "stock")
        assert (
            "migrate stock down to 1 in production waits for approval: Ada Lovelace, Grace Hopper will"
            in answer["message"]
        )
        wish = state(world).requested
        assert wish is not None
        assert (wish.command, wish.migration, wish.revision) == ("down", "stock", "1")

    def test_without_a_name_it_lists_them(self, world: World) -> None:
        world.put(running())

        words = "several migrations: orders, stock. Say which one: `ferryman migrate production orders current -p scr`"
        refused(world, ask(world, "migrate", command="current"), words, state(world))

    def test_an_unknown_name_lists_them(self, world: World) -> None:
        world.put(running())

        refused(world, ask(world, "migrate", command="up", migration="audit"), "it has: orders, stock", state(world))

    def test_the_only_one_needs_no_name(self, world: World, document: dict[str, Any]) -> None:
        change(world, migrations=document["spec"]["environments"][ENV]["migrations"][:1])
        world.put(running())

        assert ask(world, "migrate", command="current")[0] == 200
        wish = state(world).requested
        assert wish is not None
        assert wish.migration == "orders"

    def test_the_same_command_for_another_database_is_another_one(self, world: World) -> None:
        world.put(running())
        assert ask(world, "migrate", command="current", migration="orders")[0] == 200

        status, answer = ask(world, "migrate", command="current", migration="stock")

        assert (status, "starts first" in answer["error"]["message"]) == (409, True)


def test_a_name_is_refused_where_the_migration_has_none(world: World) -> None:
    world.put(running())

    refused(world, ask(world, "migrate", command="up", migration="orders"), "one without a name", state(world))
