"""The words of a plan: what changes against what ECS runs when the plan is made, and against what was approved."""

from typing import Any

import pytest

from ferryman.errors import VerificationFailed
from ferryman.records import Plan, Running, step_keys
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import World, plan_of
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.planning import NAMES

APPROVAL = {"approvers": [{"name": "Ada", "email": "ada@x.example"}], "from": "ferryman@x.example", "forRollback": True}
API = NAMES[0]
REFUSED = {step_keys.ADMIT: make.step("Aborted", "ApprovalVoid", "it is gone")}
BEFORE = "01K0000000000000000000PREV"


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


@pytest.fixture
def asking(world: World) -> World:
    """The example platform, whose staging asks for approval."""
    applied = world.store.platform("scr")
    document: Any = {**applied.document}
    document["spec"]["environments"]["staging"]["approval"] = APPROVAL
    world.store.write(Save(applied.but(document=document)))
    return world


def begun(world: World) -> Plan:
    assert world.begin().approval
    plan = plan_of(world)
    assert isinstance(plan, Plan)
    return plan


def test_each_service_says_what_changes(asking: World) -> None:
    plan = begun(asking)
    assert set(NAMES) <= set(plan.changes)
    (line,) = plan.changes[API]
    assert line == "image: x becomes aaaaaaaaaaaa"
    assert plan.changes["migration"][0].endswith("runs once with the image of api aaaaaaaaaaaa")
    assert plan.since_approved == []


def test_a_value_that_a_gate_refers_to_and_somebody_changed_plans_nothing(asking: World) -> None:
    asking.store.write(Save(asking.store.platform("scr").but(references={"staging": "another hash"})))
    with pytest.raises(VerificationFailed, match="has changed since the document was applied"):
        asking.begin()
    assert plan_of(asking) is None


def test_a_deployment_that_needs_no_approval_depends_on_no_recorded_value(world: World) -> None:
    world.store.write(Save(world.store.platform("scr").but(references={"staging": "another hash"})))
    assert world.begin().verdict == "Planned"


def test_without_approval_nobody_is_told(world: World) -> None:
    world.begin()
    assert plan_of(world).changes == {}
    assert plan_of(world).not_frozen == []


def test_a_tag_that_no_plan_can_freeze_is_named(asking: World) -> None:
    asking.ecs.also[API] = {"proxy": "nginx:1.26"}
    assert f"nginx:1.26 ({API}/proxy)" in begun(asking).not_frozen[0]


def test_a_second_request_tells_the_difference(asking: World) -> None:
    first = begun(asking)
    voided = make.deployment(id=BEFORE, plan=first.but(services={}, cluster="arn:cluster/old"), steps=REFUSED)
    asking.store.write(Save(voided.but(rev=0)))
    asking.change(plan=None, renews=BEFORE, steps={})
    told = begun(asking).since_approved
    assert told[0] == "It is gone."
    assert "the cluster changed: old becomes scr-staging" in told


def test_the_last_deployments_plan_is_compared_too(asking: World) -> None:
    first = begun(asking)
    task = next(iter(first.every_migration)).but(command=["old", "command"])
    earlier = make.deployment(id=BEFORE, version="0001234", plan=first.but(migration=task, on_failure="hold"))
    asking.store.write(Save(earlier.but(rev=0)))
    asking.change(plan=None, steps={})
    asking.state(current=Running(version="0001234", deployment=BEFORE, digests={}, at=make.AT))
    changes = begun(asking).changes
    assert "its command changed: it was `old command`" in changes["migration"]
    assert "on failure: hold becomes rollback" in changes["deployment as a whole"]


def test_words_leave_room_for_the_plan(asking: World) -> None:
    asking.ecs.also[API] = {f"c{number}-{'x' * 80}": f"image-{number}:1" for number in range(300)}
    asking.ecs.live[API]["taskDefinition"] = f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{API}:2"
    lines = begun(asking).changes.values()
    assert sum(len(line) for part in lines for line in part) < 30_000


def test_begin_is_done_once(asking: World) -> None:
    plan = begun(asking)
    asking.ecs.images[API] = "something-else"
    assert begun(asking) == plan
    assert asking.store.deployment("scr", "staging", asking.event.deployment).steps[step_keys.BEGIN].status.passed
