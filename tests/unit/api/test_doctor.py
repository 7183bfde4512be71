"""What the operator tells `ferryman doctor`: bounded, and only of environments that the caller may see."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman import __version__
from ferryman.access import Role
from ferryman.access.grants import Grant, Grants
from ferryman.store.table import Store
from unit.api_world import ADMIN, JO, World, idle
from unit.fakes.clock import FakeClock, FakeIds

PATH = "/v1/platforms/scr"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    made = World(store, clock, new_id)
    made.applied(scr_document)
    made.put(idle())
    return made


def test_who_has_no_role_learns_the_version_and_nothing_else(world: World, clock: FakeClock) -> None:
    world.grants = Grants()
    status, answer = world.call("GET", "/v1/doctor")
    assert (status, answer) == (200, {"version": __version__, "now": clock().isoformat()})
    assert world.call("GET", f"{PATH}/doctor")[0] == 403
    assert world.call("GET", f"{PATH}/channels")[0] == 403


def test_tells_what_the_platform_stands_on(world: World, scr_document: dict[str, Any]) -> None:
    since = world.clock() - timedelta(minutes=20)
    world.put(world.state.but(waiting_since=since))
    status, answer = world.call("GET", f"{PATH}/doctor", who=ADMIN)
    assert status == 200
    assert answer["repositories"] == sorted(one["repository"] for one in scr_document["spec"]["components"].values())
    staging = next(one for one in answer["environments"] if one["name"] == "staging")
    assert (staging["waitingSince"], staging["services"][0]) == (since.isoformat(), "scr-api-staging")
    assert 0 < answer["largest"]["bytes"] < answer["largest"]["limit"] == 400 * 1024
    assert answer["largest"]["record"] == "the document"


def test_a_viewer_of_one_environment_sees_that_one(world: World) -> None:
    world.grants = Grants((Grant(Role.VIEWER, ("staging",), (JO,)),))
    _, answer = world.call("GET", f"{PATH}/doctor")
    assert [one["name"] for one in answer["environments"]] == ["staging"]
    assert not any("approver" in address or "ada" in address for address in answer["mail"]["to"])


def test_probing_is_for_viewers_and_sending_is_for_deployers(world: World) -> None:
    world.grants = Grants((Grant(Role.VIEWER, ("*",), (JO,)),))
    status, answer = world.call("GET", f"{PATH}/channels")
    assert (status, answer["channels"][0]["name"], world.outside.probed) == (200, "team", [("scr", False)])
    assert world.call("POST", f"{PATH}/channels/test")[0] == 403
    world.grants = Grants((Grant(Role.DEPLOYER, ("*",), (JO,)),))
    assert world.call("POST", f"{PATH}/channels/test")[0] == 200
    assert world.outside.probed == [("scr", False), ("scr", True)]
