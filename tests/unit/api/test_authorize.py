"""Each call needs the role of its verb, checked before its route runs; what is refused is in the audit."""

import json
from typing import Any

import pytest

from ferryman.access import Role
from ferryman.access.grants import EVERY, Grant, Grants
from ferryman.api.serve_api import ROUTES
from ferryman.errors import Unavailable
from ferryman.store.table import Store
from unit.api_world import ADMIN, ENV, JO, KIM, World, idle
from unit.fakes.clock import FakeClock, FakeIds

SCR = "/v1/platforms/scr"
WRITES = ("abort", "retry", "redeploy", "hold", "resume", "deploy", "rollback", "migrate", "freeze", "thaw", "waive")
READS = ("", "/history", "/explain", "/events", "/deployments/latest", "/diff", "/approval")


def grants(*rows: tuple[Role, str, str]) -> Grants:
    return Grants(tuple(Grant(role, (env,), (who,)) for role, env, who in rows))


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(idle())
    world.grants = grants((Role.VIEWER, "staging", JO), (Role.DEPLOYER, "staging", KIM))
    return world


def code(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1].get("error", {}).get("code", "")


@pytest.mark.parametrize("what", [*WRITES, "approve", "reject"])
def test_a_viewer_changes_nothing(world: World, what: str) -> None:
    before = world.state
    status, body = world.ask(what, {"reason": "x"})
    assert (status, body["error"]["code"]) == (403, "NotPermitted")
    needed = "approver" if what in ("approve", "reject") else "deployer"
    assert (
        f"`{what}` on scr/staging needs the role {needed}, and {JO} does not have it there" in body["error"]["message"]
    )
    assert ADMIN in body["error"]["message"]
    assert world.state == before
    assert world.timeline() == [("RequestRefused", JO)]


@pytest.mark.parametrize("what", READS)
def test_a_viewer_reads_where_they_may(world: World, what: str) -> None:
    assert world.call("GET", f"{ENV}{what}")[0] != 403
    production = ENV.replace("staging", "production")
    assert code(world.call("GET", f"{production}{what}")) == (403, "NotPermitted")


@pytest.mark.parametrize("what", WRITES)
def test_a_deployer_gets_past_the_gate_in_their_environment_only(world: World, what: str) -> None:
    assert code(world.ask(what, {}, who=KIM)) != (403, "NotPermitted")
    answer = world.call("POST", f"{SCR}/environments/production/{what}", {}, who=KIM)
    assert code(answer) == (403, "NotPermitted")
    assert world.timeline("scr#production") == [("RequestRefused", KIM)]


def test_a_deployer_approves_nothing(world: World) -> None:
    assert code(world.ask("approve", {"version": "0001234"}, who=KIM)) == (403, "NotPermitted")


@pytest.mark.parametrize(("method", "pattern"), [(method, pattern) for method, pattern, _, _ in ROUTES])
def test_who_has_no_role_is_told_nothing(world: World, method: str, pattern: str) -> None:
    world.grants = Grants()
    path = pattern.replace("{platform}", "scr").replace("{environment}", "staging")
    path = path.replace("{tag}", "v1").replace("{deployment}", "latest")
    status, body = world.call(method, f"/{path}", {} if method != "GET" else None)
    if "platforms/" in path:
        assert (status, body["error"]["code"]) == (403, "NotPermitted")
    elif path.endswith("can-i"):
        assert status == 400
    elif path.endswith("doctor"):
        # The version, so that a command that does not fit can say so.
        assert (status, body.keys()) == (200, {"version", "now"})
    else:
        assert (status, body["platforms"]) == (200, [])


def test_what_cannot_be_read_denies_everybody_but_admins(world: World) -> None:
    world.grants = Grants(problem="the SSM parameter /ferryman/operator/access/scr does not exist")
    status, body = world.call("GET", ENV)
    assert (status, body["error"]["code"]) == (403, "NotPermitted")
    assert "only admins of Ferryman can use scr now, because the SSM parameter" in body["error"]["message"]
    assert world.call("GET", ENV, who=ADMIN)[0] == 200


