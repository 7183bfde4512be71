"""A platform in motion for the tests of rollouts and migrations: records in moto's table, the rest of AWS faked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import (
    RelayChangeInput,
    RunMigrationInput,
    RunMigrationOutput,
    UpdateServiceInput,
    UpdateServiceOutput,
    WatchMigrationInput,
    WatchRolloutInput,
)
from ferryman.decisions.deployment_steps import required
from ferryman.records import (
    AbortRequest,
    Active,
    Actor,
    Deployment,
    EnvironmentState,
    MigrationClaim,
    Phase,
    Plan,
    PlannedMigration,
    PlannedService,
    Step,
    step_keys,
)
from ferryman.records.writes import Save, Write
from ferryman.steps import relay_change as relay
from ferryman.steps import run_migration as migration
from ferryman.steps import update_service as update
from ferryman.steps import watch_migration as migration_watch
from ferryman.steps import watch_rollout
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.ecr import FakeEcr
from unit.fakes.ecs import CLUSTER, FakeEcs, FakeLogs, service_arn
from unit.fakes.elb import FakeElb
from unit.fakes.events import FakeEvents
from unit.fakes.states import FakeStates

ID = "01K00000000000000000000DEP"
NEXT = "01K00000000000000000000NXT"
OLD, NEW, CHILD = "registry.example/api@sha256:old", "registry.example/api@sha256:new", "sha256:child"
COMMAND = ["alembic", "upgrade", "head"]


class World:
    """One environment: `api` in the first wave, `web` in the second; each runs its old revision."""

    def __init__(self, store: Store, clock: Any, new_id: Any) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecs, self.logs, self.states = FakeEcs(clock), FakeLogs(), FakeStates()
        self.events, self.elb = FakeEvents(clock), FakeElb()
        self.ecr = FakeEcr("scr-api", "scr-web")
        self.tokens = 0
        self.fence = 0
        self.id = ""
        self.old = {
            name: self.ecs.new_definition(name, OLD, tags=[{"key": "team", "value": "scr"}]) for name in ("api", "web")
        }
        for name, arn in self.old.items():
            self.ecs.new_service(name, arn)
        self.ecs.new_definition("api-migrate", OLD)
        self.ecs.calls.clear()
        self.claim(ID)

    # ── records ──

    def claim(
        self,
        deployment: str,
        *,
        automated: bool = True,
        kind: Any = "deploy",
        version: str = "abc1234",
        command: Any = None,
        revision: str | None = None,
        **plan: Any,
    ) -> None:
        """A new deployment owns the environment."""
        self.fence += 1
        self.id = deployment
        state = self.store.state("scr", "staging")
        self.store.write(
            Save(
                state.but(
                    active=Active(
                        deployment=deployment,
                        version=version,
                        fence=self.fence,
                        execution_name=deployment,
                        input="{}",
                        claimed_at=self.clock(),
                    )
                )
            ),
            Save(
                Deployment(
                    platform="scr",
                    environment="staging",
                    id=deployment,
                    version=version,
                    kind=kind,
                    command=command,
                    revision=revision,
                    digests={"api": "sha256:new", "web": "sha256:new"},
                    fence=self.fence,
                    phase=Phase.RUNNING,
                    initiated_by=Actor(who="push", automated=automated),
                    created_at=self.clock(),
                    plan=self.plan(**plan),
                    steps={step_keys.BEGIN: make.step(), step_keys.ADMIT: make.step()},
                )
            ),
        )

    def plan(self, **changes: Any) -> Plan:
        services = {
            name: PlannedService(
                name=name,
                arn=service_arn(name),
                component=name,
                container="app",
                digest="sha256:new",
                platform_digest=CHILD,
                image=NEW,
                base_task_definition=self.old[name],
                rollback_task_definition=self.old[name],
                timeout_seconds=600,
                fail_fast=2,
            )
            for name in ("api", "web")
        }
        migration = PlannedMigration(
            component="api",
            container="app",
            digest="sha256:new",
            image=NEW,
            base_task_definition="api-migrate",
            command=COMMAND,
            timeout_seconds=600,
            subnets=["subnet-1"],
            security_groups=["sg-1"],
        )
        plan = Plan(generation=1, cluster=CLUSTER, waves=[["api"], ["web"]], services=services, migration=migration)
        return plan.but(**changes)

    def several(self, *names: str, **changes: Any) -> dict[str, Any]:
        """What a plan has of several migrations, each with a command of its own; `changes` are of each."""
        one = self.plan().migration
        assert one is not None
        named = [one.but(name=name, command=["migrate", name], **changes) for name in names]
        return {"migration": None, "named_migrations": named}

    def replan(self, service: str, **changes: Any) -> None:
        def change(deployment: Deployment) -> Deployment:
            assert deployment.plan is not None
            changed = deployment.plan.services[service].but(**changes)
            return deployment.but(plan=deployment.plan.but(services={**deployment.plan.services, service: changed}))

        self.store.update_deployment(self.ref, change)

    def set_phase(self, phase: Phase) -> None:
        self.store.update_deployment(self.ref, lambda deployment: deployment.but(phase=phase))

    def abort(self) -> None:
        wish = AbortRequest(reason="wrong release", who="ann", at=self.clock())
        self.store.update_deployment(self.ref, lambda deployment: deployment.but(abort=wish))

    @contextmanager
    def killed_at_write(self, number: int) -> Iterator[None]:
        """Run what is inside until its Nth write: the Lambda dies, and nothing of that write is stored."""
        real, count = self.store.write, 0

        def write(*writes: Write) -> None:
            nonlocal count
            count += 1
            if count == number:
                raise RuntimeError("killed")
            real(*writes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.store, "write", write)
            with pytest.raises(RuntimeError, match="killed"):
                yield

    def lose_claim(self) -> None:
        """Somebody else owns the environment now."""
        state = self.store.state("scr", "staging")
        assert state.active is not None
        self.store.write(Save(state.but(active=state.active.but(fence=99))))

    # ── reading ──

    @property
    def ref(self) -> Any:
        return UpdateServiceInput(**self._ids(), service="api", direction="forward")

    @property
    def deployment(self) -> Deployment:
        found = self.store.deployment("scr", "staging", self.id)
        return found.with_logs(self.store.logs(self.id, most=100))

    @property
    def state(self) -> EnvironmentState:
        return self.store.state("scr", "staging")

    @property
    def after_the_gate(self) -> dict[str, Step]:
        """The recorded steps that come after the last gate."""
        gates = (step_keys.BEGIN, step_keys.ADMIT)
        return {key: step for key, step in self.deployment.steps.items() if key not in gates}

    def step(self, service: str = "api", direction: Any = "forward") -> Step:
        return self.deployment.steps[step_keys.rollout(service, direction)]

    @property
    def migration(self) -> Step:
        return self.deployment.steps[step_keys.MIGRATION]

    def definition(self, service: str = "api", direction: Any = "forward") -> dict[str, Any]:
        progress = self.step(service, direction).rollout
        assert progress is not None
        assert progress.task_definition is not None
        return self.ecs.definitions[progress.task_definition]

    def timeline(self) -> list[str]:
        return [str(event.type) for event in self.store.timeline(self.id)]

    def answer(self, token: str) -> dict[str, Any] | None:
        """What the state machine got for a token; None when it still waits."""
        return json.loads(self.states.answers[token]) if token in self.states.answers else None

    # ── steps ──

    def update(self, service: str = "api", direction: Any = "forward", slot: str | None = None) -> UpdateServiceOutput:
        if direction == "forward":
            self.come_to_rollouts()
        event = UpdateServiceInput(**self._ids(), service=service, direction=direction, slot=slot)
        return update.update_service(
            event,
            store=self.store,
            ecs=self.ecs,
            ecr=lambda: self.ecr,
            client=self.events,
            clock=self.clock,
            new_id=self.new_id,
        )

    def watch(self, service: str = "api", direction: Any = "forward", *, may_proceed: bool = False) -> str:
        """Wait with a fresh token, and return it."""
        event = WatchRolloutInput(
            **self._ids(), service=service, direction=direction, task_token=self._token(), may_proceed=may_proceed
        )
        watch_rollout.watch(event, **self._of_rollouts())
        return event.task_token

    def roll_out(self, service: str = "api", direction: Any = "forward") -> dict[str, Any] | None:
        self.update(service, direction)
        self.ecs.complete(service)
        return self.answer(self.watch(service, direction))

    def run_migration(self, name: str = "") -> RunMigrationOutput:
        event = RunMigrationInput(**self._ids(), migration=name)
        return migration.run(event, store=self.store, ecs=self.ecs, clock=self.clock, new_id=self.new_id)

    def watch_migration(self, name: str = "") -> str:
        event = WatchMigrationInput(**self._ids(), task_token=self._token(), migration=name)
        migration_watch.watch(event, **self._edges())
        return event.task_token

    def finish_migration(self, exit_code: int | None = 0, name: str = "", **how: Any) -> dict[str, Any] | None:
        """Run the migration and let its task end; the watcher's answer."""
        self.run_migration(name)
        self.ecs.stop(self.migration_tasks()[-1], exit_code=exit_code, **how)
        return self.answer(self.watch_migration(name))

    def migration_tasks(self) -> list[dict[str, Any]]:
        return [task for task in self.ecs.tasks.values() if str(task["startedBy"]).startswith("fm-")]

    def migration_claims(self) -> list[MigrationClaim]:
        return self.store.migration_claims("scr", "staging", "abc1234")

    def migration_statuses(self) -> list[str]:
        return [claim.status for claim in self.migration_claims()]

    def relay(self, **event: Any) -> None:
        relay.relay(RelayChangeInput.model_validate(event), **self._of_rollouts())

    def come_to_rollouts(self) -> None:
        """Let what comes before the first rollout have passed, unless the test ran it."""
        found = self.store.deployment("scr", "staging", self.id)
        needed = (key for key in required(found) if not key.startswith(step_keys.ROLLOUT))
        passed = {key: make.step() for key in needed if key not in found.steps}
        if passed:
            self.store.write(Save(found.but(steps={**found.steps, **passed})))

    def _ids(self) -> dict[str, Any]:
        return {"platform": "scr", "environment": "staging", "deployment": self.id, "fence": self.fence}

    def _token(self) -> str:
        self.tokens += 1
        token = f"token+{self.tokens}/="
        self.states.open.add(token)
        return token

    def _of_rollouts(self) -> dict[str, Any]:
        edges = watch_rollout.Edges(self.ecs, self.logs, lambda service: {"elbv2": self.elb}[service])  # type: ignore[arg-type,call-overload]
        common = {name: value for name, value in self._edges().items() if name not in ("ecs", "logs")}
        return {**common, "edges": edges}

    def _edges(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "ecs": self.ecs,
            "logs": self.logs,
            "states": self.states,
            "clock": self.clock,
            "new_id": self.new_id,
        }


def left(version: str, status: Any = "Succeeded", ids: list[str] | None = None, hours: int = 0) -> MigrationClaim:
    """The claim that an earlier migration left; `ids`: the migrations of its image."""
    return MigrationClaim(
        platform="scr",
        environment="staging",
        version=version,
        attempt=1,
        deployment="01K00000000000000000000OLD",
        status=status,
        task_definition="td",
        client_token="fm-1",
        migrations=ids,
        at=make.AT + timedelta(hours=hours),
    )
