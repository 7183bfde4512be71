"""A retry that a person asks for: of what automation is done with, and of nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Phase, ReleaseStatus, Request
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, KIM, World, idle
from unit.controlled import ACTIVE, AUTOMATIC, BAD, FAILED, HOLD, ID, REFUSED, RUNNING
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(make.release(RUNNING, first_seen_at=make.AT - timedelta(hours=1)), make.release(BAD))
    return world


class TestRetry:
    def test_takes_the_version_that_was_settled_last(self, world: World) -> None:
        older = FAILED.but(at=make.AT - timedelta(minutes=1))
        world.put(make.release("aaa1234"), idle(settled={"aaa1234": older, BAD: FAILED}))

        status, body = world.ask("retry", {"reason": "database is back"})

        assert (status, body["changed"], body["version"]) == (200, True, BAD)
        assert world.state.requested == Request(
            version=BAD, kind="retry", reason="database is back", who=JO, at=world.clock.at
        )
        assert world.state.settled == {"aaa1234": older, BAD: FAILED}
        assert (world.timeline(), world.outside.nudged) == ([("RetryRequested", JO)], [("scr", "staging")])

    @pytest.mark.parametrize("phase", ["Failed", "RolledBack", "Aborted", "Errored", "Rejected", "Expired"])
    def test_may_name_any_version_that_automation_is_done_with(self, world: World, phase: str) -> None:
        world.put(idle(settled={BAD: FAILED.but(phase=Phase(phase))}))

        assert world.ask("retry", {"version": BAD})[1]["version"] == BAD

    @pytest.mark.parametrize("named", ["fff1234", "v1.0.0"])
    def test_names_a_version_as_deploy_does(self, world: World, named: str) -> None:
        full = "fff1234aaaaaaaa"
        world.put(make.release(full, names=["v1.0.0"]), idle(settled={full: FAILED}))

        assert world.ask("retry", {"version": named})[1]["version"] == full

    def test_twice_asks_once(self, world: World) -> None:
        world.put(idle(settled={BAD: FAILED}))
        world.ask("retry")
        status, body = world.ask("retry", who=KIM)

        assert (status, body["changed"]) == (200, False)
        assert world.timeline() == [("RetryRequested", JO)]

    def test_waits_for_the_deployment_of_another_version(self, world: World) -> None:
        world.put(make.release("fff1234"), idle(active=ACTIVE, settled={"fff1234": FAILED}))

        _, body = world.ask("retry")

        assert (body["version"], f"once deployment {ID} has ended" in body["message"]) == ("fff1234", True)

    @pytest.mark.parametrize(
        ("state", "body", "status", "words"),
        [
            pytest.param({}, {}, 409, "nothing to retry", id="nothing-failed"),
            pytest.param({"settled": {"0000000": FAILED}}, {}, 409, "nothing to retry", id="only-older-ones-failed"),
            pytest.param({}, {"version": "eeeeeee"}, 404, "the latest are: ", id="unknown"),
            pytest.param({}, {"version": "bbb1234"}, 409, "Assembling, not Ready", id="not-ready"),
            pytest.param({}, {"version": RUNNING}, 409, "ferryman redeploy staging", id="runs-already"),
            pytest.param({}, {"version": "0000000"}, 409, "use `ferryman rollback staging", id="older"),
            pytest.param({"active": ACTIVE}, {"version": BAD}, 409, "ferryman watch staging", id="under-way"),
            pytest.param({}, {"version": BAD}, 409, f"ferryman deploy staging --release {BAD}", id="never-tried"),
            pytest.param(
                {"settled": {BAD: REFUSED}}, {"version": BAD}, 409, "ferryman deploy staging", id="its-tag-was-refused"
            ),
            pytest.param({"settled": {BAD: REFUSED}}, {}, 409, "nothing to retry", id="only-a-tag-was-refused"),
            pytest.param({"hold": HOLD, "settled": {BAD: FAILED}}, {}, 409, "ferryman resume staging", id="held"),
            pytest.param({"hold": AUTOMATIC, "settled": {BAD: FAILED}}, {}, 409, "errored 4 times", id="held-by-us"),
            pytest.param({}, {"versoin": BAD}, 422, "versoin", id="typo"),
        ],
    )
    def test_is_refused(self, world: World, state: dict[str, Any], body: Any, status: int, words: str) -> None:
        world.put(
            make.release("0000000", first_seen_at=make.AT - timedelta(hours=2)),
            make.release("bbb1234", status=ReleaseStatus.ASSEMBLING),
            idle(**state),
        )
        before = world.state

        found, answer = world.ask("retry", body)

        assert (found, words in answer["error"]["message"]) == (status, True), answer
        assert (world.state, world.timeline(), world.outside.nudged) == (before, [], [])

    def test_with_resume_lifts_the_hold_in_the_same_write(self, world: World) -> None:
        world.put(idle(hold=AUTOMATIC, settled={BAD: FAILED}))

        status, body = world.ask("retry", {"resume": True})

        assert (status, body["version"], world.state.hold) == (200, BAD, None)
        assert world.timeline() == [("Resumed", JO), ("RetryRequested", JO)]

    def test_with_resume_lifts_the_hold_of_what_was_asked_for_already(self, world: World) -> None:
        asked = Request(version=BAD, kind="retry", reason="", who=KIM, at=make.AT)
        world.put(idle(hold=HOLD, settled={BAD: FAILED}, requested=asked))

        world.ask("retry", {"resume": True})

        assert (world.state.hold, world.state.requested) == (None, asked)

    def test_replaces_another_wish_and_says_so(self, world: World) -> None:
        wish = Request(version=RUNNING, kind="redeploy", reason="", who=KIM, at=make.AT)
        world.put(idle(settled={BAD: FAILED}, requested=wish))

        assert f"instead of {RUNNING}, which {KIM} requested" in world.ask("retry")[1]["message"]
