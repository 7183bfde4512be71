"""What a person does while automation runs: abort, hold, resume, retry, and a button in the console."""

from collections.abc import Callable

from ferryman.records import EventType, Phase, StepStatus, step_keys
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def test_an_execution_aborted_in_the_console_is_recorded_and_held(place: Make, stage: Stage) -> None:
    scr = place(notify=["team"])
    version, _ = scr.push_and_wait_for_rollout()
    active = scr.state.active
    stage.client("stepfunctions").stop_execution(executionArn=active.execution_arn, cause="somebody pressed Stop")
    done = scr.ended(version)
    assert (done.phase, done.reason) == (Phase.ABORTED, "ExecutionAborted"), scr.tell()
    assert scr.state.hold is not None
    assert scr.message(done) is not None
    # The claim outlives the execution by the longest time-out of a Lambda that may still be changing ECS.
    stopped = stage.client("stepfunctions").describe_execution(executionArn=active.execution_arn)["stopDate"]
    assert (scr.now() - stopped).total_seconds() >= stage.mutation_timeout
    stage.open_all_gates()
    newer = scr.push()
    scr.until(lambda: scr.release(newer), "the release")
    stage.sweep()
    assert scr.deployments(newer) == [], "held"
    scr.ask("resume")
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(newer)


def test_an_abort_takes_back_what_was_touched_and_holds_until_resumed(place: Make, stage: Stage) -> None:
    scr = place(("api", "web"))
    version, key = scr.push_and_wait_for_rollout()
    told = scr.ask("abort", reason="wrong numbers on the dashboard")
    assert told["deployment"]
    done = scr.ended(version)
    assert (done.phase, done.reason) == (Phase.ABORTED, "AbortRequested"), scr.tell()
    assert "wrong numbers on the dashboard" in done.message
    assert done.steps[key].status is StepStatus.ABORTED
    assert done.steps[step_keys.rollout(f"{scr.name}-api", "back")].status is StepStatus.SUCCEEDED
    assert done.step(step_keys.rollout(f"{scr.name}-web", "forward")) is None
    stage.open_all_gates()
    scr.runs("bootstrap")
    assert scr.state.hold is not None
    newer = scr.push()
    scr.until(lambda: (r := scr.release(newer)) and r.ready_at, "the release")
    stage.sweep()
    assert scr.deployments(newer) == []
    scr.ask("resume")
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(newer)


def test_a_hold_keeps_pushes_waiting_and_resume_lets_the_newest_go(shared: Make, stage: Stage) -> None:
    scr = shared()
    before = scr.running
    scr.ask("hold", reason="the database is being moved")
    older, newer = scr.push(), scr.push()
    for version in (older, newer):
        scr.until(lambda v=version: (r := scr.release(v)) and r.ready_at, f"release {version}")
    stage.sweep()
    assert scr.deployments(older) + scr.deployments(newer) == []
    scr.runs(before)
    explained = scr.api.get(scr.path("explain"))
    assert "the database is being moved" in str(explained)
    scr.ask("resume")
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    assert scr.ended(older).phase is Phase.SUPERSEDED
    scr.runs(newer)
    kinds = [line.type for line in scr.timeline()]
    assert EventType.HELD in kinds
    assert EventType.RESUMED in kinds


def test_a_retry_starts_a_failed_version_again(place: Make, stage: Stage) -> None:
    scr = place()
    fixed = scr.gate()
    version = scr.push(NEEDS=str(fixed))
    assert scr.ended(version).phase is Phase.ROLLED_BACK, scr.tell()
    scr.runs("bootstrap")
    stage.sweep()
    assert len(scr.deployments(version)) == 1, "only a person starts it again"
    fixed.touch()
    scr.ask("retry", reason="the queue is there now")
    again = scr.ended(version, attempt=2)
    assert (again.phase, again.kind) == (Phase.SUCCEEDED, "retry"), scr.tell()
    assert version not in scr.state.settled
    scr.runs(version)


def test_a_newer_push_goes_its_way_after_a_failure(shared: Make) -> None:
    scr = shared()
    bad = scr.push(CRASH="1")
    assert scr.ended(bad).phase is Phase.ROLLED_BACK, scr.tell()
    good = scr.push()
    assert scr.ended(good).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(good)
