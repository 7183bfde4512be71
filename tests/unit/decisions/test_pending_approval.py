"""What reconcile does about a pending approval: remind, expire, supersede, abort, tell; else look again in time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.actions import EndApproval, RemindApprovers, TellMachine
from ferryman.decisions.pending_approval import due
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import AbortRequest, Actor, Freeze, Hold, Phase, ReleaseStatus, Request, Settled
from unit import builders as make
from unit.approving import NEWER, VERSION, World, document, release

HOUR = 3600
OLDER = "0001234"


@pytest.fixture
def world() -> World:
    return World().asked()


def look(world: World, **changes: Any) -> Any:
    return due(replace(world.view, **changes), world.clock())


def wish(world: World, kind: Any = "rollback", version: str = OLDER, **changes: Any) -> Request:
    return Request(version=version, kind=kind, reason="it is bad", who="arn:jo", at=world.clock(), **changes)


def test_nothing_where_nothing_waits(world: World) -> None:
    assert look(world, approval=None) is None
    assert look(world, deployment=None) is None


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        pytest.param({}, 20 * HOUR, id="until-the-reminder"),
        pytest.param({"hours": 20, "seconds": -1}, 1, id="a-second-before"),
        pytest.param({"hours": 20}, RemindApprovers(), id="the-reminder-is-due"),
        pytest.param({"hours": 23, "minutes": 59}, RemindApprovers(), id="a-late-reminder-is-still-one"),
        pytest.param({"hours": 24}, EndApproval("Expired", "not approved in time", "ferryman"), id="expired"),
        pytest.param({"days": 9}, EndApproval("Expired", "not approved in time", "ferryman"), id="long-since"),
    ],
)
def test_time(world: World, span: dict[str, float], expected: Any) -> None:
    world.clock.forward(**span)
    assert look(world) == expected


def test_after_the_reminder_only_the_end_is_waited_for(world: World) -> None:
    world.clock.forward(hours=20)
    reminded = world.approval.but(reminded_at=world.clock())
    assert look(world, approval=reminded) == 4 * HOUR
    assert due(replace(world.view, approval=world.approval.but(remind_at=None)), world.clock()) == 4 * HOUR


def test_a_database_command_that_a_freeze_kept_back_has_to_be_asked_for_again(world: World) -> None:
    world.edit(kind="migrate", command="up", initiated_by=Actor(who="arn:jo"))
    world.edit_state(freeze=Freeze(reason="fair", who="kim", at=make.AT))
    world.clock.forward(hours=24)
    found = look(world)
    assert (found.status, found.reason) == ("Expired", None)
    assert found.why.endswith("Run the command again when that ends")


class TestTell:
    @pytest.mark.parametrize("act", [lambda world: world.decide(), lambda world: world.end()], ids=["decided", "ended"])
    def test_once(self, world: World, act: Callable[[World], Any]) -> None:
        act(world)
        assert look(world) == TellMachine()
        world.tell()
        assert look(world) is None

    def test_a_partial_yes_is_nothing_to_tell(self) -> None:
        world = World().asked({"required": 2})
        world.decide()
        assert look(world) == 20 * HOUR


def test_an_abort_comes_first(world: World) -> None:
    world.edit(abort=AbortRequest(reason="wrong branch", who="arn:jo", at=make.AT))
    world.clock.forward(hours=24)
    assert look(world) == EndApproval("Aborted", "arn:jo aborted the deployment: wrong branch", "arn:jo")


class TestWish:
    """What a person asks for meanwhile."""

    @pytest.fixture
    def world(self, world: World) -> World:
        world.put(release(OLDER, ulid="01K0000000000000000000OLDER"))
        return world

    def ended(self, world: World) -> bool:
        found = look(world)
        return isinstance(found, EndApproval) and (found.status, found.who) == ("Superseded", "arn:jo")

    def test_takes_its_place(self, world: World) -> None:
        world.edit_state(requested=wish(world))
        told = f"arn:jo requested {OLDER} instead: it is bad"
        assert look(world) == EndApproval("Superseded", told, "arn:jo", OLDER)

    @pytest.mark.parametrize(
        ("kind", "ends"),
        [("deploy", True), ("retry", True), ("rollback", True), ("redeploy", False), ("migrate", False)],
    )
    def test_by_kind(self, world: World, kind: str, ends: bool) -> None:
        world.edit_state(requested=wish(world, kind))
        assert self.ended(world) is ends

    def test_for_the_same_version_changes_nothing(self, world: World) -> None:
        world.edit_state(requested=wish(world, "deploy", VERSION))
        assert not self.ended(world)

    def test_a_way_back_to_the_same_version_needs_no_waiting(self, world: World) -> None:
        world.edit_state(requested=wish(world, "rollback", VERSION))
        assert self.ended(world)
        world.edit(kind="rollback")  # it is what waits here
        assert not self.ended(world)

    @pytest.mark.parametrize(
        ("changes", "ends"),
        [
            pytest.param({}, True, id="without-the-database-command"),
            pytest.param({"command": "down", "revision": "0002"}, True, id="to-another-revision"),
            pytest.param({"command": "down", "revision": "0001"}, False, id="the-same"),
            pytest.param({"command": "down", "revision": "0001", "override": "now"}, True, id="without-approval"),
        ],
    )
    def test_another_rollback_need_not_wait_for_one_that_waits(
        self, world: World, changes: dict[str, Any], ends: bool
    ) -> None:
        world.edit(kind="rollback", command="down", revision="0001")
        world.edit_state(requested=wish(world, "rollback", VERSION, **changes))
        assert self.ended(world) is ends

    @pytest.mark.parametrize(("override", "ends"), [("", False), ("the shop is down", True)])
    def test_a_database_command_waits_unless_an_admin_overrides(self, world: World, override: str, ends: bool) -> None:
        world.edit_state(requested=wish(world, "migrate", VERSION, command="up", override=override))
        assert self.ended(world) is ends

    @pytest.mark.parametrize(("kind", "ends"), [("deploy", False), ("rollback", True)])
    @pytest.mark.parametrize("by", ["hold", "freeze"])
    def test_that_could_not_start_now_waits(self, world: World, kind: str, ends: bool, by: str) -> None:
        world.edit_state(requested=wish(world, kind))
        world.clock.forward(seconds=1)
        at = world.clock()
        changes: dict[str, Any] = {
            "hold": {"hold": Hold(reason="load test", who="kim", at=at)},
            "freeze": {"freeze": Freeze(reason="fair", who="kim", at=at)},
        }[by]
        world.edit_state(**changes)
        assert self.ended(world) is ends

    def test_for_a_release_that_lacks_images_waits(self, world: World) -> None:
        world.edit_state(requested=wish(world, "deploy", "fffffff"))
        assert not self.ended(world)
        world.put(release("fffffff", status=ReleaseStatus.ASSEMBLING))
        assert not self.ended(world)


class TestNewer:
    """A newer candidate takes the place of a pending one, where the document says so and it would start now."""

    @pytest.fixture
    def world(self, world: World) -> World:
        world.clock.forward(hours=1)
        at = world.clock()
        newer = release(NEWER, names=["v1.1.0"], named_at=at, ready_at=at, first_seen_at=at)
        world.put(newer.but(verified={"staging": newer.verified["staging"].but(at=at)}))
        return world

    def superseded(self, view: Snapshot, world: World) -> bool:
        found = due(view, world.clock())
        return found == EndApproval("Superseded", f"the newer release {NEWER} replaces it", "ferryman", NEWER)

    def test_takes_its_place(self, world: World) -> None:
        assert self.superseded(world.view, world)

    def test_keep_lets_it_stand(self, world: World) -> None:
        world.apply(document(onNewer="keep"))
        assert not self.superseded(world.view, world)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"hold": Hold(reason="x", who="kim", at=make.AT)}, id="held"),
            pytest.param({"freeze": Freeze(reason="x", who="kim", at=make.AT)}, id="frozen"),
        ],
    )
    def test_not_where_it_could_not_start(self, world: World, changes: Any) -> None:
        world.edit_state(**changes)
        assert not self.superseded(world.view, world)

    def test_not_while_it_errored_and_waits_for_its_next_try(self, world: World) -> None:
        at = world.clock()
        settled = Settled(phase=Phase.ERRORED, reason="x", at=at, retry_at=at + timedelta(minutes=5))
        world.edit_state(settled={NEWER: settled})
        assert not self.superseded(world.view, world)

    def test_a_rollback_makes_way_for_nothing(self, world: World) -> None:
        world.edit(kind="rollback")
        assert not self.superseded(world.view, world)

    def test_what_a_person_asked_for_makes_way_only_for_what_came_later(self, world: World) -> None:
        world.edit(initiated_by=Actor(who="arn:jo"), created_at=world.clock() - timedelta(minutes=1))
        assert self.superseded(world.view, world)
        world.edit(created_at=world.clock())
        assert not self.superseded(world.view, world)

    def test_an_unverified_one_is_no_candidate(self, world: World) -> None:
        newer = world.store.release("scr", NEWER)
        assert newer is not None
        world.put(newer.but(verified={}))
        assert not self.superseded(world.view, world)

    def test_a_decision_stands(self, world: World) -> None:
        world.decide()
        assert look(world) == TellMachine()
