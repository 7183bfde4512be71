"""A way back from the wish to the end, on fakes: what a person took back stays taken back, whatever is pushed."""

import json
from typing import Any

import pytest

from ferryman.access import Access, Role
from ferryman.access.grants import EVERY, Grant, Grants
from ferryman.api.context import Context
from ferryman.api.serve_api import serve
from ferryman.contracts import FinishDeploymentInput, StepFailure
from ferryman.records import Deployment, EnvironmentState, Phase, Step
from ferryman.records.writes import Save
from ferryman.steps.finish_deployment import finish
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, event, prove
from unit.ecs_world import left
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.log import FakeLog
from unit.fakes.outside import FakeOutside
from unit.fakes.states import MACHINE, MIGRATE_MACHINE
from unit.operating import World, document

V1, V2, V3, V4 = "aaaaaaa1", "aaaaaaa2", "aaaaaaa3", "aaaaaaa4"
MIGRATION = {
    "component": "api",
    "taskDefinition": "scr-migrate",
    "command": ["alembic", "upgrade", "head"],
    "current": ["alembic", "current"],
    "network": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
}


class Loop(World):
    """The operator with its API."""

    def ask(self, what: str, **body: Any) -> dict[str, Any]:
        access = Access(grants_of=lambda _: Grants((Grant(Role.DEPLOYER, (EVERY,), (JO,)),)))
        operator = Context(
            store=self.store, outside=FakeOutside(), clock=self.clock, new_id=self.new_id, access=access
        )  # fmt: skip
        self.clock.forward(seconds=1)
        data = json.dumps(body).encode()
        answer = serve(event("POST", f"{ENV}/{what}", body=data), operator, FakeLog(), prove)
        assert answer["statusCode"] == 200, answer["body"]
        told = json.loads(answer["body"])
        assert isinstance(told, dict)
        return told

    def deploy(self, version: str) -> None:
        self.release(version)
        self.reconcile()
        self.end()

    def run(self, steps: dict[str, Step]) -> FinishDeploymentInput:
        """The machine runs so far."""
        active = self.state.active
        assert active is not None
        ref = FinishDeploymentInput(
            platform="scr", environment="staging", deployment=active.deployment, fence=active.fence
        )
        self.store.update_deployment(
            ref, lambda before: before.but(phase=Phase.RUNNING, plan=make.plan(), steps=steps)
        )  # fmt: skip
        return ref

    def end(self, steps: dict[str, Step] | None = None) -> None:
        """The machine runs to its end; its event arrives."""
        active = self.state.active
        assert active is not None
        ref = self.run(make.passed() if steps is None else steps)
        self.clock.forward(seconds=30)
        assert active.execution_arn is not None
        self.states.end(active.execution_arn, "SUCCEEDED", self.clock())
        finish(ref, store=self.store, clock=self.clock, new_id=self.new_id, count=lambda name: None)
        detail = {"name": active.execution_name, "input": active.input, "status": "SUCCEEDED"}
        self.wake({"source": "aws.states", "detail": detail})

    def latest(self) -> Deployment:
        return self.deployments[-1]


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> Loop:
    world = Loop(store, clock, new_id)
    world.run_services()
    world.apply(document(migration=MIGRATION))
    for version in (V1, V2, V3):
        world.deploy(version)
    assert world.told() == [(V1, "Succeeded"), (V2, "Succeeded"), (V3, "Succeeded")]
    return world


def running(state: EnvironmentState) -> tuple[str | None, str | None]:
    """What runs, and what would come back next."""
    current, previous = state.current, state.previous
    return current.version if current else None, previous.version if previous else None


def test_a_push_does_not_undo_it_and_resume_does_not_bring_it_back(world: Loop) -> None:
    assert world.ask("rollback", reason="checkout fails", confirm="staging")["version"] == V2
    world.reconcile()
    started = world.latest()
    assert (started.kind, started.version, started.initiated_by.automated) == ("rollback", V2, False)
    world.end()
    assert running(world.state) == (V2, V1)
    tags = {name: world.ecr.tags["scr-api"][name] for name in ("staging-latest", "staging-current", "staging-previous")}
    digests = {version: world.store.release("scr", version).digests["api"] for version in (V1, V2)}  # type: ignore[union-attr]
    assert tags == {
        "staging-latest": digests[V2],
        "staging-current": digests[V2],
        "staging-previous": digests[V1],
    }

    world.release(V4)
    for _ in range(3):
        world.reconcile()
        world.sweep()
    assert running(world.state) == (V2, V1)
    assert world.state.active is None

    world.ask("resume")
    world.reconcile()
    assert (world.latest().version, world.latest().kind) == (V4, "deploy")
    world.end()
    assert running(world.state) == (V4, V2)


def test_without_a_push_resume_starts_nothing(world: Loop) -> None:
    world.ask("rollback", reason="checkout fails", confirm="staging")
    world.reconcile()
    world.end()
    world.ask("resume")
    for _ in range(3):
        world.reconcile()
        world.sweep()
    assert running(world.state) == (V2, V1)
    assert len(world.deployments) == 4


def test_two_steps_back(world: Loop) -> None:
    for _ in range(2):
        world.ask("rollback", reason="worse still", confirm="staging")
        world.reconcile()
        world.end()
    assert running(world.state) == (V1, None)
    assert {version: item.reason for version, item in world.state.settled.items()} == {
        V2: "LeftByRollback",
        V3: "LeftByRollback",
    }


