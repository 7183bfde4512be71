"""The loop: claims without executions, executions without outcomes, two loops at once, and another try."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import EnvironmentState, EventType, Phase
from flow.documents import ENVIRONMENT
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def due_now(scr: Place, version: str) -> None:
    """Let the time of an errored version's next try have come."""

    def change(state: EnvironmentState) -> EnvironmentState:
        settled = state.settled[version]
        assert settled.retry_at is not None
        past = settled.but(retry_at=scr.now() - timedelta(seconds=1))
        return state.but(settled={**state.settled, version: past})

    scr.store.update_state(scr.name, ENVIRONMENT, change)


def test_a_machine_that_times_out_is_errored_and_tried_again_by_itself(place: Make, stage: Stage) -> None:
    scr = place(notify=["team"])
    version, _ = scr.push_and_wait_for_rollout()
    stage.time_out(scr.state.active.execution_arn)
    done = scr.ended(version)
    assert (done.phase, done.reason) == (Phase.ERRORED, "ExecutionEnded"), scr.tell()
    assert scr.message(done) is not None
    stage.open_all_gates()
    due_now(scr, version)
    stage.nudge(scr.name, ENVIRONMENT)
    again = scr.ended(version, attempt=2)
    assert (again.phase, again.kind, again.attempts) == (Phase.SUCCEEDED, "retry", 2), scr.tell()
    assert again.initiated_by.automated
    scr.runs(version)


def test_an_errored_version_is_tried_three_times_more_and_then_held(place: Make, stage: Stage) -> None:
    scr = place()
    stage.aws.lambda_fault("AdmitDeployment", error="ValueError", times=1000)
    version = scr.push()
    waits = []
    for attempt in (1, 2, 3):
        done = scr.ended(version, attempt=attempt)
        assert done.phase is Phase.ERRORED, scr.tell()
        settled = scr.state.settled[version]
        waits.append(round((settled.retry_at - settled.at).total_seconds() / 60))
        stage.nudge(scr.name, ENVIRONMENT)
        assert len(scr.deployments(version)) == attempt, "not before its time"
        due_now(scr, version)
        stage.nudge(scr.name, ENVIRONMENT)
    assert waits == [1, 5, 25]
    last = scr.ended(version, attempt=4)
    assert last.phase is Phase.ERRORED
    assert scr.state.hold is not None
    stage.aws.clear_lambda_faults()
    scr.ask("retry", version=version, resume=True)
    assert scr.ended(version, attempt=5).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(version)


def test_a_claim_whose_start_failed_is_driven_again(place: Make, stage: Stage) -> None:
    scr = place()
    refused = stage.proxy.fault("error", service="states", action="StartExecution", times=3, match=scr.mine)
    version = scr.push()
    scr.until(lambda: refused.hits == 3, "the start")
    claimed = scr.claimed(version)
    assert stage.executions(scr.name) == []
    assert scr.state.active.deployment == claimed.id
    stage.sweep()
    done = scr.ended(version)
    assert (done.id, done.phase) == (claimed.id, Phase.SUCCEEDED), scr.tell()
    assert len(stage.executions(scr.name)) == 1
    assert EventType.RE_DRIVEN in [line.type for line in scr.timeline(done)]
    scr.runs(version)


@pytest.mark.parametrize("times", [1, 3], ids=["once", "more often than the client tries"])
def test_a_start_whose_answer_is_lost_makes_one_execution(shared: Make, stage: Stage, times: int) -> None:
    scr = shared()
    before = len(stage.executions(scr.name))
    lost = stage.proxy.fault("lost_response", service="states", action="StartExecution", times=times, match=scr.mine)
    version = scr.push()
    scr.until(lambda: lost.hits == times, "the start")
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    stage.sweep()
    assert len(stage.executions(scr.name)) == before + 1
    assert len(scr.deployments(version)) == 1


def test_loops_at_once_start_one_execution(shared: Make, stage: Stage) -> None:
    scr = shared()
    before = len(stage.executions(scr.name))
    scr.ask("hold", reason="so that all loops find the release at once")
    version = scr.push()
    scr.until(lambda: (r := scr.release(version)) and r.ready_at, "the release")
    loops_at_once(scr, 3)  # held: this only warms the function, so that the next ones really are at once
    # All of them have read that the environment is free before the first one claims it.
    claims = stage.proxy.fault(
        "delay", service="dynamodb", action="TransactWriteItems", times=None, seconds=2.0, match=is_claim
    )
    scr.store.update_state(scr.name, ENVIRONMENT, lambda state: state.but(hold=None))
    loops_at_once(scr, 3)
    assert claims.hits >= 2, "they did not meet"
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    assert len(scr.deployments(version)) == 1
    assert len(stage.executions(scr.name)) == before + 1


def is_claim(arguments: dict[str, Any]) -> bool:
    """Whether a transaction claims an environment."""
    return json.dumps(str(EventType.CLAIMED)) in json.dumps(arguments)


def loops_at_once(scr: Place, number: int) -> None:
    """Run reconcile side by side, each with a nudge of its own."""
    body = json.dumps({"platform": scr.name, "environment": ENVIRONMENT})
    with ThreadPoolExecutor(number) as threads:
        events = [{"Records": [{"messageId": str(n), "body": body}]} for n in range(number)]
        answers = list(threads.map(lambda event: scr.stage.invoke("Reconcile", event), events))
    assert answers == [{"batchItemFailures": []}] * number


def test_what_the_deployment_left_undone_is_found_by_the_sweep(shared: Make, stage: Stage) -> None:
    """The execution's end is told by an event that may be lost as well."""
    scr = shared()
    version, _ = scr.push_and_wait_for_rollout()
    dropped = stage.relay.disturb(scr.pushes(), "drop")
    newer = scr.push()
    scr.until(lambda: dropped.hits, "the event")
    stage.open_all_gates()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    stage.sweep()
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(newer)


def test_a_look_that_reads_only_the_releases_that_matter_deploys_the_newest(place: Make, stage: Stage) -> None:
    scr = place()
    first = scr.push()
    assert scr.ended(first).phase is Phase.SUCCEEDED, scr.tell()
    scr.until(scr.is_free, "the claim to be released")
    stage.sweep()
    assert scr.state.listed is not None, scr.tell()

    def settled_long_ago(state: EnvironmentState) -> EnvironmentState | None:
        return state.listed and state.but(listed=state.listed.but(since=state.listed.since - timedelta(days=1)))

    scr.store.update_state(scr.name, ENVIRONMENT, settled_long_ago)
    second = scr.push()
    done = scr.ended(second)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert scr.store.pointed(scr.name, "ORDER") == [first, second]
    assert [call for call in stage.proxy.requests if call.action == "BatchGetItem"]
    scr.runs(second)
