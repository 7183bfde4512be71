"""Which old tasks are protected: of the right deployments, a hundred at a time."""

from datetime import timedelta

import pytest

from ferryman.clients import task_protection
from ferryman.decisions.scale_in_protection import Protection, in_words
from unit.fakes.clock import FakeClock
from unit.fakes.ecs import CLUSTER, FakeEcs


@pytest.fixture
def ecs(clock: FakeClock) -> FakeEcs:
    """A service that was updated while its old tasks run."""
    ecs = FakeEcs(clock)
    ecs.new_service("api", ecs.new_definition("api", "image:1"), desired=120)
    ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=ecs.new_definition("api", "image:2"))
    return ecs


def look(ecs: FakeEcs) -> Protection:
    return task_protection.of_old_tasks(ecs, ecs.services["api"])  # type: ignore[arg-type]


def test_more_tasks_than_one_call_takes(ecs: FakeEcs, clock: FakeClock) -> None:
    old = list(ecs.tasks)
    new = ecs.add_task("api", "sha256:new")["taskArn"]
    ecs.protected = {arn: clock() + timedelta(minutes=minutes) for minutes, arn in enumerate(old)}
    ecs.protected[new] = clock() + timedelta(days=2)
    found = look(ecs)
    assert ecs.calls["get_task_protection"] == 2
    assert found == Protection(119, clock() + timedelta(minutes=119)), "not the new task, nor one whose time is over"
    assert in_words(found) == (
        f"119 old tasks are protected from scale-in until at the latest {found.until:%Y-%m-%d %H:%M:%S} UTC"
    )


def test_a_task_that_is_gone_or_begins_to_stop_is_not_asked_about(ecs: FakeEcs, clock: FakeClock) -> None:
    first, second, *_ = ecs.tasks
    ecs.protected = dict.fromkeys((first, second), clock() + timedelta(hours=1))
    ecs.tasks[first].update(desiredStatus="STOPPED", lastStatus="DEACTIVATING")
    ecs.tasks[second]["lastStatus"] = "STOPPED"
    assert look(ecs) == Protection()


def test_nothing_is_asked_where_nothing_was_replaced(ecs: FakeEcs) -> None:
    ecs.complete("api")
    before = ecs.calls.total()
    assert look(ecs) == Protection()
    assert in_words(look(ecs)) == ""
    assert ecs.calls.total() == before


def test_a_deployment_that_was_forced_has_the_revision_of_the_one_before(ecs: FakeEcs, clock: FakeClock) -> None:
    ecs.complete("api")
    live = ecs.services["api"]["taskDefinition"]
    mine = ecs.deployment("api")["id"]
    ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=live, forceNewDeployment=True)
    old = [arn for arn, task in ecs.tasks.items() if task["startedBy"] == mine]
    new = ecs.add_task("api", "sha256:new")["taskArn"]
    ecs.protected = {old[0]: clock() + timedelta(hours=1), new: clock() + timedelta(hours=2)}
    assert look(ecs) == Protection(1, clock() + timedelta(hours=1))
