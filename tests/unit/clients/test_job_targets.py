"""What is read of a schedule or rule, what is kept of it, and that a write sends every field."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape

from ferryman.clients import job_targets
from ferryman.platform.environments import Job
from ferryman.records import JobPlace
from unit.fakes.clock import FakeClock
from unit.fakes.events import FakeEvents, ecs_target

SCHEDULE = JobPlace(kind="schedule", name="nightly", group="default")
RULE = JobPlace(kind="rule", name="uploads", group="default")
ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/report:7"
NEXT = ARN.replace(":7", ":8")


@pytest.fixture
def events(clock: FakeClock) -> FakeEvents:
    made = FakeEvents(clock)
    made.new_schedule("nightly", ARN)
    made.new_rule("uploads", ecs_target(ARN, Id="task"))
    return made


def found(events: FakeEvents, place: JobPlace = SCHEDULE) -> job_targets.JobTarget:
    target = job_targets.find(events, place)
    assert target is not None
    return target


def members(operation: str, side: str) -> set[str]:
    model = ServiceModel(Loader().load_service_model("scheduler", "service-2"), "scheduler")
    shape = getattr(model.operation_model(operation), side)
    assert isinstance(shape, StructureShape)
    return set(shape.members)


def test_a_write_takes_all_that_a_read_tells() -> None:
    """A field that AWS adds is sent back by itself; one that only a read has must be known."""
    told, taken = members("GetSchedule", "output_shape"), members("UpdateSchedule", "input_shape")
    assert told - job_targets.ONLY_TOLD == taken - {"ClientToken"}
    assert told & job_targets.ONLY_TOLD == job_targets.ONLY_TOLD - {"ResponseMetadata"}


def test_where_a_document_says_it_is() -> None:
    schedule = Job(name="report", component="api", schedule="nightly", group="reports")
    assert job_targets.place_of(schedule) == JobPlace(kind="schedule", name="nightly", group="reports")
    rule = Job(name="upload", component="api", rule="uploads", event_bus="files", target="task")
    assert job_targets.place_of(rule) == JobPlace(kind="rule", name="uploads", group="files", target="task")


@pytest.mark.parametrize("place", [SCHEDULE, RULE])
def test_what_does_not_exist_is_none(clock: FakeClock, place: JobPlace) -> None:
    assert job_targets.find(FakeEvents(clock), place) is None


@pytest.mark.parametrize("place", [SCHEDULE, RULE])
def test_a_refusal_is_told(events: FakeEvents, place: JobPlace) -> None:
    events.refuse("get_schedule" if place is SCHEDULE else "describe_rule", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        job_targets.find(events, place)


def test_a_rules_targets_are_read_to_the_last_page(events: FakeEvents) -> None:
    queues = [{"Id": f"queue-{number}", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"} for number in range(3)]
    events.new_rule("uploads", *queues, ecs_target(ARN, Id="task"))
    target = found(events, RULE)
    assert (target.task_definition, target.choices) == (ARN, ["task"])
    assert events.calls["list_targets_by_rule"] == 4


def test_of_several_ecs_targets_one_has_to_be_named(events: FakeEvents) -> None:
    events.new_rule("uploads", ecs_target(ARN, Id="one"), ecs_target(NEXT, Id="two"))
    assert (found(events, RULE).task_definition, found(events, RULE).choices) == ("", ["one", "two"])
    assert found(events, RULE.but(target="two")).task_definition == NEXT
    assert found(events, RULE.but(target="three")).task_definition == ""


@pytest.mark.parametrize(("name", "unpinned"), [(ARN, False), ("report:7", False), ("report", True), (ARN[:-2], True)])
def test_a_target_without_a_revision_is_unpinned(events: FakeEvents, name: str, unpinned: bool) -> None:
    events.new_schedule("nightly", name)
    assert found(events).unpinned is unpinned


def test_secrets_in_an_input_are_not_kept(events: FakeEvents) -> None:
    """Overrides of a task's environment are where people put them."""
    kept = found(events).kept()
    assert "hunter2" not in kept
    assert '"Input":"sha256:' in kept
    assert ARN in kept
    events.schedules["default", "nightly"]["Target"]["Input"] = "{}"
    assert found(events).kept() != kept


def test_what_is_kept_is_bounded_and_still_tells_changes(events: FakeEvents) -> None:
    def tagged(value: str) -> list[dict[str, str]]:
        return [{"Key": f"k{number}", "Value": value * 60} for number in range(40)]

    target = events.schedules["default", "nightly"]["Target"]
    target["EcsParameters"]["Tags"] = tagged("木")
    first = found(events).kept()
    assert first.startswith("sha256:")
    assert len(first) == 71
    target["EcsParameters"]["Tags"] = tagged("水")
    assert found(events).kept() != first


def test_what_is_kept_with_another_task_definition(events: FakeEvents) -> None:
    before = found(events)
    events.new_schedule("nightly", NEXT)
    assert found(events).kept() != before.kept()
    assert found(events).kept_with(ARN) == before.kept()


def test_only_a_start_that_is_past_is_left_out(events: FakeEvents, clock: FakeClock) -> None:
    def schedule(start: datetime) -> dict[str, Any]:
        events.new_schedule("nightly", ARN, StartDate=start)
        job_targets.point(events, found(events), NEXT, clock())
        return events.schedules["default", "nightly"]

    soon = clock() + timedelta(minutes=1)
    assert schedule(soon)["StartDate"] == soon
    assert "StartDate" not in schedule(clock() - timedelta(minutes=6))


def test_another_refusal_is_not_tried_without_the_start(events: FakeEvents, clock: FakeClock) -> None:
    events.new_schedule("nightly", ARN, StartDate=clock() - timedelta(days=1))
    events.refuse("update_schedule", "ValidationException", "Invalid Target.")
    with pytest.raises(ClientError, match="Invalid Target"):
        job_targets.point(events, found(events), NEXT, clock())
    assert events.calls["update_schedule"] == 1
