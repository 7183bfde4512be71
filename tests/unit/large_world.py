"""An environment with as many services as the document allows, under deployment, for tests of what a table can hold."""

from typing import Any

from ferryman.clients.ssm import References
from ferryman.contracts import (
    BeginDeploymentInput,
    BeginDeploymentOutput,
    FinishDeploymentInput,
    FinishDeploymentOutput,
)
from ferryman.platform import parse
from ferryman.records import (
    Actor,
    AppliedPlatform,
    Deployment,
    EnvironmentState,
    Phase,
    RolloutProgress,
    Step,
    StepStatus,
    Target,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.steps import begin_deployment, finish_deployment
from ferryman.store import step_writer
from ferryman.store.table import Store
from unit import builders as make
from unit.ecs_world import ID, OLD, World
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.fakes.ecs import CLUSTER, FakeEcs, FakeLogs
from unit.fakes.events import FakeEvents
from unit.fakes.planning import LabelledEcr
from unit.fakes.secrets import FakeParameters
from unit.fakes.states import FakeStates

CHANNELS = ("team", "ops")
RELEASE = make.digest("a")


def document(waves: list[list[str]], **environment: Any) -> dict[str, Any]:
    """A platform with one component that all services run, and an environment `staging` of these waves."""
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": "scr"},
        "spec": {
            "components": {"app": {"repository": "scr-app"}},
            "channels": {name: {"type": "sns", "topicArn": f"arn:aws:sns:eu-west-1:123456789012:{name}"}
                         for name in CHANNELS},
            "environments": {
                "staging": {
                    "cluster": CLUSTER,
                    "triggers": ["push"],
                    "notify": list(CHANNELS),
                    "waves": [
                        {"name": f"wave-{number}", "services": [{"name": name, "component": "app"} for name in names]}
                        for number, names in enumerate(waves)
                    ],
                    **environment,
                }
            },
        },
    }  # fmt: skip


class LargeWorld(World):
    """`count` services in waves of 40, all of them on their old revision; a deployment that has been claimed."""

    def __init__(self, clock: Any, new_id: Any, count: int, *, name: str = "service-{}") -> None:
        self.dynamodb = FakeDynamoDb()
        self.store = Store(self.dynamodb, TABLE)
        self.clock, self.new_id = clock, new_id
        self.ecs, self.logs, self.states = FakeEcs(clock), FakeLogs(), FakeStates()
        self.events = FakeEvents(clock)
        self.tokens, self.fence, self.id = 0, 1, ID
        self.counted: list[str] = []
        self.names = [name.format(f"{number:03d}") for number in range(count)]
        self.waves = [self.names[at : at + 40] for at in range(0, count, 40)]
        self.old = {name: self.ecs.new_definition(name, OLD) for name in self.names}
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        for name, arn in self.old.items():
            self.ecs.new_service(name, arn)
            self.ecs.services[name]["deploymentConfiguration"] = breaker
        applied = AppliedPlatform(
            name="scr", generation=1, document=parse(document(self.waves)).dump(), applied_by="ann", applied_at=clock()
        )
        target = Target(version="0001234", deployment=None, task_definitions=self.old, bases=self.old)
        active = make.state().active
        assert active is not None
        state = EnvironmentState(
            platform="scr", environment="staging", fence=1, last_succeeded=target,
            active=active.but(deployment=ID, fence=1),
        )  # fmt: skip
        claimed = Deployment(
            platform="scr", environment="staging", id=ID, version="abc1234", from_version="0001234",
            digests={"app": RELEASE}, fence=1, initiated_by=Actor(who="push", automated=True), created_at=clock(),
        )  # fmt: skip
        self.store.write(Save(applied), Save(state), Save(claimed))

    # ── steps ──

    def begin(self) -> BeginDeploymentOutput:
        ecr = LabelledEcr()
        return begin_deployment.begin(
            BeginDeploymentInput(**self._ids()), store=self.store, ecs=self.ecs, ecr=ecr, download=ecr.download,
            references=References(FakeParameters({})), client=self.events, clock=self.clock,
            new_id=self.new_id,
        )  # fmt: skip

    def admit(self) -> None:
        step = Step(status=StepStatus.SUCCEEDED, reason="Admitted", started_at=self.clock(), ended_at=self.clock())
        self.store.update_deployment(
            self.ref, lambda before: step_writer.put(before, step_keys.ADMIT, step).but(phase=Phase.RUNNING)
        )

    def finish(self, failure: Any = None) -> FinishDeploymentOutput:
        return finish_deployment.finish(
            FinishDeploymentInput(**self._ids(), failure=failure), store=self.store, clock=self.clock,
            new_id=self.new_id, count=self.counted.append,
        )  # fmt: skip

    # ── what happens in ECS ──

    def point(self, service: str) -> None:
        """A service goes to a new revision, as update_service does it, whatever became of the waves before it."""
        definition = self.ecs.new_definition(service, "new")
        before = self.ecs.deployment(service)["id"]
        self.ecs.update_service(cluster=CLUSTER, service=service, taskDefinition=definition)
        progress = RolloutProgress(
            service=service, direction="forward", previous_task_definition=self.old[service],
            task_definition=definition, ecs_deployment=self.ecs.deployment(service)["id"],
            previous_ecs_deployment=before, followed_at=self.clock(), desired=1,
        )  # fmt: skip
        step = Step(status=StepStatus.RUNNING, started_at=self.clock(), rollout=progress)
        key = step_keys.rollout(service, "forward")
        self.store.update_deployment(self.ref, lambda before: step_writer.put(before, key, step))

    def crash(self, service: str, lines: list[str]) -> None:
        """Its new tasks write these lines and die, until ECS gives up."""
        task = self.ecs.add_task(service, RELEASE)
        self.ecs.stop(task)
        self.logs.write(f"/ecs/{service}", f"ecs/app/{task['taskArn'].rsplit('/', 1)[-1]}", *lines)
        self.ecs.trip_breaker(service, roll_back=False)
