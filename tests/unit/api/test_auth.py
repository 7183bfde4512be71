"""Who somebody is, and what they or somebody else may do."""

from typing import Any

import pytest

from ferryman.access import Role
from ferryman.access.grants import EVERY, Grant, Grants
from ferryman.api.auth import ASKABLE
from ferryman.store.table import Store
from unit.api_world import ADMIN, JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds

ROLE = "arn:aws:iam::123456789012:role/Dev"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.grants = Grants(
        (
            Grant(Role.VIEWER, (EVERY,), (JO,)),
            Grant(Role.DEPLOYER, ("staging",), (KIM, JO, ROLE)),
            Grant(Role.APPROVER, ("production",), (JO,)),
        )
    )
    return world


def may(world: World, verb: str, env: str = "staging", **query: str) -> tuple[int, Any]:
    who = query.pop("who", JO)
    status, body = world.call("GET", "/v1/auth/can-i", who=who, verb=verb, platform="scr", environment=env, **query)
    return status, body.get("allowed", body.get("error"))


def test_whoami_lists_the_roles_of_each_environment(world: World) -> None:
    found = world.call("GET", "/v1/auth")[1]
    assert (found["arn"], found["admin"]) == (JO, False)
    (scr,) = found["platforms"]
    assert scr["environments"] == {"staging": ["viewer", "deployer"], "production": ["viewer", "approver"]}


def test_who_has_no_role_is_told_who_the_admins_are(world: World) -> None:
    found = world.call("GET", "/v1/auth", who="arn:aws:iam::123456789012:user/new")[1]
    assert (found["platforms"], found["admins"]) == ([], [ADMIN])


def test_an_admin_is_told_what_is_wrong_with_a_platforms_roles(world: World) -> None:
    world.grants = Grants(problem="the SSM parameter does not exist")
    found = world.call("GET", "/v1/auth", who=ADMIN)[1]
    assert (found["admin"], found["platforms"][0]["problem"]) == (True, "the SSM parameter does not exist")
    assert found["platforms"][0]["environments"]["staging"] == ["viewer", "deployer", "approver", "admin"]


def test_can_i(world: World) -> None:
    assert may(world, "deploy") == (200, True)
    assert may(world, "deploy", "production") == (200, False)
    assert may(world, "approve", "production") == (200, True)
    assert may(world, "deploy", who=ADMIN) == (200, True)
    assert may(world, "create-platform") == (200, False)
    assert may(world, "create-platform", who=ADMIN) == (200, True)


def test_the_answer_says_why(world: World) -> None:
    def told(verb: str, env: str) -> Any:
        return world.call("GET", "/v1/auth/can-i", verb=verb, platform="scr", environment=env)[1]["message"]

    assert told("deploy", "staging") == f"yes: {JO} may deploy on scr/staging"
    assert told("deploy", "production").startswith("no: `deploy` on scr/production needs the role deployer")
    assert told("approve", "production").endswith("where the platform document names them as an approver")
    assert "on each environment" in told("apply", "staging")


@pytest.mark.parametrize("verb", ASKABLE)
def test_every_verb_can_be_asked_about(world: World, verb: str) -> None:
    assert may(world, verb)[0] == 200


def test_asking_about_others_needs_to_see_the_environment(world: World) -> None:
    assert may(world, "deploy", **{"as": ROLE}) == (200, True)
    assert may(world, "deploy", "production", **{"as": KIM}) == (200, False)
    status, error = may(world, "deploy", "production", who=KIM, **{"as": JO})
    assert (status, error["code"]) == (403, "NotPermitted")


@pytest.mark.parametrize("arn", ["", "*", "jo", "arn:aws:iam::123456789012:root", f"{ROLE}*", f"{ROLE}\n"])
def test_somebody_else_is_one_user_or_role(world: World, arn: str) -> None:
    status, error = may(world, "deploy", **{"as": arn})
    assert (status, "is not the ARN of an IAM user, a role or a session" in error["message"]) == (400, True)


@pytest.mark.parametrize("verb", ["", "ask", "own", "Deploy"])
def test_an_unknown_verb_names_those_that_there_are(world: World, verb: str) -> None:
    status, error = may(world, verb)
    assert (status, "verbs: view, " in error["message"]) == (400, True)


def test_an_unknown_environment(world: World) -> None:
    status, error = may(world, "deploy", "stagin")
    assert (status, "known environments: staging, production" in error["message"]) == (404, True)
    assert may(world, "deploy", "stagin", who="arn:aws:iam::123456789012:user/new") == (200, False)
    assert world.call("GET", "/v1/auth/can-i", verb="deploy")[0] == 400