class TestApply:
    def test_creating_a_platform_is_for_admins(self, world: World, scr_document: dict[str, Any]) -> None:
        world.grants = grants((Role.DEPLOYER, EVERY, JO))
        # With services of its own: one that named scr's would be refused to an admin, too.
        other = json.loads(json.dumps(scr_document).replace("scr", "other"))
        status, body = world.call("PUT", "/v1/platforms/other", other)
        assert (status, body["error"]["code"]) == (403, "NotPermitted")
        assert body["error"]["message"].startswith("only an admin of Ferryman can create the platform other")
        assert world.store.find_platform("other") is None
        assert world.timeline("other") == [("RequestRefused", JO)]
        assert world.call("PUT", "/v1/platforms/other", other, who=ADMIN)[0] == 200

    @pytest.mark.parametrize("dry", ["true", "false"])
    def test_a_document_needs_the_role_on_every_environment_it_names(
        self, world: World, scr_document: dict[str, Any], dry: str
    ) -> None:
        status, body = world.call("PUT", SCR, scr_document, who=KIM, dryRun=dry)
        assert (status, body["error"]["code"]) == (403, "NotPermitted")
        assert "`apply` on scr/production needs the role deployer" in body["error"]["message"]

    def test_and_on_every_environment_that_it_leaves_out(self, world: World, scr_document: dict[str, Any]) -> None:
        spec = scr_document["spec"]
        smaller = {**scr_document, "spec": {**spec, "environments": {"staging": spec["environments"]["staging"]}}}
        status, body = world.call("PUT", SCR, smaller, who=KIM)
        assert (status, "scr/production" in body["error"]["message"]) == (403, True)
        assert "production" in world.store.platform("scr").document["spec"]["environments"]

    def test_and_on_a_new_one(self, world: World, scr_document: dict[str, Any]) -> None:
        world.grants = grants((Role.DEPLOYER, "staging", KIM), (Role.DEPLOYER, "production", KIM))
        spec = scr_document["spec"]
        more = {
            "spec": {**spec, "environments": {**spec["environments"], "shadow": spec["environments"]["production"]}}
        }
        status, body = world.call("PUT", SCR, {**scr_document, **more}, who=KIM)
        assert (status, "scr/shadow" in body["error"]["message"]) == (403, True)

    @pytest.mark.parametrize("body", [None, [], "x", {}, {"spec": []}, {"spec": {"environments": []}}, {"spec": None}])
    def test_what_is_no_document_is_refused_as_one(self, world: World, body: Any) -> None:
        assert code(world.call("PUT", SCR, body, who=KIM)) == (403, "NotPermitted")
        assert world.call("PUT", SCR, body, who=ADMIN)[0] in (400, 422)


class TestNames:
    def test_a_typo_in_an_environment_is_told_to_those_who_have_a_role(self, world: World) -> None:
        status, body = world.call("GET", f"{SCR}/environments/stagin")
        assert (status, body["error"]["message"]) == (
            404,
            "platform scr has no environment 'stagin'; known environments: staging, production",
        )
        world.grants = Grants()
        assert code(world.call("GET", f"{SCR}/environments/stagin")) == (403, "NotPermitted")

    def test_an_unknown_platform_names_only_what_the_caller_may_see(self, world: World) -> None:
        assert "known platforms: scr" in world.call("GET", "/v1/platforms/nope")[1]["error"]["message"]
        world.grants = Grants()
        told = world.call("GET", "/v1/platforms/nope")[1]["error"]["message"]
        assert told == "no platform is named 'nope'; known platforms: none that you may see"


class TestLists:
    def test_show_only_what_the_caller_may_see(self, world: World) -> None:
        assert world.call("GET", "/v1/platforms")[1]["platforms"][0]["environments"] == ["staging"]
        assert [it["name"] for it in world.call("GET", SCR)[1]["environments"]] == ["staging"]
        world.grants = Grants()
        assert world.call("GET", "/v1/platforms")[1]["platforms"] == []

    def test_the_audit_too(self, world: World) -> None:
        world.call("POST", f"{SCR}/environments/production/hold", {}, who=KIM)
        world.ask("hold", {"reason": "x"}, who=JO)
        assert {act["environment"] for act in world.call("GET", f"{SCR}/audit")[1]["acts"]} == {"staging"}
        assert code(world.call("GET", f"{SCR}/audit", environment="production")) == (403, "NotPermitted")
        acts = world.call("GET", f"{SCR}/audit", who=ADMIN, environment="production")[1]["acts"]
        assert [act["identity"] for act in acts if act["environment"] == "production"] == [KIM]

    def test_the_whole_document_is_for_those_who_see_all_of_it(self, world: World) -> None:
        assert code(world.call("GET", f"{SCR}/document")) == (403, "NotPermitted")
        world.grants = grants((Role.VIEWER, EVERY, JO))
        assert world.call("GET", f"{SCR}/document")[0] == 200


class TestRefusals:
    def test_a_script_does_not_flood_the_audit(self, world: World, clock: FakeClock) -> None:
        for _ in range(3):
            world.ask("hold", {"reason": "x"})
        assert len(world.timeline()) == 1
        clock.forward(seconds=60)
        world.ask("hold", {"reason": "x"})
        world.ask("freeze", {"reason": "x"})
        assert len(world.timeline()) == 3

    def test_a_table_that_does_not_answer_changes_no_answer(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(*_: Any) -> None:
            raise Unavailable("down")

        monkeypatch.setattr(world.store, "write", down)
        assert code(world.ask("hold", {"reason": "x"})) == (403, "NotPermitted")
