"""What only the schedule finds: an approval that nobody answers, a service changed by hand, a push without an event.

The one stage whose schedule fires while its tests run: nothing here calls reconcile. All three are arranged before the
first is waited for, because the schedule fires once a minute.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ferryman.records import Deployment, EventType, Phase
from flow.documents import document, promoting
from flow.place import Place
from flow.production import Production
from flow.stage import Stage


@pytest.fixture(scope="module")
def stage(standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """A local AWS of this module's own, on which the sweep comes every minute."""
    with standing("schedule", sweep_rate="rate(1 minute)") as started:
        yield started


@dataclass
class Arranged:
    """Three platforms that nothing but a sweep helps, and the number of the invocation before each came to that."""

    unanswered: Production
    asked: Deployment
    unanswered_since: int
    strayed: Place
    by_hand: str
    """The task definition that a person gave the service."""
    strayed_since: int
    unheard: Place
    version: str
    gate: Path
    """Opens the rollout of the version."""
    unheard_since: int


@pytest.fixture(scope="module")
def arranged(stage: Stage) -> Arranged:
    unanswered = Production(stage, promoting(next(stage.promoting_names), approval={"reminder": "4h"}))
    unanswered.create()
    strayed, unheard = (Place(stage, document(next(stage.names))).create() for _ in range(2))
    # The reminder is 20 hours away, which is too long for a delayed message: no nudge was sent that could bring it.
    asked = unanswered.asked()
    assert strayed.ended(strayed.push()).phase is Phase.SUCCEEDED, strayed.tell()
    strayed.until(lambda: drifted(strayed) == ("False", "AsRecorded"), "the look at what runs")
    for one in (unanswered, strayed, unheard):
        stage.quiet(one.name)

    unanswered_since = stage.last_invocation
    unanswered.rewrite(asked, lambda it: it.but(remind_at=unanswered.now()))

    strayed_since = stage.last_invocation
    by_hand = another_task_definition(strayed)
    strayed.ecs.update_service(cluster=strayed.cluster, service=strayed.service_of("api"), taskDefinition=by_hand)

    unheard_since = stage.last_invocation
    dropped = stage.relay.disturb(unheard.pushes(), "drop")
    gate = unheard.gate()
    version = unheard.push(GATE=str(gate))
    unheard.until(lambda: dropped.hits, "the event")
    return Arranged(
        unanswered, asked, unanswered_since, strayed, by_hand, strayed_since, unheard, version, gate, unheard_since
    )


def another_task_definition(scr: Place) -> str:
    """Register what the service runs once more, as the console does when somebody edits it; the ARN."""
    arn = scr.service()["taskDefinition"]
    runs = scr.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    kept = ("family", "containerDefinitions", "networkMode", "cpu", "memory", "executionRoleArn", "taskRoleArn")
    same = {key: runs[key] for key in (*kept, "requiresCompatibilities") if key in runs}
    return str(scr.ecs.register_task_definition(**same)["taskDefinition"]["taskDefinitionArn"])


def drifted(scr: Place) -> tuple[str, str] | None:
    """Status and reason of the environment's condition Drifted."""
    found = scr.state.condition("Drifted")
    return (found.status, found.reason) if found else None


def only_by_the_schedule(stage: Stage, scr: Place, since: int) -> None:
    """Assert that nothing but the schedule has woken reconcile to look at a platform."""
    woken = stage.woken(scr.name, since)
    assert woken, "reconcile was not woken"
    assert None not in woken, f"something else has woken reconcile: {woken}"


def test_approvers_are_reminded(stage: Stage, arranged: Arranged) -> None:
    prod, asked = arranged.unanswered, arranged.asked

    def reminded() -> bool:
        return EventType.APPROVAL_REMINDED in [line.type for line in prod.timeline(asked)]

    prod.until(reminded, "the reminder", 90)
    only_by_the_schedule(stage, prod, arranged.unanswered_since)
    for person in ("ada", "grace"):
        to = f"{person}@{prod.name}.example"
        prod.until(
            lambda to=to: [mail for mail in stage.mails(to) if mail["Subject"].startswith("[Reminder]")],
            f"the mail to {person}",
        )


def test_a_service_that_was_changed_by_hand_shows_as_drifted(stage: Stage, arranged: Arranged) -> None:
    scr = arranged.strayed
    scr.until(lambda: drifted(scr) == ("True", "TaskDefinitionChanged"), "the drift", 90)
    only_by_the_schedule(stage, scr, arranged.strayed_since)
    told = scr.state.condition("Drifted")
    assert told is not None
    assert f"{scr.service_of('api')} runs {arranged.by_hand.rpartition('/')[2]}" in told.message


def test_a_push_whose_event_was_dropped_is_deployed(stage: Stage, arranged: Arranged) -> None:
    scr, version = arranged.unheard, arranged.version
    scr.until(lambda: scr.release(version), "the release", 90)
    # What was found may wake reconcile again; the first to come was the schedule.
    assert stage.woken(scr.name, arranged.unheard_since)[0] is not None
    assert stage.metric("PushMissed") == 1
    arranged.gate.touch()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert done.initiated_by.automated
    scr.runs(version)
