"""What a person may ask of an environment: abort, retry, redeploy, hold, resume, verify; who and why is recorded."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Hold, Phase, ReleaseStatus, Request, Settled
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, KIM, World, idle
from unit.fakes.clock import FakeClock, FakeIds

RUNNING = "0001234"
BAD = "abc1234"
HOLD = Hold(reason="load test", who=KIM, at=make.AT)
AUTOMATIC = Hold(reason="abc1234 errored 4 times", who="ferryman", at=make.AT)
FAILED = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=make.AT)
REFUSED = Settled(phase=Phase.REJECTED, reason="TagRefused", at=make.AT)
ACTIVE = make.state().active
ID = "01K00000000000000000000DEP"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(make.release(RUNNING, first_seen_at=make.AT - timedelta(hours=1)), make.release(BAD))
    return world


class TestHold:
    def test_is_recorded_with_who_when_and_why(self, world: World) -> None:
        status, body = world.ask("hold", {"reason": " load test "})

        assert (status, body["changed"]) == (200, True)
        assert world.state.hold == Hold(reason="load test", who=JO, at=world.clock.at)
        assert world.timeline() == [("Held", JO)]

    def test_twice_keeps_the_first(self, world: World) -> None:
        world.ask("hold", {"reason": "load test"})
        status, body = world.ask("hold", {"reason": "other"}, who=KIM)

        assert (status, body["changed"]) == (200, False)
        assert body["message"] == f"staging is already on hold, by {JO}: load test"
        assert world.state.hold is not None
        assert world.state.hold.reason == "load test"
        assert world.timeline() == [("Held", JO)]

    def test_is_announced_once(self, world: World) -> None:
        world.ask("hold", {"reason": "load test"})
        world.ask("hold", {"reason": "load test"})

        sent = world.store.unsent()
        assert {message.channel for message in sent} == set(world.store.platform("scr").document["spec"]["channels"])
        assert len(sent) == 2
        assert all("load test" in message.text and JO in message.text for message in sent)

    @pytest.mark.parametrize(
        "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 7}, {"reason": "x", "foo": 1}, []]
    )
    def test_needs_a_reason_and_nothing_else(self, world: World, body: Any) -> None:
        status, answer = world.call("POST", f"{ENV}/hold", body)

        assert (status, answer["error"]["code"]) == (422, "InvalidRequest")
        assert world.state.hold is None


class TestResume:
    def test_lifts_and_nudges(self, world: World) -> None:
        world.put(idle(hold=HOLD))

        status, body = world.ask("resume")

        assert (status, body["changed"], world.state.hold) == (200, True, None)
        assert (world.timeline(), world.outside.nudged) == ([("Resumed", JO)], [("scr", "staging")])

    def test_of_what_is_not_held_changes_nothing(self, world: World) -> None:
        status, body = world.ask("resume")

        assert (status, body["changed"], body["message"]) == (200, False, "staging was not on hold")
        assert world.timeline() == []

    def test_holds_even_when_nobody_can_be_nudged(self, world: World) -> None:
        world.put(idle(hold=HOLD))
        world.outside.down = True

        assert world.ask("resume")[0] == 200
        assert world.state.hold is None


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
            pytest.param({}, {"version": "0000000"}, 409, "is a rollback", id="older"),
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

        assert f"instead of {RUNNING}, which {KIM} asked for" in world.ask("retry")[1]["message"]


class TestRedeploy:
    def test_asks_for_what_runs(self, world: World) -> None:
        world.put(idle())

        status, body = world.ask("redeploy", {"reason": "new base"})

        assert (status, body["version"]) == (200, RUNNING)
        assert world.state.requested is not None
        assert world.state.requested.kind == "redeploy"
        assert world.timeline() == [("RedeployRequested", JO)]

    def test_leaves_a_hold_in_place(self, world: World) -> None:
        world.put(idle(hold=HOLD))

        assert world.ask("redeploy")[0] == 200
        assert world.state.hold == HOLD

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            pytest.param({"current": None}, "push a release first", id="nothing-runs"),
            pytest.param({"active": ACTIVE and ACTIVE.but(version=RUNNING)}, "ferryman watch", id="under-way"),
        ],
    )
    def test_is_refused(self, world: World, state: dict[str, Any], words: str) -> None:
        world.put(idle(**state))

        status, answer = world.ask("redeploy")

        assert (status, words in answer["error"]["message"]) == (409, True)


class TestAbort:
    def test_is_recorded_and_wakes_the_watchers(self, world: World) -> None:
        world.put(make.state(), make.deployment())

        status, body = world.ask("abort", {"reason": "wrong database"})

        assert (status, body["changed"], body["deployment"], body["version"]) == (200, True, ID, BAD)
        abort = world.store.deployment("scr", "staging", ID).abort
        assert abort is not None
        assert (abort.who, abort.reason, abort.at) == (JO, "wrong database", world.clock.at)
        assert world.timeline(ID) == [("AbortRequested", JO)]
        assert world.outside.woken == [("scr", "staging", ID)]
        # No watcher waits for one that waits for approval: reconcile has to look.
        assert world.outside.nudged == [("scr", "staging")]

    def test_twice_keeps_the_first_and_wakes_again(self, world: World) -> None:
        world.put(make.state(), make.deployment())
        world.ask("abort", {"reason": "first"})
        status, body = world.ask("abort", {"reason": "second"}, who=KIM)

        assert (status, body["changed"]) == (200, False)
        assert f"{JO} asked to abort" in body["message"]
        assert world.timeline(ID) == [("AbortRequested", JO)]
        assert len(world.outside.woken) == 2

    def test_stands_even_when_nobody_can_be_woken(self, world: World) -> None:
        world.put(make.state(), make.deployment())
        world.outside.down = True

        assert world.ask("abort", {"reason": "x"})[0] == 200

    @pytest.mark.parametrize(
        ("records", "words"),
        [
            pytest.param([idle()], "nothing to abort", id="idle"),
            pytest.param(
                [idle(), make.deployment(phase=Phase.FAILED)], f"{ID} of {BAD}, ended Failed", id="tells-the-last-one"
            ),
            pytest.param([make.state(), make.deployment(phase=Phase.SUCCEEDED)], "just ended", id="ended-meanwhile"),
        ],
    )
    def test_is_refused_when_nothing_runs(self, world: World, records: list[Any], words: str) -> None:
        world.put(*records)

        status, answer = world.ask("abort", {"reason": "x"})

        assert (status, answer["error"]["code"], words in answer["error"]["message"]) == (409, "Refused", True)
        assert world.outside.woken == []


class TestVerify:
    def test_well(self, world: World) -> None:
        assert world.ask("verify")[1] == {"ok": True, "platform": "scr", "environment": "staging", "problems": []}

    def test_problems_are_an_answer_not_an_error(self, world: World) -> None:
        world.outside.problems = [("spec.environments.staging.cluster", "is gone")]

        status, body = world.ask("verify")

        assert (status, body["ok"]) == (200, False)
        assert body["problems"] == [{"path": "spec.environments.staging.cluster", "message": "is gone"}]


@pytest.mark.parametrize("what", ["abort", "retry", "redeploy", "hold", "resume", "verify"])
def test_an_unknown_environment_names_those_that_exist(world: World, what: str) -> None:
    status, body = world.call("POST", f"/v1/platforms/scr/environments/prod/{what}", {"reason": "x"})

    assert (status, body["error"]["message"]) == (
        404,
        "platform scr has no environment 'prod'; known environments: staging, production",
    )


def test_somebody_writes_between_reading_and_writing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish is decided again on the state as it became, not written over it."""
    world.put(idle(settled={BAD: FAILED}))
    read = world.store.state

    def read_then_hold(platform: str, environment: str) -> Any:
        monkeypatch.undo()
        before = read(platform, environment)
        world.put(before.but(hold=HOLD))
        return before

    monkeypatch.setattr(world.store, "state", read_then_hold)
    status, body = world.ask("retry")

    assert (status, "is on hold" in body["error"]["message"]) == (409, True)
    assert world.state.requested is None
