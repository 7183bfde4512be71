"""A deployment that is about to begin: the example platform with the services, images and parameters of Terraform."""

from typing import Any

from ferryman.clients.ssm import References
from ferryman.contracts import BeginDeploymentInput
from ferryman.records import (
    AppliedPlatform,
    EnvironmentState,
    Phase,
    Running,
)
from ferryman.records.writes import Save
from ferryman.steps import begin_deployment as begin
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.events import FakeEvents
from unit.fakes.planning import ACCOUNT, NAMES, LabelledEcr, StagingEcs
from unit.fakes.secrets import FakeParameters

STAGING = "/ferryman/scr/staging"
PARAMETERS = {
    f"{STAGING}/private-subnet-ids": "subnet-1,subnet-2",
    f"{STAGING}/task-security-group-ids": "sg-1",
    f"{STAGING}/api-url": "https://api.staging.example/",
    f"{STAGING}/web-url": "https://staging.example",
    f"{STAGING}/task-definitions/scr-api-migrate-staging": f"{ACCOUNT}:task-definition/scr-api-migrate-staging:4",
    **{f"{STAGING}/task-definitions/{name}": f"{ACCOUNT}:task-definition/{name}:3" for name in NAMES},
}
"""Parameters as Terraform writes them."""


class World:
    """A deployment of the example platform that is about to begin."""

    def __init__(self, store: Store, document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecs, self.ecr, self.ssm = StagingEcs(), LabelledEcr(), FakeParameters(PARAMETERS)
        self.events = FakeEvents(clock)
        self.event = BeginDeploymentInput(
            platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE
        )
        applied = AppliedPlatform(name="scr", generation=3, document=document, applied_by="anna", applied_at=make.AT)
        digests = {name: make.digest("a") for name in ("api", "ai-gateway", "web")}
        deployment = make.deployment(phase=Phase.PENDING, plan=None, steps={}, digests=digests, started_at=None)
        store.write(Save(applied), Save(deployment), Save(make.state(last_succeeded=None)))

    def begin(self) -> Any:
        return begin.begin(
            self.event,
            store=self.store,
            ecs=self.ecs,
            ecr=self.ecr,
            download=self.ecr.download,
            references=References(self.ssm),
            client=self.events,
            clock=self.clock,
            new_id=self.new_id,
        )

    def change(self, **changes: Any) -> None:
        self.store.update_deployment(self.event, lambda before: before.but(**changes))

    def state(self, **changes: Any) -> EnvironmentState:
        return self.store.update_state("scr", "staging", lambda before: before.but(**changes))


def plan_of(world: World) -> Any:
    return world.store.deployment("scr", "staging", world.event.deployment).plan


NEW, RUNS, LEFT = (make.digest(letter) for letter in "abc")
"""Images of the release that is deployed, of the one that runs, and of one that was left after it had migrated."""


def running(world: World, digest: str = RUNS) -> None:
    current = Running(version="0001234", deployment="01K0000000000000000000PREV", digests={"api": digest}, at=make.AT)
    world.state(current=current)
