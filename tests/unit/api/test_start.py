"""What a person starts by hand is recorded with who it was, also when it is refused."""

import copy
from typing import Any, ClassVar

import pytest

from ferryman.access.people import Declared, People
from ferryman.errors import Conflict
from ferryman.records import (
    Actor,
)
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.api_world import JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.starting import (
    ENV,
    PLACE,
    A,
    B,
    C,
    D,
    ask,
    release,
    running,
    state,
)


@pytest.fixture
def document(scr_document: dict[str, Any]) -> dict[str, Any]:
    return scr_document


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(document)
    world.put(*(release(version) for version in (A, B, C, D)))
    return world


def test_a_refusal_that_cannot_be_recorded_is_still_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(running())

    def conflict(*writes: Any) -> None:
        raise Conflict("somebody else wrote first")

    monkeypatch.setattr(world.store, "write", conflict)

    assert "--confirm DEPLOY" in ask(world, "deploy", release=D, confirm="x")[1]["error"]["message"]


def test_the_actor_of_the_deployment_is_the_person(world: World) -> None:
    """What the wish says is what reconcile claims with: the ARN, as AWS told it."""
    world.put(running())
    ask(world, "rollback", reason="x")
    wish = state(world).requested
    assert wish is not None
    assert Actor(who=wish.who) == Actor(who=JO, automated=False)
    assert Save(state(world)).record == state(world)


class TestUnknownRequester:
    POLICY: ClassVar[dict[str, Any]] = {
        "approvers": [{"name": "Ada", "slack": "U12"}, {"name": "Kim", "arn": KIM}],
        "unknownRequester": "refuse",
    }

    @pytest.fixture
    def world(self, store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
        made = World(store, clock, new_id)
        changed = copy.deepcopy(scr_document)
        changed["spec"]["environments"]["production"]["approval"] = self.POLICY
        made.applied(changed)
        made.put(running(C), *(release(version) for version in (A, B, C, D)))
        return made

    def start(self, world: World, what: str, who: str) -> tuple[int, str]:
        bodies = {
            "deploy": {"release": D, "confirm": "DEPLOY"},
            "rollback": {"to": B, "confirm": ENV, "reason": "slow"},
            "retry": {},
            "redeploy": {},
            "migrate": {"command": "up", "confirm": ENV},
        }
        status, body = world.call("POST", f"{PLACE}/{what}", bodies[what], who=who)
        return status, str(body.get("error", {}).get("message", body))

    @pytest.mark.parametrize("what", ["deploy", "retry", "redeploy", "migrate"])
    def test_is_refused_before_anything_and_stands_in_the_audit(self, world: World, what: str) -> None:
        status, told = self.start(world, what, JO)
        assert (status, f"{JO} matches no person that Ferryman knows" in told) == (409, True)
        assert "/ferryman/operator/access/scr" in told
        assert world.store.state("scr", ENV).requested is None
        assert world.timeline(f"scr#{ENV}") == [("RequestRefused", JO)]

    def test_may_go_back_which_needs_no_approval(self, world: World) -> None:
        assert "matches no person" not in self.start(world, "rollback", JO)[1]

    def test_an_approver_or_a_declared_person_is_known(self, world: World) -> None:
        assert self.start(world, "deploy", KIM)[0] == 200
        world.outside.declared = People((Declared("Jo", JO),))
        assert "matches no person" not in self.start(world, "redeploy", JO)[1]

    def test_a_role_that_only_looks_like_identity_centers_is_refused_without_the_policy_too(
        self, world: World, scr_document: dict[str, Any]
    ) -> None:
        applied = world.store.platform("scr")
        policy = applied.document["spec"]["environments"]["production"]["approval"]
        policy["unknownRequester"] = "warn"
        world.put(applied)
        role = "AWSReservedSSO_Dev_0123456789abcdef"
        session = f"arn:aws:sts::123456789012:assumed-role/{role}/kim"
        status, told = self.start(world, "deploy", session)
        assert (status, "was not made by it" in told) == (409, True)
        world.outside.identity_center.add(role)
        assert self.start(world, "deploy", session)[0] == 200
        world.outside.iam_is_down = True
        assert self.start(world, "deploy", session)[0] == 503
        assert self.start(world, "rollback", session)[0] != 503
