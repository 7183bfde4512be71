"""What a person may ask of an environment: abort and verify; and what the others share: who and why is recorded."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Phase, Target
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, KIM, World, idle
from unit.controlled import BAD, FAILED, HOLD, ID, RUNNING
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(make.release(RUNNING, first_seen_at=make.AT - timedelta(hours=1)), make.release(BAD))
    return world


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
        assert f"{JO} has already requested to abort" in body["message"]
        assert world.timeline(ID) == [("AbortRequested", JO)]
        assert len(world.outside.woken) == 2

    def test_stands_even_when_nobody_can_be_woken(self, world: World) -> None:
        world.put(make.state(), make.deployment())
        world.outside.down = True

        assert world.ask("abort", {"reason": "x"})[0] == 200

    def test_says_nothing_of_a_former_environment_of_this_name(self, world: World) -> None:
        world.put(idle(began_at=make.AT + timedelta(days=1)), make.deployment(phase=Phase.FAILED))

        assert ID not in world.ask("abort", {"reason": "x"})[1]["error"]["message"]

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
        assert world.ask("verify")[1] == {
            "ok": True,
            "platform": "scr",
            "environment": "staging",
            "problems": [],
            "notes": [],
        }

    def test_says_which_containers_change_besides_the_named_one(self, world: World) -> None:
        at = "spec.environments.staging.waves.0.services.0"
        world.outside.notes = [(at, "besides 'api', also 'worker' changes"), ("spec.environments.production.x", "no")]

        body = world.ask("verify")[1]

        assert body["ok"] is True
        assert body["notes"] == [{"path": at, "message": "besides 'api', also 'worker' changes"}]

    def test_what_runs_otherwise_than_recorded_is_a_problem(self, world: World) -> None:
        target = Target(version="r1", deployment=ID, task_definitions={"scr-api-staging": "api:5", "gone": "gone:1"})
        world.put(idle(last_succeeded=target))
        world.outside.live = {"staging": {"scr-api-staging": make.definition("api", 4)}, "production": {"gone": "x:1"}}
        (problem,) = world.ask("verify")[1]["problems"]
        assert problem["message"].startswith("has drifted: scr-api-staging runs api:4 instead of api:5; to restore")

    def test_nobody_can_tell_drift_during_a_deployment(self, world: World) -> None:
        target = Target(version="r1", deployment=ID, task_definitions={"scr-api-staging": "api:5"})
        world.put(make.state(last_succeeded=target))
        world.outside.live = {"staging": {"scr-api-staging": "api:4"}}
        assert world.ask("verify")[1]["problems"] == []

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

    assert (status, "was put on hold by" in body["error"]["message"]) == (409, True)
    assert world.state.requested is None
