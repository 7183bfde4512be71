"""Waivers: a person lets a release pass in spite of its image scans, for a while."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Waiver
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, KIM, World, idle
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import document

WISH = {"release": "abc1234", "reason": "no exploit, fix is due on Monday"}


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.applied(document(scan={"block": ["CRITICAL"]}).dump())
    world.put(idle(), make.release(names=["v1.0.0"]), make.release("def5678", first_seen_at=make.AT))
    return world


def test_it_is_recorded_with_who_and_until_when_and_reconcile_looks(world: World) -> None:
    status, answer = world.ask("waive", WISH)
    assert (status, answer["changed"]) == (200, True)
    assert "do not block abc1234 in staging for 7d (until 2026-01-09 03:04 UTC)" in answer["message"]
    assert world.state.waivers == {
        "abc1234": Waiver(reason=WISH["reason"], who=JO, at=world.clock(), until=world.clock() + timedelta(days=7))
    }
    assert world.timeline() == [("Waived", JO)]
    assert WISH["reason"] in world.store.timeline("scr#staging")[0].message
    assert world.outside.nudged == [("scr", "staging")]


def test_a_semver_name_will_do(world: World) -> None:
    assert world.ask("waive", WISH | {"release": "v1.0.0", "duration": "12h"})[0] == 200
    assert world.state.waivers["abc1234"].until == world.clock() + timedelta(hours=12)


def test_a_newer_one_takes_the_place_and_expired_ones_go(world: World) -> None:
    world.ask("waive", WISH | {"duration": "1h"})
    world.clock.forward(hours=1)
    world.ask("waive", WISH | {"release": "def5678"}, who=KIM)
    assert set(world.state.waivers) == {"def5678"}
    world.ask("waive", WISH | {"release": "def5678", "duration": "30d"})
    assert world.state.waivers["def5678"].who == JO
    assert world.timeline() == [("Waived", JO), ("Waived", KIM), ("Waived", JO)]


def test_nobody_woken_is_no_failure(world: World) -> None:
    world.outside.down = True
    assert world.ask("waive", WISH)[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (WISH | {"release": "eeeeeee"}, 404, "there is no release 'eeeeeee'; the latest are: "),
        (WISH | {"release": "sha-abc1234"}, 404, "no release 'sha-abc1234': sha-abc1234 does not match tagPattern"),
        (WISH | {"release": "v9.9.9"}, 404, "no release 'v9.9.9': v9.9.9 is a semver tag: a second name"),
        (WISH | {"reason": " "}, 422, "reason"),
        ({"release": "abc1234"}, 422, "reason"),
        ({"reason": "x"}, 422, "release"),
        (WISH | {"release": ""}, 422, "release"),
        (WISH | {"duration": "31d"}, 422, "at most 30d"),
        (WISH | {"duration": "59s"}, 422, "at least 1m"),
        (WISH | {"duration": "soon"}, 422, "not a duration"),
        (WISH | {"duration": 7}, 422, "not a duration"),
        (WISH | {"until": "tomorrow"}, 422, "until"),
    ],
)
def test_refused(world: World, body: dict[str, Any], status: int, said: str) -> None:
    found, answer = world.ask("waive", body)
    assert found == status
    assert said in answer["error"]["message"]
    assert (world.state.waivers, world.timeline(), world.outside.nudged) == ({}, [], [])


def test_refused_where_no_scan_holds_anything_back(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = World(store, clock, new_id)
    world.applied(document().dump())
    world.put(idle(), make.release())
    status, answer = world.ask("waive", WISH)
    assert (status, answer["error"]["code"]) == (409, "Refused")
    assert "nothing to waive" in answer["error"]["message"]
    assert world.call("POST", f"{ENV.replace('staging', 'qa')}/waive", WISH)[0] == 404