def test_while_a_deployment_runs_it_is_aborted_and_then_its_start_comes_back(world: Loop) -> None:
    world.release(V4)
    world.reconcile()
    world.run(make.passed(upto="rollout/scr-api"))

    told = world.ask("rollback", reason="checkout fails", confirm="staging")

    assert (told["version"], told["aborted"]) == (V3, world.latest().id)
    world.reconcile()
    assert [item.kind for item in world.deployments[3:]] == ["deploy"]
    back = {"rollback/scr-api": make.rollout("scr-api", direction="back", revision=1)}
    stopped = {"rollout/scr-web": make.rollout("scr-web", "Aborted", reason="Aborted")}
    world.end({**make.passed(upto="rollout/scr-api"), **stopped, **back})
    world.clock.forward(minutes=2)
    world.sweep()
    assert [(item.version, item.kind) for item in world.deployments[3:]] == [(V4, "deploy"), (V3, "rollback")]
    assert str(world.deployments[3].phase) == "Aborted"
    world.end()
    assert running(world.state) == (V3, V2)
    hold = world.state.hold
    assert hold is not None
    assert hold.reason == f"rolled back to {V3}: checkout fails"
    world.ask("resume")
    world.sweep()
    assert world.state.active is None


def test_one_that_fails_leaves_what_ran_and_the_hold(world: Loop) -> None:
    world.ask("rollback", reason="checkout fails", confirm="staging")
    world.reconcile()
    failed = {
        **make.passed(upto="admit_deployment"),
        "migration": make.step("Skipped", "GoingBack"),
        "rollout/scr-api": make.rollout("scr-api", "Failed", reason="BreakerRolledBack", message="no"),
        "rollback/scr-api": make.rollout("scr-api", direction="back", revision=1),
    }
    world.end(failed)
    assert (str(world.latest().phase), running(world.state)) == ("RolledBack", (V3, V2))
    assert world.state.hold is not None
    for _ in range(3):
        world.sweep()
    assert world.state.active is None
    assert world.ask("rollback", reason="again", confirm="staging")["changed"] is True


def test_a_database_command_goes_to_its_own_machine_and_changes_nothing(world: Loop) -> None:
    before = running(world.state)
    world.ask("migrate", command="current", confirm="staging")
    world.reconcile()
    started = world.latest()
    assert (started.kind, started.command, started.version) == ("migrate", "current", V3)
    assert started.execution_arn is not None
    assert started.execution_arn.startswith(MIGRATE_MACHINE.replace("stateMachine", "execution"))
    assert not started.execution_arn.startswith(f"{MACHINE.replace('stateMachine', 'execution')}:")
    steps = {**make.passed(upto="admit_deployment"), "migration": make.step(reason="Completed", message="ran.")}
    world.end(steps)
    assert running(world.state) == before
    assert str(world.latest().phase) == "Succeeded"
    world.deploy(V4)
    assert running(world.state) == (V4, V3)


def test_a_database_command_that_errored_is_not_tried_by_itself(world: Loop) -> None:
    world.ask("migrate", command="current", confirm="staging")
    world.reconcile()
    world.end({**make.passed(upto="admit_deployment"), "migration": make.step("Errored", "X", "no.")})
    for _ in range(8):
        world.sweep()
    assert len(world.deployments) == 4
    assert world.state.settled == {}


def several(world: Loop, **changes: Any) -> None:
    """From now on there are two databases, whose migrations ran with the two newest releases."""
    one = {**MIGRATION, "downgrade": ["alembic", "downgrade", "{revision}"]}
    world.apply(document(migrations=[{**one, "name": name, **changes} for name in ("orders", "stock")]))
    for hours, version in enumerate((V2, V3)):
        for name in ("orders", "stock"):
            world.store.write(Save(left(f"{name}/{version}", hours=hours)))


def test_a_deployment_carries_which_databases_go_back_and_to_where(world: Loop) -> None:
    several(world)
    revisions = {"orders": "001", "stock": "101"}
    world.ask("rollback", reason="x", confirm="staging", downgrade=True, revisions=revisions)
    world.reconcile()
    started = world.latest()
    assert (started.kind, started.command, started.revision, started.revisions) == ("rollback", "down", None, revisions)


def test_a_deployment_carries_which_database_a_command_is_about(world: Loop) -> None:
    several(world)
    world.ask("migrate", command="current", migration="stock", confirm="staging")
    world.reconcile()
    started = world.latest()
    assert (started.kind, started.command, started.migration) == ("migrate", "current", "stock")


@pytest.mark.parametrize("person", [False, True], ids=["automation", "a-person's-command"])
def test_a_machine_that_cannot_loop_leaves_a_told_error_and_a_free_claim(world: Loop, person: bool) -> None:
    """The execution began just before the operator was updated; begin_deployment refused to plan."""
    several(world)
    if person:
        world.ask("migrate", command="up", migration="stock", confirm="staging")
    else:
        world.release(V4)
    world.reconcile()
    active, before = world.state.active, world.latest()
    assert active is not None
    failure = StepFailure(
        error="MachineTooOld", cause=json.dumps({"errorMessage": "its state machine can't run the migrations orders"}),
        step="begin_deployment",
    )  # fmt: skip
    ref = FinishDeploymentInput(
        platform="scr", environment="staging", deployment=active.deployment, fence=active.fence, failure=failure
    )
    finish(ref, store=world.store, clock=world.clock, new_id=world.new_id, count=lambda name: None)

    ended = world.latest()
    assert (ended.id, ended.phase, ended.reason, world.state.active) == (
        before.id,
        Phase.ERRORED,
        "MachineTooOld",
        None,
    )
    message = world.store.message(ended.id, "outcome", "team")
    assert message is not None
    assert "can't run the migrations orders" in message.text
    retried = world.state.settled.get(V4)
    assert (retried is not None and retried.retry_at is not None) is not person
    assert running(world.state)[0] == V3
