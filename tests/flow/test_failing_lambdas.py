"""A Lambda that raises or times out, at each step in turn: every deployment ends recorded, the environment free.

Its services run the new release if it succeeded after a retry, and else what ran before.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman.records import Deployment, Phase
from flow.faults import FAULTS
from flow.functions import AFTERWARDS, BEFORE, OF_PRODUCTION, STEPS
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]

MACHINE = Path(__file__).parents[2] / "statemachines" / "deploy.asl.json"

# What finish_deployment can't record itself, reconcile does.
ENDS = {
    ("FinishDeployment", fault): {Phase.SUCCEEDED} for fault in FAULTS
} | {
    (step, "times-out"): {Phase.SUCCEEDED} for step in (*BEFORE, *AFTERWARDS)
} | {
    # It may have reached its verdict, and answered, before it failed.
    (step, fault): {Phase.ERRORED, Phase.SUCCEEDED}
    for step in ("WatchMigration", "WatchRollout")
    for fault in ("raises-when-done", "keeps-timing-out")
}  # fmt: skip


def check(scr: Place, stage: Stage, step: str, fault: str) -> None:
    """Push a version while a step fails, and look how that ends."""
    before = scr.running
    # Only the way forward fails: taking back goes through the same functions.
    only = {"match": '"direction": "forward"'} if step in ("UpdateService", "WatchRollout") else {}
    if fault == "times-out" and step.startswith("Watch"):
        only["when"] = "before"  # afterwards it may have answered its token: then nobody waits for it any more
    stage.aws.lambda_fault(step, **FAULTS[fault] | only)
    version = scr.push()
    done = scr.ended(version)
    stage.aws.clear_lambda_faults()
    assert done.phase in ENDS.get((step, fault), {Phase.ERRORED}), scr.tell()
    assert done.message
    assert done.ended_at is not None
    assert scr.state.active is None
    scr.runs(version if done.phase is Phase.SUCCEEDED else before)
    assert scr.running == (version if done.phase is Phase.SUCCEEDED else before)
    assert stage.faults_struck(step) > 0
    assert len(scr.deployments(version)) == 1
    if done.phase is Phase.ERRORED:
        assert errored_again_later(scr, done), "we failed, not the release: it is tried again"


def errored_again_later(scr: Place, done: Deployment) -> bool:
    settled = scr.state.settled[done.version]
    return settled.phase is Phase.ERRORED and settled.retry_at is not None and scr.state.hold is None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", BEFORE)
class TestBeforeServicesChange:
    def test_ends_recorded_and_free(self, shared: Make, stage: Stage, step: str, fault: str) -> None:
        check(shared(migration=True), stage, step, fault)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", AFTERWARDS)
class TestOnceServicesChange:
    def test_ends_recorded_and_free(self, shared: Make, stage: Stage, step: str, fault: str) -> None:
        check(shared(migration=True), stage, step, fault)


def test_these_are_all_steps_of_the_machine() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", MACHINE.read_text())) == set(STEPS)
    assert {*BEFORE, *AFTERWARDS, *OF_PRODUCTION} == set(STEPS)


@pytest.mark.parametrize("fault", ["raises", "keeps-timing-out"])
def test_a_way_back_that_fails_is_told_and_held(place: Make, stage: Stage, fault: str) -> None:
    scr = place(notify=["team"])
    stage.aws.lambda_fault("UpdateService", **FAULTS[fault] | {"when": "before"}, match='"direction": "back"')
    done = scr.ended(scr.push(CRASH="1"))
    assert (done.phase, done.reason) == (Phase.FAILED, "RollbackFailed"), scr.tell()
    assert scr.state.hold is not None
    assert scr.state.active is None
    told = scr.until(lambda: scr.message(done), "the message").text
    assert "inspect the service now" in told
    assert "Rollback failed" in told
    assert "fix it and push" not in told, "a push does not help while the environment is on hold"


def test_events_that_relay_change_cannot_take_delay_nothing_for_long(shared: Make, stage: Stage) -> None:
    scr = shared()
    # Twice: the third try of Lambda's own gets through, so nothing is left in the dead-letter queue.
    stage.aws.lambda_fault("RelayChange", error="ValueError", times=2)
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(version)
